package report

import (
	"cmp"
	"slices"
)

// Shown says what of a report somebody wanted to see. The summary is always the whole's.
type Shown struct {
	// NotHit leaves out the points that ran, and the lines of which all points ran.
	NotHit bool `json:"notHit,omitempty"`
	// By is the key of Groups; "" for none.
	By     By      `json:"by,omitempty"`
	Groups []Group `json:"groups,omitempty"`
	// Top bounds the groups, or without By the points, to those with the least evidence; 0
	// is no bound. Cut counts what it left out.
	Top int `json:"top,omitempty"`
	Cut int `json:"cut,omitempty"`
}

// partial says that points are missing.
func (s *Shown) partial() bool { return s != nil && (s.NotHit || s.Top > 0 && s.By == "") }

// Show is the document with the sums by a key, and without what nobody wants to see. It
// is the document itself where nothing was asked for.
func (d *Document) Show(notHit bool, by By, top int) *Document {
	if !notHit && by == "" && top == 0 {
		return d
	}
	shown := *d
	s := &Shown{NotHit: notHit, By: by, Top: top}
	shown.Shown = s
	if by != "" {
		s.Groups = d.GroupBy(by)
	}
	if notHit {
		s.Groups = slices.DeleteFunc(s.Groups, func(g Group) bool { return g.Unhit() == 0 })
		shown.dropHit()
	}
	switch {
	case top > 0 && by != "":
		s.Groups, s.Cut = first(s.Groups, top)
	case top > 0:
		shown.Points, s.Cut = first(shown.Ordered(), top)
	}
	if s.partial() {
		shown.Instances = slices.Clone(d.Instances)
		for i := range shown.Instances {
			shown.Instances[i].Ran = ""
		}
	}
	return &shown
}

func first[T any](list []T, top int) (kept []T, cut int) {
	kept = list[:min(top, len(list))]
	return kept, len(list) - len(kept)
}

// dropHit leaves out the points that ran and the lines that they vouch for alone.
func (d *Document) dropHit() {
	held := d.byID()
	d.Points = slices.DeleteFunc(slices.Clone(d.Points), func(p Point) bool { return p.Hit })
	unhit := func(id string) bool { return held[id] != nil && !held[id].Hit }
	if d.Lines != nil {
		d.Lines = slices.DeleteFunc(slices.Clone(d.Lines), func(l Line) bool { return l.Reached == "all" })
		d.Account = slices.DeleteFunc(slices.Clone(d.Account), func(c Change) bool {
			return !slices.ContainsFunc(c.Points, unhit) && c.Reason != ReasonDegraded
		})
	}
}

// Ordered are the points as people want to read them: those that did not run first, then
// by phase from the one that proves least, each in the plan's order.
func (d *Document) Ordered() []Point {
	points := slices.Clone(d.Points)
	slices.SortStableFunc(points, func(a, b Point) int { return cmp.Compare(a.proof(), b.proof()) })
	return points
}

// proof is 0 for a point that does not count as run, and does not say so by a phase.
func (p *Point) proof() int {
	switch {
	case !p.ran():
		return 0
	case !p.Hit:
		return 1
	}
	return 1 + p.phaseRank()
}
