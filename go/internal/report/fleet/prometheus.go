package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/prom"
	"github.com/goat-trace/goat/go/internal/report"
	"github.com/goat-trace/goat/go/internal/report/source"
)

// Prometheus reads what a Prometheus server has scraped from instrumented programs: the
// union over all of them, those that have died within the range too. The totals and the
// single points may come from two scrape jobs; the label instance joins them.
type Prometheus struct {
	Client prom.Client
	// Match are label matchers, as in app="shop",env=~"prod.*"; "" takes all.
	Match string
	// At is the moment that is asked about; zero is now.
	At time.Time
	// Range is how far back scrapes count; 0 asks for what stands at the moment.
	Range time.Duration
}

// target is one process, as far as scrapes can tell.
type target struct{ instance, component string }

// Read asks for everything at one moment. A server that cannot be read is an observation
// with an error; a question that it cannot answer is an error, because no repetition
// mends it.
func (p *Prometheus) Read(ctx context.Context, _ *source.Request) ([]report.Observation, error) {
	if p.At.IsZero() {
		// One instant for all queries, or the picture would be of several.
		p.At = time.Now()
	}
	if strings.ContainsAny(p.Match, "{}") {
		return nil, badMatch(errors.New("label matchers stand without braces"))
	}
	s := &scrape{p: p, ctx: ctx, targets: map[target]*report.Observation{}}
	for _, step := range []func() error{s.builds, s.points, s.phases, s.degraded, s.panics} {
		var failure *prom.Error
		switch err := step(); {
		case err == nil:
			continue
		case errors.As(err, &failure) && failure.Kind == prom.BadQuery:
			return nil, badMatch(failure)
		case ctx.Err() != nil:
			return nil, ctx.Err()
		default:
			return []report.Observation{{Source: p.name(), Err: err}}, nil
		}
	}
	return s.result(), nil
}

func badMatch(err error) error {
	return &goat.Error{
		Code: goat.CodeUsage, Message: "--match: " + err.Error(),
		Hint: `use label matchers as PromQL has them: --match 'app="shop",env=~"prod.*"'`,
	}
}

// name is the source's name in the report: the address without what is secret in it.
func (p *Prometheus) name() string {
	if at := strings.LastIndex(p.Client.URL, "@"); at >= 0 {
		if scheme, _, ok := strings.Cut(p.Client.URL, "://"); ok {
			return scheme + "://" + p.Client.URL[at+1:]
		}
	}
	return p.Client.URL
}

// scrape collects the observations of one Read.
type scrape struct {
	p        *Prometheus
	ctx      context.Context
	targets  map[target]*report.Observation
	known    map[string]*goat.Point // by point id
	warnings []string
	asked    []string
}

// metric is the selector of a metric, over the range if there is one.
func (p *Prometheus) metric(function, name string) string {
	selector := name + "{" + p.Match + "}"
	if p.Range <= 0 {
		return selector
	}
	return fmt.Sprintf("%s(%s[%ds])", function, selector, p.seconds())
}

// seconds is the range as PromQL has it; part of a second counts as a whole one.
func (p *Prometheus) seconds() int { return int(math.Ceil(p.Range.Seconds())) }

func (s *scrape) ask(query string) ([]prom.Sample, error) {
	answer, err := s.p.Client.Query(s.ctx, query, s.p.At)
	s.asked = append(s.asked, query)
	if err != nil {
		return nil, err
	}
	s.warnings = append(s.warnings, answer.Warnings...)
	return answer.Samples, nil
}

func targetOf(sample *prom.Sample) target {
	return target{sample.Labels["instance"], sample.Labels["component"]}
}

// builds learns which processes there are and what they were built from. A process that
// was replaced by another at the same address is the newer one: its points have ids of
// their content, so what the older one hit still counts where the code is the same.
func (s *scrape) builds() error {
	newest := map[target]time.Time{}
	samples, err := s.ask(s.p.metric("last_over_time", "goat_build_info"))
	if err != nil {
		return err
	}
	seen, err := s.lastSeen()
	if err != nil {
		return err
	}
	started, err := s.startTimes()
	if err != nil {
		return err
	}
	for i := range samples {
		labels := samples[i].Labels
		t := targetOf(&samples[i])
		last := seen[fingerprint(labels)]
		if s.targets[t] != nil && last.Before(newest[t]) {
			continue
		}
		newest[t] = last
		o := &report.Observation{
			Source: s.p.name(), Instance: labels["instance"], Component: t.component, Mode: labels["mode"],
			Host: labels["instance"], Lane: labels["lane"], State: "ended", Started: started[t.instance], Reachable: true,
			Identity: report.Identity{
				App: labels["app"], Version: labels["version"], Module: labels["module"], PlanHash: labels["plan"],
				Base: report.Ref{Ref: labels["base"]}, Granularity: labels["granularity"],
			},
		}
		if p := s.p; p.Range <= 0 || last.After(p.At.Add(-staleness)) {
			o.State = "live"
		}
		s.targets[t] = o
	}
	return nil
}

// staleness is how long a Prometheus takes a sample for the present one.
const staleness = 5 * time.Minute

// lastSeen is when each build was scraped last, to the server's evaluation interval.
func (s *scrape) lastSeen() (map[string]time.Time, error) {
	query := "timestamp(goat_build_info{" + s.p.Match + "})"
	if s.p.Range > 0 {
		query = fmt.Sprintf("max_over_time(%s[%ds:])", query, s.p.seconds())
	}
	samples, err := s.ask(query)
	seen := map[string]time.Time{}
	for i := range samples {
		seen[fingerprint(samples[i].Labels)] = time.UnixMilli(int64(samples[i].Value * 1000))
	}
	return seen, err
}

