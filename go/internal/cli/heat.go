package cli

import (
	"bytes"
	"cmp"
	"context"
	"path"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/diag"
	"github.com/goat-trace/goat/go/internal/render"
	"github.com/goat-trace/goat/go/internal/render/html"
	"github.com/goat-trace/goat/go/internal/render/text"
	"github.com/goat-trace/goat/go/internal/store"
)

const heatLong = `Heat says where the time of builds went: every tool that go ran, with wall, user and
system time and memory, the phases of compiler and linker, what came from the cache, the
critical path and what you would save without a step of it, and goat's own part.

Builds are recorded by --timings (goat build --timings=DIR, also test, run, install, vet),
or GOAT_TIMINGS=DIR at every other door, as in

    GOAT_TIMINGS=$PWD/timings go build -toolexec "goat toolexec" ./...

Each build leaves one log in the directory. Recording changes no cache key and no byte of
what is built. A FILE is a build to show; of a DIR the newest build of each platform is,
and the others are its history. Without arguments it is the directory that --timings or
GOAT_TIMINGS names, else goat's cache, where --timings without a directory records. A file
that go build -debug-actiongraph has written gives the log beside it its critical path.

--baseline compares the user CPU time of the tools with builds of the same module,
targets, flags, platform, Go version, cache class (cold, partial, warm) and runner
(GOAT_RUNNER, by default system, architecture and CPUs). It exits with 1 on an alarm,
with 3 while there are fewer than 23 such builds. Rules: median-mad (default): the last
three builds above the median, two of them above median + max(1.5 sigma, 20 %); article:
two above 1.8 times the 90th percentile, or five above the 75th and 15 %. docs/heat.md
has how well both work.

Formats: text, json, html (one page: packages by stage and platform), trace (for
https://ui.perfetto.dev), prometheus. --push URL replaces the group of series of this job
and target at a Pushgateway.`

const heatExample = `  goat build --timings ./... && goat heat
  goat heat timings --format html > heat.html
  goat heat timings --baseline
  goat heat linux.timings windows.timings --format trace > trace.json
  goat heat timings --push http://pushgateway:9091 --job nightly`

var (
	heatFormats = []string{"text", "json", "html", "trace", "prometheus"}
	heatRules   = []string{"median-mad", "article"}
)

// heatFlags are the flags of `goat heat`.
type heatFlags struct {
	rule, push, job, target string
	timeout                 time.Duration
	baseline                bool
	top                     int
}

