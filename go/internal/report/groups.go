package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go"
)

// By is what points and lines are summed up by.
type By string

// The keys of groups. The last three are about processes: a group's points are those
// that its processes hold, and ran means in one of them.
const (
	ByPackage  By = "package"
	ByFile     By = "file"
	ByFunc     By = "func"
	ByLane     By = "lane"
	ByInstance By = "instance"
	ByHost     By = "host"
)

// Keys are all values of By, in the order in which help names them.
var Keys = []string{string(ByPackage), string(ByFile), string(ByFunc), string(ByLane), string(ByInstance), string(ByHost)}

// Group is the sum over one value of a key.
type Group struct {
	// Name is the value: an import path, a file, a function with its package, a lane
	// (StableLane for the one without a name), an instance's id, a host.
	Name string `json:"name"`
	// Points counts the points, Hit those that ran by the report's counting.
	Points int `json:"points"`
	Hit    int `json:"hit"`
	// Traffic counts those that ran in the phase traffic.
	Traffic int `json:"traffic"`
	// Lines counts the lines with points, LinesReached those of which all points ran.
	// A line belongs to the group of its first point.
	Lines        int `json:"lines"`
	LinesReached int `json:"linesReached"`
	// Instances counts the processes of a lane or host; 0 for code.
	Instances int `json:"instances,omitempty"`
}

// StableLane is what reports call the lane of processes without GOAT_LANE.
const StableLane = "stable"

// LaneName is a lane as reports name it.
func LaneName(lane string) string { return cmp.Or(lane, StableLane) }

// Unhit counts the points that did not run.
func (g *Group) Unhit() int { return g.Points - g.Hit }

// GroupBy sums the document up by a key: groups with the most points that did not run
// first, then by name.
func (d *Document) GroupBy(key By) []Group {
	var groups []Group
	switch key {
	case ByPackage, ByFile, ByFunc:
		groups = d.byCode(key)
	default:
		groups = d.byProcess(key)
	}
	slices.SortStableFunc(groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Unhit(), a.Unhit()), strings.Compare(a.Name, b.Name))
	})
	return groups
}

// collector finds groups by name, in the order in which they came up.
type collector struct {
	groups []Group
	index  map[string]int
}

func newCollector() *collector { return &collector{index: map[string]int{}} }

func (c *collector) of(name string) *Group {
	i, known := c.index[name]
	if !known {
		i = len(c.groups)
		c.index[name] = i
		c.groups = append(c.groups, Group{Name: name})
	}
	return &c.groups[i]
}

func (d *Document) byCode(key By) []Group {
	all := newCollector()
	points := d.byID()
	for i := range d.Points {
		p := &d.Points[i]
		g := all.of(nameOf(&p.Point, key))
		g.Points++
		if p.Hit {
			g.Hit++
		}
		if p.Hit && p.phaseRank() == Rank("traffic") {
			g.Traffic++
		}
	}
	for i := range d.Lines {
		line := &d.Lines[i]
		name := line.File
		if key != ByFile {
			p := firstOf(line.Points, points)
			if p == nil {
				continue // of a package that was built without its points
			}
			name = nameOf(&p.Point, key)
		}
		g := all.of(name)
		g.Lines++
		if line.Reached == "all" {
			g.LinesReached++
		}
	}
	return all.groups
}

func firstOf(ids []string, points map[string]*Point) *Point {
	for _, id := range ids {
		if p := points[id]; p != nil {
			return p
		}
	}
	return nil
}

func nameOf(p *goat.Point, key By) string {
	switch key {
	case ByFile:
		return p.File
	case ByFunc:
		return p.Package + "." + cmp.Or(p.Func, "(package)")
	}
	return p.Package
}

// byProcess sums up over the processes of each lane or host, or over each process.
func (d *Document) byProcess(key By) []Group {
	var names []string
	members := map[string][]*Instance{}
	for i := range d.Instances {
		instance := &d.Instances[i]
		if !instance.Reachable {
			continue
		}
		name := instance.name(key)
		if members[name] == nil {
			names = append(names, name)
		}
		members[name] = append(members[name], instance)
	}
	index := make(map[string]int, len(d.Points))
	for i := range d.Points {
		index[d.Points[i].ID] = i
	}
	groups := make([]Group, 0, len(names))
	for _, name := range names {
		ran := unite(members[name], len(d.Points))
		group := d.sumOf(name, ran, index)
		if key != ByInstance {
			group.Instances = processes(members[name])
		}
		groups = append(groups, group)
	}
	return groups
}

func (i *Instance) name(key By) string {
	switch key {
	case ByLane:
		return LaneName(i.Lane)
	case ByHost:
		return cmp.Or(i.Host, "unknown")
	}
	return cmp.Or(i.Instance, i.Source)
}

// processes counts instances; one that several sources show counts once.
func processes(members []*Instance) int {
	known := map[string]bool{}
	for _, i := range members {
		known[i.name(ByInstance)] = true
	}
	return len(known)
}

// unite is the most that the processes show of each point (Instance.Ran).
func unite(members []*Instance, points int) []byte {
	ran := make([]byte, points)
	for i := range ran {
		ran[i] = notHeld
	}
	for _, instance := range members {
		for i := range min(points, len(instance.Ran)) {
			if strings.IndexByte(letters, instance.Ran[i]) > strings.IndexByte(letters, ran[i]) {
				ran[i] = instance.Ran[i]
			}
		}
	}
	return ran
}

func (d *Document) sumOf(name string, ran []byte, index map[string]int) Group {
	g := Group{Name: name}
	for i := range ran {
		if ran[i] != notHeld {
			g.Points++
		}
		if d.counts(ran[i]) {
			g.Hit++
		}
		if ran[i] == letters[len(letters)-1] {
			g.Traffic++
		}
	}
	for i := range d.Lines {
		held, hit := 0, 0
		for _, id := range d.Lines[i].Points {
			at, known := index[id]
			if !known || ran[at] == notHeld {
				continue
			}
			held++
			if d.counts(ran[at]) {
				hit++
			}
		}
		if held > 0 {
			g.Lines++
		}
		if held > 0 && held == hit {
			g.LinesReached++
		}
	}
	return g
}
