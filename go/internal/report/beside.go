package report

import (
	"slices"
	"strings"

	"github.com/goat-trace/goat/go"
)

// What ties a panic or a cluster of goroutines to points.
const (
	// NearFunction: a changed function is on its stack; the points are those in it.
	NearFunction = "function"
	// NearFile: a file of the change is on its stack, in functions that did not change.
	NearFile = "file"
)

// Panic is a root cause with the points beside it.
type Panic struct {
	goat.Panic
	// Points are ids, those of the innermost changed function first.
	Points []string `json:"points"`
	// Near is function, file, or "" where the change is not on its stack.
	Near string `json:"near"`
}

// Cluster is a group of goroutines with the points beside it.
type Cluster struct {
	goat.DumpCluster
	Points []string `json:"points"`
	Near   string   `json:"near"`
}

// Dump is what dumps say of the goroutines.
type Dump struct {
	Source goat.DumpSummary `json:"source"`
	// Clusters are those in changed code first, then those that look most like a leak;
	// the runtime's own goroutines are left out. Cut counts what is left out on top.
	Clusters []Cluster `json:"clusters"`
	Cut      int       `json:"cut"`
}

// mostClusters is how many clusters a document holds beyond those in changed code.
const mostClusters = 100

// Beside is what was found beside the points.
type Beside struct {
	// Panics is nil where no source records them, Dump where there is none.
	Panics []goat.Panic
	Dump   *goat.DumpResult
}

// ChangedFunctions are the functions of the change, for what stacks are held against.
func (d *Document) ChangedFunctions() []goat.ChangedFunction {
	if kept := d.Kept(); kept != nil {
		return goat.ChangedFunctions(&kept.Plan)
	}
	plan := &goat.Result{}
	for i := range d.Points {
		plan.Points = append(plan.Points, d.Points[i].Point)
	}
	return goat.ChangedFunctions(plan)
}

// Join puts panics and dumps beside the points of the same change. What saved reports say
// of panics counts as far as no other source shows the process.
func (d *Document) Join(found Beside, saved []*Document) {
	near := newNeighbours(d)
	if found.Panics != nil {
		d.Panics = []Panic{}
	}
	for i := range found.Panics {
		p := Panic{Panic: found.Panics[i]}
		p.Points, p.Near = near.of(p.ChangedIn, p.Frames)
		d.Panics = append(d.Panics, p)
	}
	for _, s := range saved {
		d.takeSaved(s, near)
	}
	slices.SortStableFunc(d.Panics, func(a, b Panic) int { return order(a.rank(), b.rank()) })
	d.Summary.Panics = d.sumPanics()
	if found.Dump != nil {
		d.Dump = dumpOf(found.Dump, near)
	}
}

// rank orders panics: what ended a process, then what lies in the change, then defects.
func (p *Panic) rank() []bool {
	return []bool{p.Class != goat.PanicDefect, p.Ended == 0, p.Near != NearFunction, p.Near == ""}
}

func order(a, b []bool) int {
	for i := range a {
		if a[i] != b[i] {
			if b[i] {
				return -1
			}
			return 1
		}
	}
	return 0
}

// takeSaved adds the panics of a saved report.
func (d *Document) takeSaved(saved *Document, near *neighbours) {
	if saved.Panics != nil && d.Panics == nil {
		d.Panics = []Panic{}
	}
	for i := range saved.Panics {
		old := saved.Panics[i]
		old.Points, old.Near = near.of(old.ChangedIn, old.Frames)
		at := slices.IndexFunc(d.Panics, func(p Panic) bool { return p.Key == old.Key })
		if at < 0 {
			d.Panics = append(d.Panics, old)
			continue
		}
		d.Panics[at].add(&old)
	}
}

