package checks_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/checks"
	"github.com/goat-trace/goat/go/internal/gate/checks/coverage"
	"github.com/goat-trace/goat/go/internal/gate/checks/dump"
	"github.com/goat-trace/goat/go/internal/gate/checks/panics"
	"github.com/goat-trace/goat/go/internal/gate/settings"
	"github.com/goat-trace/goat/go/internal/report"
)

// step is one threshold: a setting with which what there is just passes, and the next value
// with which it does not.
type step struct {
	key      string
	at, past string
	// with are the check's other settings.
	with string
}

// The world that the checks look at: see the functions below.
var steps = []step{
	{"coverage.points", "0.8", "0.81", ""},
	{"coverage.lines", "0.8", "0.81", "points: 0"},
	{"coverage.instances", "2", "3", "points: 0"},
	{"coverage.uptime", "1h", "1h0m0.000000001s", "points: 0"},
	{"coverage.allow[].until", "2026-12-31", "2026-12-30", "points: 0\n    allow: [{match: 'cart/**', why: rare}]"},

	{"route.expect.status", "200", "201", "url: $url/route\n    header: X-Gray\n    value: v2"},
	{"route.without.status", "200", "404", "url: $url/route\n    header: X-Gray\n    value: v2\n    expect: {header: {X-Version: v2}}"},
	// 3 of 100 is the least that a tenth explains with a certainty of 0.99.
	{"route.share", "0.1", "0.11", "url: $url/weighted\n    header: X-Gray\n    value: v2\n    probes: 100\n    expect: {header: {X-Version: v2}}"},
	{"route.confidence", "0.99", "0.98", "url: $url/weighted\n    header: X-Gray\n    value: v2\n    probes: 100\n    share: 0.1\n    expect: {header: {X-Version: v2}}"},

	{"health.expect.status", "200", "201", "url: $url/health"},
	// What is measured has no last value that passes.
	{"health.latency", "1h", "1ns", "url: $url/health\n    probes: 1"},

	{"slo.samples", "40", "41", slo("max: 1")},
	{"slo.age", "600s", "601s", slo("max: 1")},
	{"slo.rules[].max", "0.5", "0.49", slo("")},
	{"slo.rules[].min", "0.5", "0.51", slo("")},
	{"slo.rules[].maxRatio", "2", "1.99", slo("")},
	{"slo.rules[].minRatio", "2", "2.01", slo("")},

	{"topology.expect.min", "2", "3", instances},
	{"topology.expect.max", "2", "1", instances},
	{"topology.expect.spread", "2", "3", instances},

	{"metrics.growth", "2", "1.99", "canary: $url/canary\n    stable: $url/stable"},
	{"metrics.series", "120", "119", "canary: $url/canary\n    stable: $url/canary"},

	{"panics.new", "1", "0", "sources: [x]\n    ended: 9"},
	{"panics.times", "3", "2", "sources: [x]\n    ended: 9\n    new: 9"},
	{"panics.ended", "2", "1", "sources: [x]\n    new: 9"},
	{"panics.grown", "1", "0", "sources: [x]\n    baseline: [y]\n    ended: 9\n    new: 9"},
	{"panics.causes", "1", "0", "sources: [x]\n    ended: 9\n    new: 9"},
	{"panics.panics", "3", "2", "sources: [x]\n    ended: 9\n    new: 9"},

	{"dump.leaked", "2", "1", "sources: [x]\n    baseline: [y]\n    new: 9"},
	{"dump.new", "3", "2", "sources: [x]\n    baseline: [y]\n    leaked: 9"},
	{"dump.grown", "4", "3", "sources: [x]\n    baseline: [y]\n    leaked: 9\n    new: 9"},
	{"dump.goroutines", "10", "9", "sources: [x]\n    leaked: 9\n    new: 9"},
}

// elsewhere are thresholds whose step needs a real repository, cluster or program: the
// tests that take it, and what stands there.
var elsewhere = map[string]struct{ file, both string }{
	"topology.expect.restarts": {"topology/topology_test.go", "restarts: 3;restarts: 2"},
	"config.keys.max":          {"../../../e2e/testdata/script/check_config_keys.txtar", "keys.max 4;keys.max 3"},
	"compat.ignore[].until":    {"compat/compat_test.go", "end(2);end(1)"},
}