// fingerprint names a series without its metric.
func fingerprint(labels map[string]string) string {
	var parts []string
	for name, value := range labels {
		if name != "__name__" {
			parts = append(parts, strconv.Quote(name)+strconv.Quote(value))
		}
	}
	sort.Strings(parts)
	return strings.Join(parts, ",")
}

func (s *scrape) startTimes() (map[string]time.Time, error) {
	samples, err := s.ask(s.p.metric("last_over_time", "goat_track_start_time_seconds"))
	started := map[string]time.Time{}
	for i := range samples {
		started[samples[i].Labels["instance"]] = time.UnixMicro(int64(samples[i].Value * 1e6))
	}
	return started, err
}

// points learns what the points are.
func (s *scrape) points() error {
	samples, err := s.ask(s.p.metric("last_over_time", "goat_track_point_info"))
	s.known = make(map[string]*goat.Point, len(samples))
	for i := range samples {
		l := samples[i].Labels
		line, _ := strconv.Atoi(l["line"])
		s.known[l["point"]] = &goat.Point{
			ID: l["point"], Kind: goat.Kind(l["kind"]), Package: l["package"], File: l["file"], Func: l["func"],
			Start: goat.Position{Line: line}, End: goat.Position{Line: line},
		}
	}
	return err
}

// phaseNames are the values of goat_track_point_phase.
var phaseNames = [...]string{"", "init", "startup", "traffic"}

// phases learns how far each point got in each process. A restart begins at 0 again; over
// a range, the most that was seen counts.
func (s *scrape) phases() error {
	samples, err := s.ask("max by (instance, component, point) (" + s.p.metric("max_over_time", "goat_track_point_phase") + ")")
	for i := range samples {
		id := samples[i].Labels["point"]
		point, known := s.known[id]
		rank := int(samples[i].Value)
		if !known || rank < 0 || rank >= len(phaseNames) {
			continue
		}
		o := s.targets[targetOf(&samples[i])]
		if o == nil {
			// Its totals were not scraped; its points were.
			t := targetOf(&samples[i])
			o = &report.Observation{Source: s.p.name(), Instance: t.instance, Component: t.component, Host: t.instance, State: "unknown", Reachable: true}
			s.targets[t] = o
		}
		o.Points = append(o.Points, report.Seen{Point: point, Hit: rank > 0, Phase: phaseNames[rank]})
	}
	return err
}

func (s *scrape) degraded() error {
	samples, err := s.ask(s.p.metric("last_over_time", "goat_track_degraded_packages") + " > 0")
	for i := range samples {
		if o := s.targets[targetOf(&samples[i])]; o != nil {
			// The metric counts them; their names stand in the process's /version.
			o.Degraded = append(o.Degraded, fmt.Sprintf("%d packages at %s", int(samples[i].Value), o.Instance))
		}
	}
	return err
}

// panics learns what processes that were built with --panics recorded, by root cause:
// how often, and the first place of the user's code. A counter begins again at a restart,
// so over a range the most that was seen counts.
func (s *scrape) panics() error {
	by := "sum by (instance, class, key, type, func, file, line)"
	samples, err := s.ask(by + " (" + s.p.metric("max_over_time", "goat_panics_total") + ")")
	if err != nil {
		return err
	}
	records, err := s.ask("sum by (instance) (" + s.p.metric("last_over_time", "goat_panics_lost_total") + ")")
	for _, o := range s.processes() {
		for i := range records {
			if records[i].Labels["instance"] == o.Instance {
				o.Panics = []goat.PanicEvent{}
			}
		}
		for i := range samples {
			if l := samples[i].Labels; l["instance"] == o.Instance && l["class"] == goat.PanicDefect {
				o.Panics = append(o.Panics, panicOf(&samples[i], o))
			}
		}
	}
	return err
}

// processes are the first component of each.
func (s *scrape) processes() []*report.Observation {
	first := map[string]*report.Observation{}
	for _, o := range s.targets {
		if known := first[o.Instance]; known == nil || o.Component < known.Component {
			first[o.Instance] = o
		}
	}
	return slices.Collect(maps.Values(first))
}

// panicOf is a series as the process would have it on record, of which only the place is
// known.
func panicOf(sample *prom.Sample, o *report.Observation) goat.PanicEvent {
	l := sample.Labels
	e := goat.PanicEvent{
		Source: o.Source, Instance: o.Instance, Lane: o.Lane, Type: l["type"], Recovered: "unknown",
		Count: uint64(max(sample.Value, 0)), Chain: []goat.PanicStep{},
	}
	if l["func"] != "" {
		line, _ := strconv.Atoi(l["line"])
		e.Frames = []goat.PanicFrame{{Func: l["func"], File: l["file"], Line: line}}
	}
	return e
}

// result orders the observations. No process at all, or one without its points, is data
// that is missing: the query shows what was looked for.
func (s *scrape) result() []report.Observation {
	if len(s.targets) == 0 {
		return []report.Observation{{
			Source: s.p.name(), Reachable: true,
			Err: fmt.Errorf("no instrumented program at %s: the answer to %s is empty", s.p.At.UTC().Format(time.RFC3339), s.asked[0]),
		}}
	}
	var all []report.Observation
	for _, o := range s.targets {
		if len(o.Points) == 0 && o.Err == nil {
			o.Err = fmt.Errorf("%s: its points are not scraped: add a job for /metrics/points (docs/fleet.md)", o.Instance)
		}
		all = append(all, *o)
	}
	sort.Slice(all, func(i, j int) bool {
		return all[i].Instance < all[j].Instance || all[i].Instance == all[j].Instance && all[i].Component < all[j].Component
	})
	if len(s.warnings) > 0 && all[0].Err == nil {
		all[0].Err = fmt.Errorf("the server warns: %s", strings.Join(s.warnings, "; "))
	}
	return all
}
