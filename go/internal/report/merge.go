package report

import (
	"context"
	"sort"
	"time"

	"github.com/goat-trace/goat/go"
)

// Make reads the sources and joins them.
func Make(ctx context.Context, request Request) (*Document, error) {
	var named *account
	if request.Plan != "" {
		var err error
		if named, err = openPlan(request.Plan); err != nil {
			return nil, err
		}
	}
	observations := gather(ctx, &request)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m := &merger{observations: observations, document: &Document{Format: Format}}
	m.choose(named)
	m.join()
	m.account(named, &request)
	m.finish()
	return m.document, nil
}

// merger builds one document out of the observations.
type merger struct {
	observations []observation
	document     *Document
	// hash is the plan that counts; "" accepts every plan's points.
	hash string
	// known are the ids of that plan, as far as programs or the plan itself show them.
	known map[string]bool
	order map[string]int
}

// choose settles which plan counts: the named one, else that of the newest process.
func (m *merger) choose(named *account) {
	m.known, m.order = map[string]bool{}, map[string]int{}
	var newest *observation
	for i := range m.observations {
		o := &m.observations[i]
		if o.reachable && (newest == nil || o.started.After(newest.started)) &&
			(named == nil || o.identity.PlanHash == named.hash) {
			newest = o
		}
	}
	if newest != nil {
		m.document.Identity, m.hash = newest.identity, newest.identity.PlanHash
	}
	if named != nil {
		m.hash = named.hash
		named.identify(&m.document.Identity)
		m.knowPlan(named)
		return
	}
	for i := range m.observations {
		if m.observations[i].identity.PlanHash == m.hash {
			for j := range m.observations[i].points {
				m.known[m.observations[i].points[j].point.ID] = true
			}
		}
	}
}

func (m *merger) knowPlan(a *account) {
	for i := range a.plan.Points {
		m.known[a.plan.Points[i].ID] = true
		m.order[a.plan.Points[i].ID] = i
	}
}

// tally is one point over all processes.
type tally struct {
	point   Point
	holders map[string]bool
	hitters map[string]bool
}

// join takes the union over all processes, by point id. A process that is seen twice,
// live and in its spool, counts once.
func (m *merger) join() {
	tallies := map[string]*tally{}
	var ids []string
	dropped := map[string]bool{}
	degraded := map[string]bool{}
	for i := range m.observations {
		o := &m.observations[i]
		for _, name := range o.degraded {
			degraded[name] = true
		}
		for j := range o.points {
			id := o.points[j].point.ID
			if !m.known[id] {
				dropped[id] = true
				continue
			}
			if tallies[id] == nil {
				tallies[id] = &tally{holders: map[string]bool{}, hitters: map[string]bool{}}
				ids = append(ids, id)
			}
			tallies[id].add(o, &o.points[j], m.hash)
		}
	}
	m.document.Dropped = len(dropped)
	m.document.Degraded = sorted(degraded)
	for _, id := range ids {
		t := tallies[id]
		t.point.HitInstances, t.point.Instances = len(t.hitters), len(t.holders)
		m.document.Points = append(m.document.Points, t.point)
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

// process names a process across its sources.
func (o *observation) process() string {
	if o.instance != "" {
		return o.instance
	}
	return o.source
}

// rank orders the phases by what they prove about traffic.
func rank(phase string) int {
	switch phase {
	case "traffic":
		return 3
	case "startup":
		return 2
	case "init":
		return 1
	}
	return 0
}

func (t *tally) add(o *observation, s *seen, hash string) {
	if t.point.ID == "" || o.identity.PlanHash == hash && t.point.Start.Column == 0 {
		kept := t.point
		t.point.Point = s.point
		t.point.Hit, t.point.Count, t.point.FirstHit, t.point.Phase = kept.Hit, kept.Count, kept.FirstHit, kept.Phase
	}
	twice := t.holders[o.process()]
	t.holders[o.process()] = true
	if s.point.Form == goat.FormCount {
		t.count(s.count, twice)
	}
	if !s.hit {
		return
	}
	t.hitters[o.process()] = true
	t.point.Hit = true
	before := 0
	if t.point.Phase != nil {
		before = rank(*t.point.Phase)
	}
	switch now := rank(s.phase); {
	case now > before:
		phase := s.phase
		t.point.Phase, t.point.FirstHit = &phase, moment(s.first)
	case now == before && !s.first.IsZero() && (t.point.FirstHit == nil || s.first.Before(*t.point.FirstHit)):
		t.point.FirstHit = moment(s.first)
	}
}

// count adds up over processes; of one process seen twice the larger number is the newer.
func (t *tally) count(hits uint64, twice bool) {
	total := uint64(0)
	if t.point.Count != nil {
		total = *t.point.Count
	}
	if twice {
		total = max(total, hits)
	} else if total += hits; total < hits {
		total = ^uint64(0)
	}
	t.point.Count = &total
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// finish orders the points and sums up.
func (m *merger) finish() {
	d := m.document
	sort.SliceStable(d.Points, func(i, j int) bool { return m.before(&d.Points[i].Point, &d.Points[j].Point) })
	for i := range m.observations {
		d.Instances = append(d.Instances, m.observations[i].instanceOf())
		if m.observations[i].err != nil {
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
}

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
	if !p.Hit {
		return
	}
	s.Hit++
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

func (o *observation) instanceOf() Instance {
	i := Instance{
		Source: o.source, Instance: o.instance, Component: o.component, PlanHash: o.identity.PlanHash,
		Mode: o.mode, Host: o.host, Started: moment(o.started), State: o.state,
		Reachable: o.reachable, Points: len(o.points),
	}
	for j := range o.points {
		if o.points[j].hit {
			i.Hit++
		}
	}
	if o.err != nil {
		text := o.err.Error()
		i.Error = &text
	}
	return i
}