// noThresholds are numbers and times that say how it is looked, not what passes.
var noThresholds = map[string]string{
	"timeout":       "time for all checks: TestAHungCheckDelaysNoOther",
	"tryTimeout":    "time for one look: TestEachTryHasItsOwnTime",
	"retry":         "looks: TestRetries",
	"route.probes":  "how many requests",
	"health.probes": "how many requests",
	"slo.window":    "stands in the queries",
	"config.within": "how long it is waited for a reload",
	"config.quiet":  "how long it is waited for a reload that must not come",
}

const (
	canaryLabel, stableLabel = `version="v2"`, `version="v1"`
	instances                = "json: {url: $url/instances, instances: hosts, address: ip, zone: zone}"
)

func slo(rule string) string {
	return "prometheus: $url\n    canary: '" + canaryLabel + "'\n    stable: '" + stableLabel +
		"'\n    traffic: 'traffic{$canary}'\n    rules: [{name: r, query: 'value{$canary}', " + rule + "}]"
}

// A step beyond any threshold of any check, and it passes no more; and no threshold is
// without a row.
func TestOneStepBeyondAnyThreshold(t *testing.T) {
	rows := map[string]bool{}
	for _, s := range steps {
		rows[s.key] = true
		t.Run(s.key, func(t *testing.T) {
			server := httptest.NewServer(world())
			defer server.Close()
			for _, c := range []struct {
				value string
				pass  bool
			}{{s.at, true}, {s.past, false}} {
				d := judged(t, &s, c.value, server.URL)
				if (d.Verdict == gate.Pass) != c.pass || len(d.Checks) != 1 {
					t.Errorf("%s %s: %s: %+v", s.key, c.value, d.Verdict, d.Checks)
				}
				if !c.pass && d.Verdict == gate.Error {
					t.Errorf("%s %s: nothing was judged: %+v", s.key, c.value, d.Checks)
				}
			}
		})
	}
	for _, k := range settings.Keys(&checks.Settings{}) {
		key := strings.TrimPrefix(k.Path, settings.Root+".")
		if !slices.Contains([]string{"number", "int", "share", "duration", "date"}, k.Kind) || rows[key] || noThresholds[key] != "" {
			continue
		}
		there, known := elsewhere[key]
		if !known {
			t.Errorf("%s has no row: what passes at it, and not one step beyond?", key)
			continue
		}
		text, err := os.ReadFile(filepath.FromSlash(there.file))
		for _, part := range strings.Split(there.both, ";") {
			if err != nil || !strings.Contains(string(text), part) {
				t.Errorf("%s: no %q in %s %v", key, part, there.file, err)
			}
		}
	}
}

var now = time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC)

func judged(t *testing.T, s *step, value, url string) *gate.Document {
	t.Helper()
	check, _, _ := strings.Cut(s.key, ".")
	var file yaml.Node
	if s.with == "" {
		s.with = "{}"
	}
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(check+":\n    "+s.with, "$url", url)), &file); err != nil {
		t.Fatal(err)
	}
	path := settings.Root + "." + strings.ReplaceAll(s.key, "[]", ".0")
	given := []settings.Given{{Path: path, Text: value, From: "--" + path}, {Path: "check.retry", Text: "0", From: "--retry"}}
	var all checks.Settings
	root, err := settings.Override(file.Content[0], &all, given)
	if err != nil {
		t.Fatal(err)
	}
	if err := settings.Decode("goat.yaml", root, &all, &settings.Values{Getenv: func(string) string { return "" }}); err != nil {
		t.Fatal(err)
	}
	made, err := checks.Make([]string{check}, &all, tools())
	if err != nil {
		t.Fatal(err)
	}
	d, err := gate.Run(context.Background(), made, all.Options())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func tools() *checks.Tools {
	return &checks.Tools{
		Now:  func() time.Time { return now },
		Path: func(path string) string { return path },
		Report: func(*coverage.Settings) (func(context.Context) (*report.Document, error), []string, error) {
			return func(context.Context) (*report.Document, error) { return evidence(), nil }, []string{"x"}, nil
		},
		Panics: func(_ context.Context, sources []string, _ string) (*panics.Record, error) {
			return panicked(sources[0] == "y"), nil
		},
		Dump: func(context.Context, *dump.Settings) (*goat.DumpResult, string, error) {
			return goroutines(), "v1 to v2", nil
		},
	}
}

