package report

import (
	"bytes"
	"cmp"
	"fmt"
	"sort"
	"strconv"

	"github.com/goat-trace/goat/go"
)

// Question is what a report shall answer.
type Question struct {
	// Plan is the plan that counts; nil for that of the newest process.
	Plan *Account
	// Find looks for the plan with this hash, where none was named.
	Find func(hash string) (*Account, error)
	// Counting says what counts as run; its zero value is any hit.
	Counting Counting
	// Subtract is a report whose hits do not count; nil for none.
	Subtract *Document
}

// Join makes one document of what the sources say. It takes the observations over.
func Join(observations []Observation, q Question) *Document {
	m := &merger{observations: observations, document: &Document{Format: Format}}
	m.count(&q)
	m.choose(q.Plan)
	m.join()
	m.account(q.Plan, q.Find)
	m.finish()
	return m.document
}

// merger builds one document out of the observations.
type merger struct {
	observations []Observation
	document     *Document
	// hash is the plan that counts; "" accepts every plan's points.
	hash string
	// known are the ids of that plan, as far as programs or the plan itself show them.
	known map[string]bool
	order map[string]int
	// names are the programs' own for their points.
	names map[string]string
}

// choose settles which plan counts: the named one, else that of the newest process.
func (m *merger) choose(named *Account) {
	m.known, m.order, m.names = map[string]bool{}, map[string]int{}, map[string]string{}
	var newest *Observation
	for i := range m.observations {
		o := &m.observations[i]
		if o.Reachable && (newest == nil || o.Started.After(newest.Started)) &&
			(named == nil || o.Identity.PlanHash == named.Hash) {
			newest = o
		}
	}
	if newest != nil {
		m.document.Identity, m.hash = newest.Identity, newest.Identity.PlanHash
	}
	if named != nil {
		m.hash = named.Hash
		named.identify(&m.document.Identity)
	}
	m.refuseStrangers()
	if named != nil {
		m.knowPlan(named)
		return
	}
	for i := range m.observations {
		if m.observations[i].Identity.PlanHash == m.hash {
			for j := range m.observations[i].Points {
				m.known[m.observations[i].Points[j].Point.ID] = true
			}
		}
	}
}

// refuseStrangers takes nothing from programs of another module: not one of their points
// can be among those that count.
func (m *merger) refuseStrangers() {
	id := &m.document.Identity
	for i := range m.observations {
		o := &m.observations[i]
		if o.Identity.PlanHash == m.hash || o.Identity.Module == "" || id.Module == "" || o.Identity.Module == id.Module {
			continue
		}
		o.Err = fmt.Errorf("of module %s, and the report is about %s", o.Identity.Module, id.Module)
		o.Reachable, o.Points, o.Degraded = false, nil, nil
	}
}

func (m *merger) knowPlan(a *Account) {
	for i := range a.Plan.Points {
		m.known[a.Plan.Points[i].ID] = true
		m.order[a.Plan.Points[i].ID] = i
	}
}

// join takes the union over all processes, by point id. A process that is seen twice,
// live and in its spool, counts once.
func (m *merger) join() {
	tallies := map[string]*tally{}
	var ids []string
	dropped := map[string]bool{}
	degraded := map[string]bool{}
	processes := map[string]int{}
	for i := range m.observations {
		o := &m.observations[i]
		process, known := processes[o.process()]
		if !known {
			process = len(processes)
			processes[o.process()] = process
		}
		for _, name := range o.Degraded {
			degraded[name] = true
		}
		for j := range o.Points {
			id := o.Points[j].Point.ID
			if !m.known[id] {
				dropped[id] = true
				continue
			}
			t := tallies[id]
			if t == nil {
				t = newTally()
				tallies[id] = t
				ids = append(ids, id)
			}
			t.add(process, o, &o.Points[j], m.hash)
		}
	}
	m.document.Dropped = len(dropped)
	m.document.Degraded = sorted(degraded)
	for _, id := range ids {
		m.names[id] = tallies[id].point.Name
		m.document.Points = append(m.document.Points, tallies[id].result())
	}
}