func (a *app) newHeat() *cobra.Command {
	var f heatFlags
	cmd := &cobra.Command{
		Use:     "heat [DIR or FILE]...",
		GroupID: groupDiagnose,
		Short:   "Where the time of builds went, and whether they became dearer",
		Long:    heatLong,
		Example: heatExample,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.runHeat(cmd.Context(), args, &f) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.baseline, "baseline", false, "exit with 1 when the build costs more than those before it")
	flags.StringVar(&f.rule, "rule", "", "which rule decides: `RULE` is median-mad (default) or article")
	flags.IntVar(&f.top, "top", 0, "list the first `N` packages as text (20)")
	flags.StringVar(&f.push, "push", "", "send the series to the Pushgateway at `URL`")
	flags.StringVar(&f.job, "job", "goat_build", "the `JOB` of the pushed group")
	flags.StringVar(&f.target, "target", "", "the `TARGET` of the pushed group: what is built (the module's last element)")
	flags.DurationVar(&f.timeout, "timeout", 30*time.Second, "the `DURATION` that the push may take")
	complete(cmd, "rule", cobra.FixedCompletions(heatRules, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (a *app) runHeat(ctx context.Context, names []string, f *heatFlags) error {
	format := cmp.Or(a.format(), "text")
	if err := config.OneOf(goat.CodeUsage, "--format", format, heatFormats); err != nil {
		return err
	}
	if f.rule != "" {
		if err := config.OneOf(goat.CodeUsage, "--rule", f.rule, heatRules); err != nil {
			return err
		}
	}
	looks, err := a.looks()
	if err != nil {
		return err
	}
	if f.timeout <= 0 || f.top < 0 || f.job == "" {
		return usage("--timeout and --top are above zero, and --job is not empty", "use something like --timeout 10s --top 20 --job nightly")
	}
	push := diag.Push{URL: f.push, Job: f.job, Target: f.target, Timeout: f.timeout}
	if f.push != "" {
		if _, err := push.Address(); err != nil {
			return err
		}
	}
	found, err := a.readHeat(ctx, names, f.rule)
	if err != nil {
		return err
	}
	shown, err := heatForm(found, format, f.top, looks)
	if err != nil {
		return err
	}
	if err := a.print(string(shown)); err != nil {
		return err
	}
	a.sayNotRead(found)
	if f.push != "" {
		if push.Target == "" {
			push.Target = path.Base(cmp.Or(found.Builds[0].Module, found.Builds[0].Verb, "build"))
		}
		if err := push.Send(ctx, render.Metrics(found)); err != nil {
			return err
		}
	}
	if f.baseline {
		return a.judgeHeat(found)
	}
	return nil
}

// notReadShown is how many places that were not read are named.
const notReadShown = 5

func (a *app) sayNotRead(found *goat.HeatResult) {
	for i, n := range found.NotRead {
		if i == notReadShown {
			a.tell("and %s more that were not read", render.Plural(len(found.NotRead)-i, "place"))
			return
		}
		if n.Line == 0 {
			a.tell("not read: %s: %s", n.Source, n.Reason)
			continue
		}
		a.tell("not read: %s:%d: %s", n.Source, n.Line, n.Reason)
	}
}

// judgeHeat is the answer of --baseline: the worst of the builds that are shown.
func (a *app) judgeHeat(found *goat.HeatResult) error {
	code := exitDone
	for i := range found.Baselines {
		base := &found.Baselines[i]
		name := render.BuildName(&found.Builds[i]) + " " + render.Platform(&found.Builds[i])
		switch base.Verdict {
		case "alarm":
			code = exitNo
			a.tell("--baseline: alarm: %s: %s (%s)", name, base.Rules[0].Reason, base.Rules[0].Rule)
			for _, g := range base.Grown {
				a.tell("  %s took %.2f s, %.2f s before", g.Package, g.UserSeconds, g.MedianSeconds)
			}
		case "noBaseline", "failed":
			if code == exitDone {
				code = exitInconclusive
			}
			why := base.Rules[0].Reason
			if base.Verdict == "failed" {
				why = "the build did not go well, so it says nothing"
			}
			a.tell("--baseline: no verdict: %s: %s", name, why)
		}
	}
	if code != exitDone {
		return exitStatus(code)
	}
	return nil
}

func (a *app) readHeat(ctx context.Context, names []string, rule string) (*goat.HeatResult, error) {
	for i := range names {
		names[i] = joinDir(a.directory(), names[i])
	}
	if len(names) == 0 {
		dir, err := a.timingsDir()
		if err != nil {
			return nil, err
		}
		names = []string{dir}
	}
	sources, err := diag.Timings(names)
	if err != nil {
		return nil, err
	}
	return goat.Heat(ctx, goat.HeatOptions{Sources: sources, Rule: rule})
}

// timingsDir is where builds are recorded where nobody names a place.
func (a *app) timingsDir() (string, error) {
	dir, typed := a.typed()[config.FlagTimings]
	if !typed {
		dir = a.getenv(config.EnvName(config.FlagTimings))
	}
	if dir != "" && dir != config.OwnTimings {
		return joinDir(a.directory(), dir), nil
	}
	cache, err := store.Open(a.getenv)
	if err != nil {
		return "", unwritableCache(err)
	}
	return filepath.Join(cache, "timings"), nil
}

// heatForm is the document in one format.
func heatForm(found *goat.HeatResult, format string, top int, looks text.Looks) ([]byte, error) {
	switch format {
	case "json":
		var b bytes.Buffer
		err := writeJSON(&b, found.JSON)
		return b.Bytes(), err
	case "trace":
		return render.Trace(found)
	case "prometheus":
		return render.Metrics(found), nil
	case "html":
		var b bytes.Buffer
		sheet, err := html.Heat(found)
		if err == nil {
			err = sheet.Write(&b)
		}
		return b.Bytes(), err
	}
	return []byte(text.Heat(found, top, looks)), nil
}