// evidence: 8 of 10 points and lines, two processes that are up for an hour.
func evidence() *report.Document {
	started, traffic := now.Add(-time.Hour), "traffic"
	d := &report.Document{Lines: []report.Line{}}
	d.Identity = report.Identity{App: "shop", PlanHash: "p1", Release: report.Ref{Commit: "abcdef0123"}}
	for i := range 2 {
		d.Instances = append(d.Instances, report.Instance{Source: "x", Instance: fmt.Sprint(i), PlanHash: "p1", Started: &started, State: "live", Phase: traffic, Reachable: true})
	}
	for i := range 10 {
		p := report.Point{Point: goat.Point{ID: fmt.Sprint(i), Kind: goat.KindChange, File: "cart/cart.go", Start: goat.Position{Line: 10 + i}}}
		line := report.Line{File: p.File, Line: 10 + i, Points: []string{p.ID}, Reached: "none"}
		if i < 8 {
			p.Hit, p.Phase, line.Reached = true, &traffic, "all"
			d.Summary.Hit++
			d.Summary.LinesReached++
		}
		d.Points, d.Lines = append(d.Points, p), append(d.Lines, line)
	}
	d.Summary.Points, d.Summary.Lines = 10, 10
	return d
}

// panicked: one cause in changed code, three times, which ended two processes; the baseline
// of grown has it twice.
func panicked(baseline bool) *panics.Record {
	p := goat.Panic{Key: "k", Kind: "panic", Class: "defect", Changed: true, Count: 3, Ended: 2, Place: &goat.DumpFrame{Func: "main.f"}}
	if baseline {
		p.Count = 2
	}
	return &panics.Record{Change: "v1 to v2", Recorded: []string{"x"}, PanicsResult: &goat.PanicsResult{Panics: []goat.Panic{p}}}
}

// goroutines: ten, two of them leaked, three new in changed code, a cluster grown by four.
func goroutines() *goat.DumpResult {
	d := &goat.DumpResult{Source: goat.DumpSummary{Goroutines: 10, Parsed: 10}}
	d.Clusters = []goat.DumpCluster{
		{ID: "a", Count: 2, Leaked: 2, Delta: &goat.DumpDelta{Kind: "same"}},
		{ID: "b", Count: 3, Changed: true, Delta: &goat.DumpDelta{Kind: "new", Count: 3}},
		{ID: "c", Count: 5, Delta: &goat.DumpDelta{Kind: "grown", Count: 4}},
	}
	return d
}

// world is a gateway, a service, a Prometheus, a directory of services and two expositions.
func world() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/route", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Version", map[bool]string{true: "v2", false: "v1"}[r.Header.Get("X-Gray") == "v2"])
	})
	var n atomic.Int64
	mux.HandleFunc("/weighted", func(w http.ResponseWriter, r *http.Request) {
		gray := r.Header.Get("X-Gray") == "v2"
		if !gray && n.Add(1)%33 == 0 {
			gray = true // 3 of 100
		}
		w.Header().Set("X-Version", map[bool]string{true: "v2", false: "v1"}[gray])
	})
	mux.HandleFunc("/health", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/instances", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"hosts": [{"ip": "10.0.0.1", "zone": "a"}, {"ip": "10.0.0.2", "zone": "b"}]}`)
	})
	mux.HandleFunc("/api/v1/query", func(w http.ResponseWriter, r *http.Request) {
		query, value := r.FormValue("query"), "1"
		switch {
		case strings.HasPrefix(query, "traffic{"):
			value = "40"
		case strings.HasPrefix(query, "value{"+canaryLabel):
			value = "0.5"
		case strings.HasPrefix(query, "value{"):
			value = "0.25"
		case strings.HasPrefix(query, "time() - "):
			value = "600"
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, %q]}]}}`, value)
	})
	for path, series := range map[string]int{"/stable": 60, "/canary": 120} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; version=0.0.4")
			fmt.Fprint(w, "# HELP shop_requests_total h\n# TYPE shop_requests_total counter\n")
			for i := range series {
				fmt.Fprintf(w, "shop_requests_total{n=\"%d\"} 1\n", i)
			}
		})
	}
	return mux
}
