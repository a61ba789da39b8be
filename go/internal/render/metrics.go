package render

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/goat-trace/goat/go"
)

// MetricPackages is how many packages have a series of their own.
const MetricPackages = 20

// family is one metric in Prometheus's text format.
type family struct {
	name, help string
	samples    []string
}

func (f *family) add(value float64, labels ...string) {
	var b strings.Builder
	for i := 0; i+1 < len(labels); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		escaped := strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`).Replace(labels[i+1])
		fmt.Fprintf(&b, "%s=\"%s\"", labels[i], escaped)
	}
	f.samples = append(f.samples, fmt.Sprintf("%s{%s} %s", f.name, b.String(), strconv.FormatFloat(value, 'g', -1, 64)))
}

// Metrics is builds in Prometheus's text format. No label changes from commit to commit,
// and the number of series is bounded.
func Metrics(found *goat.HeatResult) []byte {
	m := newBuildMetrics()
	shown := map[string]bool{}
	for i := range found.Builds {
		b := &found.Builds[i]
		// Two builds for one platform would be one series: the newest counts.
		if key := Platform(b) + " " + b.Verb + " " + b.Module; !shown[key] {
			shown[key] = true
			m.take(b, &found.Baselines[i])
		}
	}
	var b strings.Builder
	for _, f := range m.all() {
		if len(f.samples) > 0 {
			fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %[1]s gauge\n%[3]s\n", f.name, f.help, strings.Join(f.samples, "\n"))
		}
	}
	return []byte(b.String())
}

type buildMetrics struct {
	wall, cpu, rss, tools, packages, start, exit, stage, pkg, own, path, median, threshold, alarm family
}

func newBuildMetrics() *buildMetrics {
	f := func(name, help string) family { return family{name: "goat_build_" + name, help: help} }
	return &buildMetrics{
		wall:      f("wall_seconds", "Time of the build from start to end."),
		cpu:       f("cpu_seconds", "CPU time of all tools by mode."),
		rss:       f("max_rss_bytes", "Most memory that one tool had."),
		tools:     f("tool_processes", "Processes of tools."),
		packages:  f("packages", "Packages that were compiled, or taken from the build cache."),
		start:     f("start_timestamp_seconds", "When the build began."),
		exit:      f("exit_code", "Exit code of the go command."),
		stage:     f("stage_user_seconds", "User CPU time by tool."),
		pkg:       f("package_user_seconds", "User CPU time of the packages that cost most."),
		own:       f("goat_cpu_seconds", "CPU time of goat itself in the build."),
		path:      f("critical_path_seconds", "Time that the build takes with any number of workers."),
		median:    f("baseline_median_seconds", "Median user CPU time of comparable builds."),
		threshold: f("baseline_threshold_seconds", "User CPU time above which builds are dear."),
		alarm:     f("alarm", "1 where comparable builds were cheaper, by rule."),
	}
}

func (m *buildMetrics) all() []*family {
	return []*family{
		&m.wall, &m.cpu, &m.rss, &m.tools, &m.packages, &m.start, &m.exit, &m.stage, &m.pkg, &m.own, &m.path,
		&m.median, &m.threshold, &m.alarm,
	}
}

func (m *buildMetrics) take(b *goat.HeatBuild, base *goat.HeatBaseline) {
	labels := func(more ...string) []string {
		return append([]string{"goos", b.GOOS, "goarch", b.GOARCH, "verb", b.Verb, "module", b.Module}, more...)
	}
	m.wall.add(b.WallMs/1000, labels()...)
	m.cpu.add(b.Sum.UserMs/1000, labels("mode", "user")...)
	m.cpu.add(b.Sum.SysMs/1000, labels("mode", "sys")...)
	m.rss.add(float64(b.Sum.MaxRSS), labels()...)
	m.tools.add(float64(b.Sum.Tools), labels()...)
	m.packages.add(float64(b.Cache.Misses), labels("cache", "miss")...)
	if b.Cache.Hits != nil {
		m.packages.add(float64(*b.Cache.Hits), labels("cache", "hit")...)
	}
	m.start.add(float64(b.StartUnixMs)/1000, labels()...)
	if b.Exit != nil {
		m.exit.add(float64(*b.Exit), labels()...)
	}
	for i := range b.Stages {
		m.stage.add(b.Stages[i].UserMs/1000, labels("stage", b.Stages[i].Stage)...)
	}
	for _, p := range costliest(b) {
		m.pkg.add(p.UserMs/1000, labels("package", p.Package)...)
	}
	m.own.add((b.Goat.HelperMs+b.Goat.ToolsMs)/1000, labels()...)
	if b.CriticalPath != nil {
		m.path.add(b.CriticalPath.Ms/1000, labels()...)
	}
	m.judge(base, labels)
}

func (m *buildMetrics) judge(base *goat.HeatBaseline, labels func(...string) []string) {
	for i := range base.Rules {
		r := &base.Rules[i]
		if r.Median == nil || r.Threshold == nil {
			continue
		}
		alarm := 0.0
		if r.Verdict == "alarm" {
			alarm = 1
		}
		m.median.add(*r.Median, labels("rule", r.Rule)...)
		m.threshold.add(*r.Threshold, labels("rule", r.Rule)...)
		m.alarm.add(alarm, labels("rule", r.Rule)...)
	}
}

// costliest are the packages of the most user CPU time, their variants summed.
func costliest(b *goat.HeatBuild) []goat.HeatPackage {
	var list []goat.HeatPackage
	at := map[string]int{}
	for i := range b.Packages {
		p := b.Packages[i]
		if j, known := at[p.Package]; known {
			list[j].UserMs += p.UserMs
			continue
		}
		if len(list) == MetricPackages {
			continue
		}
		at[p.Package] = len(list)
		list = append(list, p)
	}
	return list
}
