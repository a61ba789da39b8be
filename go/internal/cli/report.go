package cli

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/render"
	"github.com/goat-trace/goat/go/internal/render/text"
	"github.com/goat-trace/goat/go/internal/report"
	"github.com/goat-trace/goat/go/internal/report/fleet"
	"github.com/goat-trace/goat/go/internal/report/source"
	"github.com/goat-trace/goat/go/internal/self"
)

const reportLong = `Report says which points ran, and when first: in live processes, in spool files, in
saved reports, or in all of them. Sources are URLs (http://host:port, https://...,
unix:/path, host:port), spool files and directories of them, and reports that were
saved with --format json; without any it is where an instrumented program listens in
this environment: GOAT_ADDR, GOAT_METRICS_IP and GOAT_PORT, else 127.0.0.1:57005.
Of a program that has started itself again, one process names the others, and all are
read. --pods reads the pods of a Kubernetes cluster through kubectl, --prometheus what a
Prometheus server has scraped (docs/fleet.md).

Several sources are one fleet: a point ran if it ran in one of them. A process that is
seen live, in its spool and in a saved report counts once. What only initialisation or
startup reached is shown apart, because it proves nothing about traffic.

What did not run comes first. On a terminal a long list is cut and summed up by package;
--verbose, or an output that is no terminal, shows the whole.

What counts as run: --phase traffic leaves out what only initialisation and startup
reached, --since TIME or DURATION what was last hit before (by the last hit, which
programs know to one GOAT_WINDOW), --lane NAME all processes of other lanes (stable: the
processes without a GOAT_LANE), --subtract REPORT what ran in a saved report, too.

--by sums points and lines up. --not-hit and --top N shorten what is shown, never the
sums; all three shape text, json and markdown. --output FORMAT=FILE writes a file
besides, whole or not at all, and may be given several times.

With --fail-under the exit code is 1 when less than that part of the points (--of lines:
of the tracked lines) ran. It is 3, as without, when part of the sources could not be read.

Panics that programs built with goat build --panics have on record, and how processes
ended, stand beside the points of the same functions. --dump FILE or URL does the same
with goroutines: a dump, or a process that serves net/http/pprof (goat dump has the
forms). With a token, a process that shows its profiles is asked by itself.

The account of changed lines comes from --plan (a plan directory, or a file that goat
plan --format json wrote), else from .goat, else from the plan cache, else from a saved
report. Where sources were built from different plans, one plan counts: --plan, else that
of the newest process.

docs/evidence.md says what each state of a line proves, and what is in each format.`

const reportExample = `  goat report
  goat report http://10.0.0.7:57005 http://10.0.0.8:57005 --not-hit
  goat report --pods app=shop,track=canary -n prod
  goat report --prometheus http://prometheus:9090 --match 'app="shop"' --range 24h
  goat report /var/run/goat --dump crash.txt
  goat report /var/run/goat --by package --since 30m
  goat report /var/run/goat --format html > page.html
  goat report /var/run/goat --output markdown=comment.md --output sarif=goat.sarif
  goat report monday.json tuesday.json --phase traffic --fail-under 0.8`

// reportFlags are the flags of `goat report`.
type reportFlags struct {
	sourceFlags
	besideFlags
	notHit                bool
	by, phase, of         word
	since, lane, subtract string
	failUnder, link       string
	top                   int
	outputs               []string
}

func (a *app) newReport() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use:     "report [URL, SPOOL or REPORT]...",
		GroupID: groupLook,
		Short:   "Say which points ran, from live processes, spool files or saved reports",
		Long:    reportLong,
		Example: reportExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runReport(cmd, args, &f)
		},
	}
	addReportFlags(cmd, &f)
	f.sourceFlags.add(cmd)
	f.besideFlags.add(cmd)
	return cmd
}

