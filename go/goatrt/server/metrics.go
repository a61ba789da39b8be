//go:build go1.21

package server

import (
	"net/http"
	"strconv"
	"strings"

	goatrt "github.com/goat-trace/goat/go/goatrt"
)

// maxPointMetrics caps goat_track_point_hit: one series per point and process
// is a lot for a Prometheus server.
const maxPointMetrics = 5000

// exposition writes the Prometheus text format.
type exposition struct {
	w   http.ResponseWriter
	buf []byte
}

// label is one name and value.
type label struct{ name, value string }

// metrics answers a scrape.
func (h *handler) metrics(w http.ResponseWriter, r *http.Request) {
	e := expose(w)
	states := statesOf(h.shown())
	e.identity(states)
	e.coverage(states, isOn(r.URL.Query().Get("legacy")))
	e.times(states)
	if h.pointMetrics {
		e.points(states)
	}
	for _, more := range goatrt.Extensions() {
		if more.Metrics != nil {
			e.buf = more.Metrics(e.buf)
		}
	}
	_, _ = w.Write(e.buf)
}

// expose starts an answer in the text format.
func expose(w http.ResponseWriter) *exposition {
	plain(w, "text/plain; version=0.0.4; charset=utf-8")
	return &exposition{w: w, buf: make([]byte, 0, chunk+1024)}
}

// shown are the components that GOAT_CURRENT_COMPONENT asks for. What names none is no
// reason to answer a scrape with nothing.
func (h *handler) shown() []*goatrt.Component {
	all := goatrt.Components()
	if h.current != "" {
		if chosen, unknown := selection(all, h.current); unknown == "" && len(chosen) > 0 {
			return chosen
		}
	}
	return all
}

// metricsPoints answers a scrape of single points. It has a path of its own, because a
// scrape beyond the server's sample_limit fails as a whole and must not take the totals
// with it.
func (h *handler) metricsPoints(w http.ResponseWriter, _ *http.Request) {
	e := expose(w)
	states := statesOf(h.shown())
	e.family("goat_track_point_info", "A code point of the change.")
	eachPoint(states, func(s *state, it *item) {
		p := it.point
		e.sample("goat_track_point_info", 1, s.label(), label{"point", p.ID}, label{"package", p.Package}, label{"file", p.File},
			label{"line", strconv.Itoa(p.Line)}, label{"func", p.Func}, label{"kind", p.Kind})
	})
	e.family("goat_track_point_phase", "How far a code point got: 0 it did not run, 1 in init, 2 in startup, 3 in traffic.")
	eachPoint(states, func(s *state, it *item) {
		rank := 0
		switch {
		case it.hit.Traffic > 0:
			rank = 3
		case it.hit.Startup > 0:
			rank = 2
		case it.hit.Init > 0:
			rank = 1
		}
		e.sample("goat_track_point_phase", float64(rank), s.label(), label{"point", it.point.ID})
	})
	_, _ = w.Write(e.buf)
}

// eachPoint names each point of each component once.
func eachPoint(states []state, do func(*state, *item)) {
	seen := map[[2]string]bool{}
	for i := range states {
		s := &states[i]
		for k := range s.items {
			if name := [2]string{s.component.Identity().Component, s.items[k].point.ID}; !seen[name] {
				seen[name] = true
				do(s, &s.items[k])
			}
		}
	}
}

// state is one component at the moment of the scrape.
type state struct {
	component *goatrt.Component
	items     []item
	hit       int
	name      string // of the state: another one where something has changed
	phases    [3]int // points that ran in init, startup, traffic
	last      int64
}

func statesOf(all []*goatrt.Component) []state {
	states := make([]state, len(all))
	for i, c := range all {
		s := state{component: c}
		s.items, s.hit, s.name = itemsOf(c)
		for k := range s.items {
			hit := &s.items[k].hit
			for n, first := range [...]int64{hit.Init, hit.Startup, hit.Traffic} {
				if first > 0 {
					s.phases[n]++
				}
			}
			s.last = max(s.last, hit.First, hit.Last)
		}
		states[i] = s
	}
	return states
}

func (s *state) label() label { return label{"component", s.component.Identity().Component} }

func (e *exposition) identity(states []state) {
	e.family("goat_build_info", "What the instrumented binary was built from.")
	for i := range states {
		id := states[i].component.Identity()
		e.sample("goat_build_info", 1, label{"app", id.App}, states[i].label(), label{"version", id.Version},
			label{"base", id.Base}, label{"granularity", id.Granularity}, label{"mode", id.Mode}, label{"lane", id.Lane},
			label{"module", id.Module}, label{"plan", id.Plan})
	}
}

