//go:build unix

package goatrt_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// family is one metric of an exposition.
type family struct {
	help, kind string
	samples    map[string]float64 // labels as written, to value
}

var sampleForm = regexp.MustCompile(`^([a-z_][a-z0-9_]*)(\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*\})? (-?[0-9.]+(?:e[+-]?[0-9]+)?)$`)

// parse reads the text format strictly: HELP, TYPE, then the samples of that
// family, each series once.
func parse(text string) (map[string]*family, error) {
	families := map[string]*family{}
	current := ""
	for n, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		switch fields := strings.SplitN(line, " ", 4); {
		case strings.HasPrefix(line, "# HELP "):
			current = fields[2]
			if families[current] != nil {
				return nil, fmt.Errorf("line %d: %s twice", n, current)
			}
			families[current] = &family{help: fields[3], samples: map[string]float64{}}
		case strings.HasPrefix(line, "# TYPE "):
			if fields[2] != current {
				return nil, fmt.Errorf("line %d: TYPE of %s inside %s", n, fields[2], current)
			}
			families[current].kind = fields[3]
		default:
			match := sampleForm.FindStringSubmatch(line)
			if match == nil || match[1] != current {
				return nil, fmt.Errorf("line %d: %q inside %s", n, line, current)
			}
			f := families[current]
			if _, again := f.samples[match[2]]; again {
				return nil, fmt.Errorf("line %d: %q twice", n, line)
			}
			f.samples[match[2]], _ = strconv.ParseFloat(match[3], 64)
		}
	}
	return families, nil
}

// lint applies promlint's rules for classic text to one family.
func lint(name string, f *family) (problems []string) {
	say := func(text string) { problems = append(problems, name+": "+text) }
	if f.help == "" {
		say("no help")
	}
	if f.kind == "counter" != strings.HasSuffix(name, "_total") {
		say("_total belongs to counters")
	}
	for _, suffix := range []string{"_count", "_sum", "_bucket"} {
		if f.kind != "histogram" && f.kind != "summary" && strings.HasSuffix(name, suffix) {
			say(suffix + " outside histograms and summaries")
		}
	}
	for _, part := range strings.Split(name, "_") {
		switch part {
		case "gauge", "counter", "histogram", "summary":
			say("type in the name")
		case "s", "ms", "us", "ns", "sec", "kb", "mb", "min", "h", "d", "milliseconds", "minutes", "hours", "days", "percent", "kilobytes":
			say("unit " + part)
		}
	}
	if strings.ToLower(name) != name || strings.Contains(name, ":") {
		say("camel case or colon")
	}
	return problems
}

func scrape(t *testing.T, url string) map[string]*family {
	t.Helper()
	families, err := parse(get(t, url))
	if err != nil {
		t.Fatal(err)
	}
	return families
}

func TestMetrics(t *testing.T) {
	p, base := serve(t, "TEST_TWICE=1", "GOAT_POINT_METRICS=1")
	p.tell("hit=1")
	families := scrape(t, base+"/metrics")
	for name, f := range families {
		for _, problem := range lint(name, f) {
			t.Error(problem)
		}
	}
	const host, plugin = `{component="example.com/app"}`, `{component="example.com/app/plugin"}`
	for _, want := range []struct {
		name, labels string
		value        float64
	}{
		{"goat_build_info", `{app="app",component="example.com/app",version="1.0\"0",base="main",granularity="patch",mode="exe",lane="",module="example.com/app",plan="0123456789abcdef"}`, 1},
		{"goat_track_points", host, 1004},
		{"goat_track_points", plugin, 4},
		{"goat_track_points_hit", host, 1},
		{"goat_track_points_hit", plugin, 0},
		{"goat_track_coverage_ratio", host, 1.0 / 1004},
		{"goat_track_coverage_ratio", plugin, 0},
		{"goat_track_points_first_hit", `{component="example.com/app",phase="startup"}`, 1},
		{"goat_track_degraded_packages", host, 1},
		{"goat_track_point_hit", `{point="svc0001",file="svc/a.go",line="11",func="(*T).Do"}`, 1},
		{"goat_track_point_hit", `{point="svc0002",file="svc/a.go",line="12",func="(*T).Do"}`, 0},
		{"goat_track_point_metrics_dropped", "", 0},
	} {
		if got, ok := families[want.name].samples[want.labels]; !ok || got != want.value {
			t.Errorf("%s%s is %v (%v), want %v", want.name, want.labels, got, ok, want.value)
		}
	}
	started, last := families["goat_track_start_time_seconds"].samples[""], families["goat_track_last_hit_timestamp_seconds"].samples[""]
	if started < 1e9 || last < started {
		t.Errorf("started %v, last hit %v", started, last)
	}
	if n := len(families["goat_track_point_hit"].samples); n != 1004 {
		t.Errorf("%d point series", n)
	}
}

func TestMetricsWithoutPoints(t *testing.T) {
	_, base := serve(t, "TEST_TABLE=odd")
	families := scrape(t, base+"/metrics")
	if families["goat_track_coverage_ratio"] != nil || families["goat_track_last_hit_timestamp_seconds"] != nil || families["goat_track_point_hit"] != nil {
		t.Error("a ratio or a hit of nothing")
	}
	if families["goat_track_points"].samples[`{component="example.com/app"}`] != 0 {
		t.Error("no 0 where there are no points")
	}
	if a := track(t, base+"/track"); a.Results[0].Metrics.CoveredRate != nil || len(a.Results[0].Metrics.Items) != 0 || len(a.Results[0].Degraded) != 5 {
		t.Errorf("%+v", a)
	}
	scrape(t, base+"/metrics?legacy=1")
}

func TestLegacyMetrics(t *testing.T) {
	p, base := serve(t, "TEST_TWICE=1", "GOAT_CURRENT_COMPONENT=1")
	p.tell("store=0")
	families := scrape(t, base+"/metrics?legacy=1")
	const labels = `{app="app",version="1.0\"0",component="example.com/app/plugin"}`
	for name, want := range map[string]float64{"goat_track_total": 4, "goat_track_covered": 1, "goat_track_coverage_ratio": 25} {
		if f := families[name]; f == nil || len(f.samples) != 1 || f.samples[labels] != want {
			t.Errorf("%s: %+v, want %v for the current component only", name, f, want)
		}
	}
	if scrape(t, base+"/metrics")["goat_track_total"] != nil {
		t.Error("upstream's names without being asked")
	}
	for _, current := range []string{"0", "example.com/app", "7", "nonsense", ",", "-1"} {
		_, base := serve(t, "GOAT_CURRENT_COMPONENT="+current)
		if scrape(t, base+"/metrics")["goat_track_points"].samples[`{component="example.com/app"}`] != 1004 {
			t.Errorf("GOAT_CURRENT_COMPONENT=%s hides the component", current)
		}
	}
}
