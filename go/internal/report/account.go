package report

import (
	"slices"

	"github.com/goat-trace/goat/go"
)

// Account is a plan with its hash and its account of changed lines.
type Account struct {
	Hash string
	Plan goat.Result
	// App and Version name the program; "" where the plan does not.
	App, Version string
}

// identify fills in what the plan knows of the identity.
func (a *Account) identify(id *Identity) {
	p := &a.Plan
	id.PlanHash, id.Module = a.Hash, p.Module
	id.Base = Ref{p.Base.Ref, p.Base.Commit}
	id.Release = Ref{p.Release.Ref, p.Release.Commit}
	id.Dirty, id.ContentHash = p.Release.Dirty, p.Release.ContentHash
	id.Granularity, id.Precision = string(p.Granularity), int(p.Precision)
	if a.App != "" {
		id.App, id.Version = a.App, a.Version
	}
}

// account holds the points against the plan: which lines were reached, and which
// points no program holds.
func (m *merger) account(named *Account, find func(hash string) (*Account, error)) {
	a := named
	if a == nil {
		var err error
		if a, err = find(m.hash); err != nil {
			m.document.LinesMissing = err.Error()
			return
		}
		a.identify(&m.document.Identity)
		m.knowPlan(a)
	}
	m.takePlanPoints(a)
	m.changes(a)
}

// takePlanPoints gives the points the plan's own fields (a live process does not tell
// columns) and collects those that no program holds: a program's table has the points of
// functions, too, that its linker left out. What was hit is there, whatever the plan says.
func (m *merger) takePlanPoints(a *Account) {
	held, removed := m.document.byID(), map[string]bool{}
	for i := range a.Plan.Points {
		planned := &a.Plan.Points[i]
		p := held[planned.ID]
		if p != nil {
			p.Point = *planned
		}
		if p == nil || planned.LinkRemoved && p.Phase == nil && !p.Hit {
			removed[planned.ID] = true
			m.document.NotLinked = append(m.document.NotLinked, *planned)
		}
	}
	m.document.Points = slices.DeleteFunc(m.document.Points, func(p Point) bool { return removed[p.ID] })
}

// byID finds the points that the programs hold.
func (d *Document) byID() map[string]*Point {
	held := make(map[string]*Point, len(d.Points))
	for i := range d.Points {
		held[d.Points[i].ID] = &d.Points[i]
	}
	return held
}

// degradedPoints are the points of packages that were built without them.
func (m *merger) degradedPoints(a *Account) map[string]bool {
	ids := map[string]bool{}
	for i := range a.Plan.Points {
		if slices.Contains(m.document.Degraded, a.Plan.Points[i].Package) {
			ids[a.Plan.Points[i].ID] = true
		}
	}
	return ids
}