func sorted(set map[string]bool) []string {
	var list []string
	for name := range set {
		list = append(list, name)
	}
	sort.Strings(list)
	return list
}

// finish orders the points and sums up.
func (m *merger) finish() {
	d := m.document
	sort.SliceStable(d.Points, func(i, j int) bool { return m.before(&d.Points[i].Point, &d.Points[j].Point) })
	index := make(map[string]int, len(d.Points))
	for i := range d.Points {
		index[d.Points[i].ID] = i
	}
	m.name()
	for i := range m.observations {
		d.Instances = append(d.Instances, m.observations[i].instanceOf(index))
		if m.observations[i].Err != nil {
			d.Summary.Failed++
		}
	}
	d.Summary.Sources = len(m.observations)
	for i := range d.Points {
		d.Summary.add(&d.Points[i])
	}
	if d.Summary.Points > 0 {
		ratio := float64(d.Summary.Hit) / float64(d.Summary.Points)
		d.Summary.Ratio = &ratio
	}
	for i := range d.Lines {
		d.Summary.Lines++
		if d.Lines[i].Reached == "all" {
			d.Summary.LinesReached++
		}
	}
	d.Summary.NotLinked = len(d.NotLinked)
	d.Lanes = d.splitLanes()
}

// name gives every point the name that its program has for it. Several programs may use
// a name for different points: then they are counted anew, in the document's order. What
// no program holds is counted behind them.
func (m *merger) name() {
	d := m.document
	taken := map[string]bool{}
	for i := range d.Points {
		taken[m.names[d.Points[i].ID]] = true
	}
	for i := range d.Points {
		p := &d.Points[i]
		if p.Name = m.names[p.ID]; len(taken) < len(d.Points) {
			p.Name = trackID(i)
		}
	}
	for i := range d.NotLinked {
		d.NotLinked[i].Name = trackID(len(d.Points) + i)
	}
}

func trackID(index int) string { return "TRACK_ID_" + strconv.Itoa(index+1) }

// before is the plan's order, else the order of places.
func (m *merger) before(a, b *goat.Point) bool {
	i, known := m.order[a.ID]
	j, alsoKnown := m.order[b.ID]
	switch {
	case known && alsoKnown:
		return i < j
	case a.File != b.File:
		return a.File < b.File
	case a.Start != b.Start:
		return a.Start.Line < b.Start.Line || a.Start.Line == b.Start.Line && a.Start.Column < b.Start.Column
	}
	return a.ID < b.ID
}

func (s *Summary) add(p *Point) {
	s.Points++
	if p.Hit {
		s.Hit++
	}
	if p.Phase == nil {
		return
	}
	switch *p.Phase {
	case "init":
		s.Phases.Init++
	case "startup":
		s.Phases.Startup++
	case "traffic":
		s.Phases.Traffic++
	}
}

// instanceOf is what the document says of a process; index knows the points' order.
func (o *Observation) instanceOf(index map[string]int) Instance {
	i := Instance{
		Source: o.Source, Instance: o.Instance, Component: o.Component, PlanHash: cmp.Or(o.Built, o.Identity.PlanHash),
		Mode: o.Mode, Host: o.Host, Image: o.Image, Started: moment(o.Started), State: o.State,
		Build: o.Build, Plain: o.Plain, Lane: o.Lane, Phase: o.Phase, Ended: o.Ended, Tests: o.Mode == "test",
		Reachable: o.Reachable, Points: len(o.Points),
	}
	if o.Reachable {
		i.Window = o.Window.String()
	}
	ran := bytes.Repeat([]byte{notHeld}, len(index))
	for j := range o.Points {
		s := &o.Points[j]
		if s.Hit {
			i.Hit++
		}
		if at, known := index[s.Point.ID]; known {
			ran[at] = s.letter()
		}
	}
	if o.Reachable {
		i.Ran = string(ran)
	}
	if o.Err != nil {
		text := o.Err.Error()
		i.Error = &text
	}
	return i
}
