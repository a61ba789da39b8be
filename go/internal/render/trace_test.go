package render

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/goat-trace/goat/go"
)

// What Perfetto draws on a track has to nest: what begins inside of something ends there.
func TestTraceNests(t *testing.T) {
	build := goat.HeatBuild{
		GOOS: "linux", GOARCH: "amd64", CriticalPath: &goat.HeatPath{Steps: []goat.HeatStep{{Package: "a", Mode: "build"}, {Package: "b", Mode: "link"}}},
		Processes: []goat.HeatProcess{
			{Package: "a", Stage: "compile", StartMs: 0, WallMs: 10, Phases: []goat.HeatPhase{{Name: "fe:parse", Ms: 4}, {Name: "be:compilefuncs", Ms: 6.0009}}},
			{Package: "c", Stage: "compile", Slot: 1, StartMs: 1, WallMs: 3},
			{Package: "b", Stage: "link", StartMs: 10, WallMs: 5, Phases: []goat.HeatPhase{{Name: "Loadlib", Ms: 1}}},
		},
	}
	text, err := Trace(&goat.HeatResult{Builds: []goat.HeatBuild{build, build}})
	if err != nil {
		t.Fatal(err)
	}
	var trace struct{ TraceEvents []traceEvent }
	if err := json.Unmarshal(text, &trace); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	var spans []traceEvent
	for _, e := range trace.TraceEvents {
		kinds[e.Ph]++
		if e.Ph == "X" {
			spans = append(spans, e)
		}
	}
	slices.SortStableFunc(spans, func(a, b traceEvent) int {
		return cmp.Or(a.PID-b.PID, a.TID-b.TID, cmp.Compare(a.TS, b.TS), cmp.Compare(*b.Dur, *a.Dur))
	})
	var open []traceEvent
	for _, e := range spans {
		for len(open) > 0 && (open[len(open)-1].PID != e.PID || open[len(open)-1].TID != e.TID || open[len(open)-1].TS+*open[len(open)-1].Dur <= e.TS) {
			open = open[:len(open)-1]
		}
		if n := len(open); n > 0 && e.TS+*e.Dur > open[n-1].TS+*open[n-1].Dur {
			t.Errorf("%v does not end in %v", e, open[n-1])
		}
		open = append(open, e)
	}
	if kinds["X"] != 12 || kinds["s"] != 2 || kinds["f"] != 2 || kinds["C"] != 12 || kinds["M"] != 6 {
		t.Errorf("events: %v", kinds)
	}
}

// A gateway keeps each series for ever: none is named by a commit, and there are few.
func TestMetricsAreBounded(t *testing.T) {
	build := goat.HeatBuild{GOOS: "linux", GOARCH: "amd64", Verb: "build", Module: `a"b`, Commit: "c0ffee"}
	for i := range 500 {
		p := goat.HeatPackage{Package: strings.Repeat("p", i%100+1)}
		p.UserMs = float64(500 - i)
		build.Packages = append(build.Packages, p)
	}
	text := string(Metrics(&goat.HeatResult{Builds: []goat.HeatBuild{build, build}, Baselines: make([]goat.HeatBaseline, 2)}))
	if n := strings.Count(text, "\ngoat_build_package_user_seconds{"); n != MetricPackages {
		t.Errorf("%d packages", n)
	}
	if strings.Contains(text, "c0ffee") || !strings.Contains(text, `module="a\"b"`) {
		t.Error(text)
	}
	seen := map[string]bool{}
	for _, line := range strings.Split(text, "\n") {
		name, _, _ := strings.Cut(line, " ")
		if strings.HasPrefix(line, "goat") && seen[name] {
			t.Errorf("twice: %s", line)
		}
		seen[name] = true
	}
}
