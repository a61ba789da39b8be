package report

import (
	"sort"
	"time"

	"github.com/goat-trace/goat/go"
)

// tally is one point over all processes, and over those of each lane.
type tally struct {
	point Point
	all   evidence
	lanes map[string]*evidence
}

// evidence is what some processes say about a point.
type evidence struct {
	holders, hitters map[string]bool
	phase            string
	firsts           [len(phases)]time.Time
	first, last      time.Time
}

// phases are those of a process, from the one that proves least to the one that proves most.
var phases = [...]string{"init", "startup", "traffic"}

// Rank orders the phases by what they prove about traffic; 0 is none.
func Rank(phase string) int {
	for i, name := range phases {
		if name == phase {
			return i + 1
		}
	}
	return 0
}

func newTally() *tally { return &tally{all: newEvidence(), lanes: map[string]*evidence{}} }

func newEvidence() evidence {
	return evidence{holders: map[string]bool{}, hitters: map[string]bool{}}
}

// add takes in what one process says.
func (t *tally) add(o *Observation, s *Seen, hash string) {
	if t.point.ID == "" || o.Identity.PlanHash == hash && t.point.Start.Column == 0 {
		t.point.Point = s.Point
	}
	if s.Point.Form == goat.FormCount {
		t.count(s.Count, t.all.holders[o.process()])
	}
	if t.lanes[o.Lane] == nil {
		e := newEvidence()
		t.lanes[o.Lane] = &e
	}
	t.all.add(o.process(), s)
	t.lanes[o.Lane].add(o.process(), s)
}

func (e *evidence) add(process string, s *Seen) {
	e.holders[process] = true
	if s.Hit {
		e.hitters[process] = true
	}
	if Rank(s.Phase) > Rank(e.phase) {
		e.phase = s.Phase
	}
	e.first = earlier(e.first, s.First)
	for i, first := range s.Firsts {
		e.firsts[i] = earlier(e.firsts[i], first)
	}
	if s.Last.After(e.last) {
		e.last = s.Last
	}
}

// earlier is the earlier of two moments, where zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// result is the point with all that is known about it.
func (t *tally) result() Point {
	p, e := t.point, &t.all
	p.Hit, p.Phase = len(e.hitters) > 0, phaseOrNil(e.phase)
	p.FirstHit, p.FirstTraffic, p.LastHit = moment(e.first), moment(e.firsts[2]), moment(e.last)
	p.HitInstances, p.Instances = len(e.hitters), len(e.holders)
	if p.Hit || p.Phase != nil {
		p.Phases = &FirstHits{Init: moment(e.firsts[0]), Startup: moment(e.firsts[1]), Traffic: moment(e.firsts[2])}
	}
	for name, lane := range t.lanes {
		p.Lanes = append(p.Lanes, LaneHits{
			Lane: name, Phase: phaseOrNil(lane.phase), FirstHit: moment(lane.first), FirstTraffic: moment(lane.firsts[2]),
			LastHit: moment(lane.last), HitInstances: len(lane.hitters), Instances: len(lane.holders),
		})
	}
	sort.Slice(p.Lanes, func(i, j int) bool { return p.Lanes[i].Lane < p.Lanes[j].Lane })
	return p
}

func phaseOrNil(phase string) *string {
	if phase == "" {
		return nil
	}
	return &phase
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