func addReportFlags(cmd *cobra.Command, f *reportFlags) {
	flags := cmd.Flags()
	flags.DurationVar(&f.timeout, "timeout", requestTimeout, "the `DURATION` that one request may take")
	flags.BoolVar(&f.notHit, "not-hit", false, "show only what did not run")
	flags.Var(&f.by, "by", "sum up by package, file, func, lane, instance or host")
	flags.IntVar(&f.top, "top", 0, "show only the first `N`, those with the least evidence")
	flags.StringVar(&f.since, "since", "", "count hits in or after `TIME or DURATION`")
	flags.StringVar(&f.subtract, "subtract", "", "do not count what ran in the saved `REPORT`")
	flags.StringVar(&f.lane, "lane", "", "only processes of the lane `NAME`; stable for those without one")
	flags.Var(&f.phase, "phase", "what counts as run: any (default) or traffic")
	flags.StringVar(&f.failUnder, "fail-under", "", "exit with 1 when less than this `PART` ran: 0.8 or 80%")
	flags.Var(&f.of, "of", "what --fail-under measures: points (default) or lines")
	flags.StringArrayVar(&f.outputs, "output", nil, "write `FORMAT=FILE`, besides --format; repeatable")
	flags.StringVar(&f.link, "link", "", "`URL` of the repository in a browser, for links in markdown")
	fixed := map[string][]string{"by": report.Keys, "phase": phaseWords, "of": {ofPoints, ofLines}}
	for flag, words := range fixed {
		complete(cmd, flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	}
}

const (
	ofPoints = "points"
	ofLines  = "lines"
)

var phaseWords = []string{report.PhaseAny, report.PhaseTraffic}

// threshold is what --fail-under asks for.
type threshold struct {
	given bool
	least float64
	of    string
}

// question is the command line of a report, understood.
type question struct {
	request   source.Request
	outputs   []output
	format    string
	looks     text.Looks
	threshold threshold
	link      string
	// show is the part that text, json and markdown show.
	show func(*report.Document) *report.Document
}

func (a *app) runReport(cmd *cobra.Command, sources []string, f *reportFlags) error {
	q, err := a.understand(cmd, sources, f)
	if err != nil {
		return err
	}
	end, err := a.collect(cmd.Context(), &f.besideFlags, &q.request)
	if err != nil {
		return err
	}
	defer end()
	document, err := source.Make(cmd.Context(), q.request)
	if err != nil {
		return err
	}
	if document.Outcome() == report.Nothing {
		return noSource(document)
	}
	document.Goat = goat.Identity{Version: self.Version(), Commit: self.Commit()}
	if err := a.deliver(cmd.Context(), q, document); err != nil {
		return err
	}
	if document.Outcome() == report.Partial {
		a.sayPartial(document)
		return exitStatus(exitInconclusive)
	}
	return a.judge(&q.threshold, document)
}

// understand checks everything before the first source is asked.
func (a *app) understand(cmd *cobra.Command, sources []string, f *reportFlags) (*question, error) {
	request, err := a.sources(cmd, sources, &f.sourceFlags)
	if err != nil {
		return nil, err
	}
	q := &question{format: cmp.Or(a.format(), "text"), link: f.link, request: request}
	q.show = func(d *report.Document) *report.Document { return d.Show(f.notHit, report.By(f.by), f.top) }
	if err := config.OneOf(goat.CodeUsage, "--format", q.format, reportFormats); err != nil {
		return nil, err
	}
	if q.looks, err = a.looks(); err != nil {
		return nil, err
	}
	if q.outputs, err = a.outputs(f.outputs, reportFormats); err != nil {
		return nil, err
	}
	if q.request.Counting, err = counting(cmd, f, joinDir(a.directory(), f.subtract)); err != nil {
		return nil, err
	}
	if q.threshold, err = f.threshold(); err != nil {
		return nil, err
	}
	switch {
	case f.top < 0 || f.top == 0 && cmd.Flags().Changed("top"):
		return nil, usage(fmt.Sprintf("--top: %d is not a number of rows", f.top), "use something like 20")
	case f.by != "":
		return q, config.OneOf(goat.CodeUsage, "--by", string(f.by), report.Keys)
	}
	return q, nil
}

// counting is what counts as run.
func counting(cmd *cobra.Command, f *reportFlags, subtract string) (report.Counting, error) {
	c := report.Counting{Phase: cmp.Or(string(f.phase), report.PhaseAny), Subtract: subtract}
	if err := config.OneOf(goat.CodeUsage, "--phase", c.Phase, phaseWords); err != nil {
		return c, err
	}
	if cmd.Flags().Changed("lane") {
		c.Lane = &f.lane
	}
	if f.since != "" {
		moment, err := parseMoment("--since", f.since, time.Now())
		if err != nil {
			return c, err
		}
		c.Since = &moment
	}
	return c, nil
}

// moments are the ways to write a time; those without a zone mean the reader's.
var moments = []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02"}

// parseMoment reads a time, or how long ago it was.
func parseMoment(flag, value string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(value); err == nil && ago >= 0 {
		return now.Add(-ago).UTC(), nil
	}
	for _, layout := range moments {
		if moment, err := time.ParseInLocation(layout, value, time.Local); err == nil {
			return moment.UTC(), nil
		}
	}
	return time.Time{}, usage(fmt.Sprintf("%s: %q is neither a time nor a duration", flag, value),
		"use something like 30m, 2026-03-01T12:00:00Z or \"2026-03-01 12:00\"")
}

func (f *reportFlags) threshold() (threshold, error) {
	t := threshold{of: cmp.Or(string(f.of), ofPoints)}
	if err := config.OneOf(goat.CodeUsage, "--of", t.of, []string{ofPoints, ofLines}); err != nil {
		return t, err
	}
	if f.failUnder == "" {
		if f.of != "" {
			return t, usage("--of says what --fail-under measures, which is not given", "add something like --fail-under 0.8")
		}
		return t, nil
	}
	number, percent := strings.CutSuffix(f.failUnder, "%")
	part, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		part /= 100
	}
	// The comparison is also false for what is not a number.
	if err != nil || !(part >= 0 && part <= 1) {
		return t, usage(fmt.Sprintf("--fail-under: %q is not a part of the whole", f.failUnder), "use something like 0.8 or 80%")
	}
	t.given, t.least = true, part
	return t, nil
}

