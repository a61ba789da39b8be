package report

import (
	"slices"
	"time"
)

// Counting says what counts as run in a report. The phases and times of points stay as
// they are; what does not count is not Hit.
type Counting struct {
	// Phase is any, or traffic: then only hits in that phase count.
	Phase string `json:"phase"`
	// Since is set where only hits at or after a moment count, by the last hit.
	Since *time.Time `json:"since"`
	// SinceUnknown counts points that ran, but of which no process knows when last
	// (GOAT_WINDOW is off there), and first before Since: they do not count.
	SinceUnknown int `json:"sinceUnknown,omitempty"`
	// Lane is set where only processes of this lane were joined; StableLane is the one
	// without a name.
	Lane *string `json:"lane"`
	// Subtract names the report whose hits do not count, Subtracted how many they are.
	Subtract   string `json:"subtract,omitempty"`
	Subtracted int    `json:"subtracted,omitempty"`
}

// The values of Counting.Phase.
const (
	PhaseAny     = "any"
	PhaseTraffic = "traffic"
)

// letters are how Instance.Ran writes what a process shows of a point, from the least to
// the most: it does not hold it, did not run it, ran it in init, startup, traffic.
const letters = ".-ist"

const notHeld = '.'

// letter writes what a process shows of a point. A hit without a phase proves the least.
func (s *Seen) letter() byte {
	if !s.Hit && s.Phase == "" {
		return letters[1]
	}
	return letters[1+max(Rank(s.Phase), 1)]
}

// count settles what counts: it leaves out the processes of other lanes, and of each
// process the hits that do not count.
func (m *merger) count(q *Question) {
	c := q.Counting
	if c.Phase == "" {
		c.Phase = PhaseAny
	}
	if c.Lane != nil {
		m.observations = slices.DeleteFunc(m.observations, func(o Observation) bool {
			return o.Reachable && LaneName(o.Lane) != LaneName(*c.Lane)
		})
	}
	before := map[string]bool{}
	if q.Subtract != nil {
		for i := range q.Subtract.Points {
			before[q.Subtract.Points[i].ID] = q.Subtract.Points[i].Hit
		}
	}
	since := microsOf(c.Since)
	unknown, subtracted, hit := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range m.observations {
		for j := range m.observations[i].Points {
			s := &m.observations[i].Points[j]
			id := s.Point.ID
			switch {
			case !s.Hit:
			case before[id]:
				subtracted[id] = true
				s.clear()
			case c.Since != nil && !s.since(since):
				if s.Last == 0 {
					unknown[id] = true
				}
				s.clear()
			default:
				if c.Since != nil {
					hit[id] = true
				}
				s.Hit = c.Phase != PhaseTraffic || s.Phase == PhaseTraffic
			}
		}
	}
	for id := range unknown {
		if !hit[id] {
			c.SinceUnknown++
		}
	}
	c.Subtracted = len(subtracted)
	m.document.Counting = c
}

// clear makes it a point that did not run.
func (s *Seen) clear() { *s = Seen{Point: s.Point, Count: s.Count} }

// since says whether the point was surely hit at or after a moment.
func (s *Seen) since(moment Micros) bool {
	if s.Last != 0 {
		return s.Last >= moment
	}
	return max(s.First, s.Firsts[0], s.Firsts[1], s.Firsts[2]) >= moment
}

// counts says whether a letter of Instance.Ran is a hit by the report's counting.
func (d *Document) counts(letter byte) bool {
	if d.Counting.Phase == PhaseTraffic {
		return letter == 't'
	}
	return letter == 'i' || letter == 's' || letter == 't'
}
