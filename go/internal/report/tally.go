package report

import (
	"math/bits"
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
	holders, hitters numbers
	phase            string
	firsts           [len(phases)]Micros
	first, last      Micros
}

// numbers is a set of processes by number.
type numbers []uint64

func (s numbers) has(n int) bool { return n/64 < len(s) && s[n/64]&(1<<(n%64)) != 0 }

func (s *numbers) add(n int) {
	for n/64 >= len(*s) {
		*s = append(*s, 0)
	}
	(*s)[n/64] |= 1 << (n % 64)
}

func (s numbers) len() (n int) {
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n
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

func newTally() *tally { return &tally{lanes: map[string]*evidence{}} }

// add takes in what the process of this number says.
func (t *tally) add(process int, o *Observation, s *Seen, hash string) {
	if t.point.ID == "" || o.Identity.PlanHash == hash && t.point.Start.Column == 0 {
		t.point.Point = *s.Point
	}
	if s.Point.Form == goat.FormCount {
		t.count(s.Count, t.all.holders.has(process))
	}
	lane := t.lanes[o.Lane]
	if lane == nil {
		lane = &evidence{}
		t.lanes[o.Lane] = lane
	}
	t.all.add(process, s)
	lane.add(process, s)
}

func (e *evidence) add(process int, s *Seen) {
	e.holders.add(process)
	if s.Hit {
		e.hitters.add(process)
	}
	if Rank(s.Phase) > Rank(e.phase) {
		e.phase = s.Phase
	}
	e.first = earlier(e.first, s.First)
	for i, first := range s.Firsts {
		e.firsts[i] = earlier(e.firsts[i], first)
	}
	e.last = max(e.last, s.Last)
}

// earlier is the earlier of two moments, where zero is none.
func earlier(a, b Micros) Micros {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// result is the point with all that is known about it.
func (t *tally) result() Point {
	p, e := t.point, &t.all
	p.Hit, p.Phase = e.hitters.len() > 0, phaseOrNil(e.phase)
	p.FirstHit, p.FirstTraffic, p.LastHit = e.first.time(), e.firsts[2].time(), e.last.time()
	p.HitInstances, p.Instances = e.hitters.len(), e.holders.len()
	if p.Hit || p.Phase != nil {
		p.Phases = &FirstHits{Init: e.firsts[0].time(), Startup: e.firsts[1].time(), Traffic: e.firsts[2].time()}
	}
	for name, lane := range t.lanes {
		p.Lanes = append(p.Lanes, LaneHits{
			Lane: name, Phase: phaseOrNil(lane.phase), FirstHit: lane.first.time(), FirstTraffic: lane.firsts[2].time(),
			LastHit: lane.last.time(), HitInstances: lane.hitters.len(), Instances: lane.holders.len(),
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