// add joins what another report says of the same root cause. Where they share a process
// the larger counts are the newer ones, or those of more processes.
func (p *Panic) add(other *Panic) {
	shared := slices.ContainsFunc(other.Instances, func(name string) bool { return slices.Contains(p.Instances, name) })
	join := func(a, b uint64) uint64 { return a + b }
	if shared {
		join = func(a, b uint64) uint64 { return max(a, b) }
	}
	p.Count, p.Ended = join(p.Count, other.Count), join(p.Ended, other.Ended)
	phases := map[string]uint64{}
	for _, name := range []string{"init", "startup", PhaseTraffic} {
		if n := join(p.Phases[name], other.Phases[name]); n > 0 {
			phases[name] = n
		}
	}
	p.Phases = phases
	p.Instances, p.Lanes, p.Sources = union(p.Instances, other.Instances), union(p.Lanes, other.Lanes), union(p.Sources, other.Sources)
	if p.Ended > 0 {
		p.Recovered = "no"
	}
	if other.First != nil && (p.First == nil || *other.First < *p.First) {
		p.First = other.First
	}
	if other.Last != nil && (p.Last == nil || *other.Last > *p.Last) {
		p.Last = other.Last
	}
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// PanicSum sums up the panics that are defects.
type PanicSum struct {
	// Causes are different ones, Count all of them; Ended those that ended a process.
	Causes int    `json:"causes"`
	Count  uint64 `json:"count"`
	Ended  uint64 `json:"ended"`
	// Changed are the causes with a changed function on their stack.
	Changed int `json:"changed"`
}

func (d *Document) sumPanics() *PanicSum {
	if d.Panics == nil {
		return nil
	}
	s := &PanicSum{}
	for i := range d.Panics {
		p := &d.Panics[i]
		if p.Class != goat.PanicDefect {
			continue
		}
		s.Causes++
		s.Count, s.Ended = s.Count+p.Count, s.Ended+p.Ended
		if p.Near == NearFunction {
			s.Changed++
		}
	}
	return s
}

func dumpOf(found *goat.DumpResult, near *neighbours) *Dump {
	dump := &Dump{Source: found.Source, Clusters: []Cluster{}}
	for i := range found.Clusters {
		c := Cluster{DumpCluster: found.Clusters[i]}
		if c.Dimension == "runtime" {
			continue
		}
		c.Points, c.Near = near.of(c.ChangedIn, c.Frames)
		dump.Clusters = append(dump.Clusters, c)
	}
	slices.SortStableFunc(dump.Clusters, func(a, b Cluster) int {
		return order([]bool{a.Near != NearFunction, a.Near == ""}, []bool{b.Near != NearFunction, b.Near == ""})
	})
	kept := 0
	dump.Clusters = slices.DeleteFunc(dump.Clusters, func(c Cluster) bool {
		if c.Near == NearFunction {
			return false
		}
		kept++
		return kept > mostClusters
	})
	dump.Cut = max(0, kept-mostClusters)
	return dump
}

// neighbours find the points that stand where a stack has been.
type neighbours struct {
	functions map[goat.ChangedIn][]string
	// files hold the points of a package's file.
	files map[[2]string][]string
}

func newNeighbours(d *Document) *neighbours {
	n := &neighbours{functions: map[goat.ChangedIn][]string{}, files: map[[2]string][]string{}}
	add := func(p *goat.Point) {
		in, file := goat.ChangedIn{Package: p.Package, File: p.File, Func: p.Func}, [2]string{p.Package, p.File}
		n.functions[in] = append(n.functions[in], p.ID)
		n.files[file] = append(n.files[file], p.ID)
	}
	for i := range d.Points {
		add(&d.Points[i].Point)
	}
	for i := range d.NotLinked {
		add(&d.NotLinked[i])
	}
	return n
}

// of are the points in the changed functions of a stack; else those in the file of the
// innermost frame that has some. It says which of them.
func (n *neighbours) of(changed []goat.ChangedIn, stack []goat.DumpFrame) (points []string, near string) {
	points = []string{}
	if len(changed) > 0 {
		for _, in := range changed {
			points = append(points, n.functions[in]...)
		}
		return distinctOf(points), NearFunction
	}
	for i := range stack {
		if found := n.inFile(&stack[i]); len(found) > 0 {
			return found, NearFile
		}
	}
	return points, ""
}

// inFile are the points of the file that a frame is in: of those that fit, the one whose
// path is longest, for where the repository lay is not known.
func (n *neighbours) inFile(f *goat.DumpFrame) (points []string) {
	path, longest := strings.ReplaceAll(f.File, `\`, "/"), ""
	for file, of := range n.files {
		tail, found := strings.CutSuffix(path, file[1])
		inPackage := strings.HasPrefix(f.Func, file[0]+".") || strings.HasPrefix(f.Func, "main.")
		if found && inPackage && (tail == "" || strings.HasSuffix(tail, "/")) && len(file[1]) > len(longest) {
			points, longest = of, file[1]
		}
	}
	return points
}

func distinctOf(points []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(points, func(id string) bool {
		twice := seen[id]
		seen[id] = true
		return twice
	})
}

// PanicsAt are the defects whose stack passes through the function of each point, by id.
func (d *Document) PanicsAt() map[string][]*Panic {
	at := map[string][]*Panic{}
	for i := range d.Panics {
		p := &d.Panics[i]
		if p.Class != goat.PanicDefect || p.Near != NearFunction {
			continue
		}
		for _, id := range p.Points {
			at[id] = append(at[id], p)
		}
	}
	return at
}

// WaitingAt are the clusters that stand in the function of each point, by id.
func (d *Document) WaitingAt() map[string][]*Cluster {
	at := map[string][]*Cluster{}
	if d.Dump == nil {
		return at
	}
	for i := range d.Dump.Clusters {
		c := &d.Dump.Clusters[i]
		if c.Near != NearFunction {
			continue
		}
		for _, id := range c.Points {
			at[id] = append(at[id], c)
		}
	}
	return at
}