// judge says no when less ran than was asked for. Where there is nothing that could run,
// there is nothing to miss; where the lines are not known, there is no answer.
func (a *app) judge(t *threshold, document *report.Document) error {
	if !t.given {
		return nil
	}
	s := &document.Summary
	ran, all := s.Hit, s.Points
	if t.of == ofLines {
		if document.Lines == nil {
			a.tell("--fail-under of lines: no account of lines: %s", document.LinesMissing)
			return exitStatus(exitInconclusive)
		}
		ran, all = s.LinesReached, s.Lines
	}
	if all == 0 || float64(ran) >= t.least*float64(all) {
		return nil
	}
	a.tell("%d of %d %s ran, %.4g%%: under %.4g%%", ran, all, t.of, 100*float64(ran)/float64(all), 100*t.least)
	return exitStatus(exitNo)
}

// looks are the switches of a verb for which goat.yaml does not matter.
func (a *app) looks() (l text.Looks, err error) {
	noColor := false
	for _, s := range []struct {
		flag   string
		target *bool
	}{{config.FlagQuiet, &l.Quiet}, {config.FlagVerbose, &l.Verbose}, {config.FlagNoColor, &noColor}} {
		what := "--" + s.flag
		value, given := a.typed()[s.flag]
		if !given {
			what = config.EnvName(s.flag)
			value = a.getenv(what)
		}
		if value == "" {
			continue
		}
		if *s.target, err = config.ParseBool(what, value); err != nil {
			return text.Looks{}, err
		}
	}
	l.Colour, l.Width = a.colour(noColor || a.getenv("NO_COLOR") != ""), a.width()
	return l, nil
}

// inDir takes paths from -C, as all other paths; what names a live process stays.
func inDir(dir string, sources []string) []string {
	moved := make([]string, len(sources))
	for i, name := range sources {
		moved[i] = name
		if !source.IsLive(joinDir(dir, name)) && !source.IsLive(name) {
			moved[i] = joinDir(dir, name)
		}
	}
	return moved
}

func joinDir(dir, path string) string {
	if path == "" || dir == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// noSource is the error when nothing at all could be read: each source with its reason.
func noSource(document *report.Document) error {
	if len(document.Instances) == 0 {
		return &goat.Error{
			Code: goat.CodeNetwork, Message: fmt.Sprintf("no process of the lane %q among the sources", *document.Counting.Lane),
			Hint: "`goat report --by lane` names the lanes",
		}
	}
	var reasons []string
	for i := range document.Instances {
		reasons = append(reasons, document.Instances[i].Source+": "+*document.Instances[i].Error)
	}
	e := &goat.Error{Code: goat.CodeNetwork, Message: "no source could be read"}
	e.Causes = []string{strings.Join(reasons, "; ")}
	first := document.Instances[0].Source
	switch {
	case strings.Contains(e.Causes[0], "token"):
		e.Hint = "set GOAT_TOKEN to the token that the program was started with"
	case strings.HasPrefix(first, fleet.PodPrefix) || strings.HasPrefix(first, "pods "):
		e.Hint = "goat needs what `kubectl get pods` and `kubectl port-forward` need: docs/fleet.md names the rights"
	case source.IsLive(first):
		e.Hint = "is the program running, built by goat, and listening there? Its GOAT_ADDR says where; with GOAT_SPOOL=DIR, `goat report DIR` needs no server"
	case strings.HasSuffix(first, ".json"):
		e.Hint = "name a report that was saved with `goat report --format json`"
	default:
		e.Hint = "start the program with GOAT_SPOOL=DIR and name that directory"
	}
	return e
}

// sayPartial names what could not be read, beside the report of what could.
func (a *app) sayPartial(document *report.Document) {
	for i := range document.Instances {
		if problem := document.Instances[i].Error; problem != nil {
			a.tell("%s: %s", document.Instances[i].Source, *problem)
		}
	}
	if read, all := podsRead(document); all > 0 {
		a.tell("%d of %s read", read, render.Plural(all, "pod"))
	}
	a.tell("%d of %d sources could not be read; the report is of the others",
		document.Summary.Failed, document.Summary.Sources)
}