func (e *exposition) coverage(states []state, legacy bool) {
	e.family("goat_track_points", "Code points of the change in the binary.")
	for i := range states {
		e.sample("goat_track_points", float64(len(states[i].items)), states[i].label())
	}
	e.family("goat_track_points_hit", "Code points of the change that ran.")
	for i := range states {
		e.sample("goat_track_points_hit", float64(states[i].hit), states[i].label())
	}
	e.family("goat_track_points_first_hit", "Code points of the change that ran in a phase.")
	for i := range states {
		for n, phase := range [...]string{"init", "startup", "traffic"} {
			e.sample("goat_track_points_first_hit", float64(states[i].phases[n]), states[i].label(), label{"phase", phase})
		}
	}
	e.family("goat_track_degraded_packages", "Packages of the change that could not be instrumented.")
	for i := range states {
		e.sample("goat_track_degraded_packages", float64(len(states[i].component.Degraded())), states[i].label())
	}
	if legacy {
		e.legacy(states)
	} else {
		e.ratio(states)
	}
}

// ratio leaves out components without points: a judge must decide about these.
func (e *exposition) ratio(states []state) {
	const name = "goat_track_coverage_ratio"
	open := false
	for i := range states {
		if total := len(states[i].items); total > 0 {
			if !open {
				e.family(name, "Part of the change's code points that ran, 0 to 1.")
				open = true
			}
			e.sample(name, float64(states[i].hit)/float64(total), states[i].label())
		}
	}
}

// legacy writes upstream's three families, with upstream's labels and scale.
func (e *exposition) legacy(states []state) {
	families := [...]struct {
		name, help string
		value      func(*state) float64
	}{
		{"goat_track_total", "Goat track total", func(s *state) float64 { return float64(len(s.items)) }},
		{"goat_track_covered", "Goat track covered", func(s *state) float64 { return float64(s.hit) }},
		{"goat_track_coverage_ratio", "Goat track coverage ratio", func(s *state) float64 { return float64(percent(s.hit, len(s.items))) }},
	}
	for _, f := range families {
		e.family(f.name, f.help)
		for i := range states {
			id := states[i].component.Identity()
			e.sample(f.name, f.value(&states[i]), label{"app", id.App}, label{"version", id.Version}, states[i].label())
		}
	}
}

func (e *exposition) times(states []state) {
	if len(states) == 0 {
		return
	}
	started, last := states[0].component.Started(), int64(0)
	for i := range states {
		if states[i].last > last {
			last = states[i].last
		}
	}
	e.family("goat_track_start_time_seconds", "When tracking began, in seconds since 1970.")
	e.sample("goat_track_start_time_seconds", float64(started)/1e6)
	if last > 0 {
		e.family("goat_track_last_hit_timestamp_seconds", "When a code point last ran, to one window, in seconds since 1970; where windows are off, when one last ran for the first time.")
		e.sample("goat_track_last_hit_timestamp_seconds", float64(last)/1e6)
	}
}

func (e *exposition) points(states []state) {
	const name = "goat_track_point_hit"
	dropped := 0
	seen := map[string]bool{} // a plugin may share a package with its host
	e.family(name, "Whether a code point ran.")
	for i := range states {
		for k := range states[i].items {
			p, hit := states[i].items[k].point, 0.0
			if seen[p.ID] {
				continue
			}
			if len(seen) == maxPointMetrics {
				dropped++
				continue
			}
			seen[p.ID] = true
			if states[i].items[k].hit.Count > 0 {
				hit = 1
			}
			e.sample(name, hit, label{"point", p.ID}, label{"file", p.File}, label{"line", strconv.Itoa(p.Line)}, label{"func", p.Func})
		}
	}
	e.family("goat_track_point_metrics_dropped", "Code points without a goat_track_point_hit, because there are too many.")
	e.sample("goat_track_point_metrics_dropped", float64(dropped))
}

func (e *exposition) family(name, help string) {
	e.buf = append(e.buf, "# HELP "+name+" "+help+"\n# TYPE "+name+" gauge\n"...)
}

func (e *exposition) sample(name string, value float64, labels ...label) {
	e.buf = append(e.buf, name...)
	for i, l := range labels {
		e.buf = append(e.buf, "{,"[min(i, 1)])
		e.buf = append(append(append(e.buf, l.name...), `="`...), escaper.Replace(strings.ToValidUTF8(l.value, "\ufffd"))...)
		e.buf = append(e.buf, '"')
	}
	if len(labels) > 0 {
		e.buf = append(e.buf, '}')
	}
	e.buf = append(strconv.AppendFloat(append(e.buf, ' '), value, 'f', -1, 64), '\n')
	if len(e.buf) > chunk {
		_, _ = e.w.Write(e.buf)
		e.buf = e.buf[:0]
	}
}

// escaper quotes a label's value.
var escaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
