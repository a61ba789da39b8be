package cli

import (
	"bytes"
	"cmp"
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/diag"
	"github.com/goat-trace/goat/go/internal/render"
	"github.com/goat-trace/goat/go/internal/render/html"
	"github.com/goat-trace/goat/go/internal/render/text"
)

const dumpLong = `Dump reads what a Go process prints when it hangs or dies, sorts the goroutines by cause
and stack, and marks those in changed code. It takes goroutine dumps (GOTRACEBACK=all,
kill -QUIT, runtime.Stack, /debug/pprof/goroutine with debug=0, 1 or 2), crash texts of
Go 1.4 and newer, race reports, output of go test and go test -json: with log prefixes,
escaped in JSON, indented, gzipped, cut off, one after the other, with notes between.
It finds the form by itself. What it could not read is said, with its place.

A source is a file, - for standard input (also without any), or the address of a process
that serves net/http/pprof (http://host:port, or the URL of its profile). A live process
is first asked for its profile, which costs it little; all stacks with states and
waiting times only below 2000 goroutines, or with --full, because it stands still for
those. --leak asks for the goroutines that nothing can wake (Go 1.27 and newer).

Causes are channel, select, mutex, netio, block, running and runtime, each with what
exactly; "never wakes" is what nothing can end. Clusters have ids that stay the same
over machines and Go versions. --diff OLD says what is new, grown, gone since an older
dump. For locks it names who may hold them, with a confidence, and circles of waiting.

Changed functions come from --plan, else from .goat, else from the newest plan of this
module in goat's cache.

--fail-if exits with 1 when a condition holds: comparisons of figures, joined by && and
||. Figures: goroutines clusters leaked neverWakes blocked new grown gone same crashes
races channel select mutex netio block running runtime unknown, each also with .changed;
largest minutes notParsed deadlocks truncated. new, grown, gone and same need --diff.

docs/diagnostics.md has the JSON form field by field, and how well it was measured.`

const dumpExample = `  goat dump crash.txt
  kubectl logs deploy/shop --previous | goat dump
  goat dump http://127.0.0.1:6060 --fail-if 'leaked>0 || mutex>100'
  goat dump after.txt --diff before.txt --fail-if 'new.changed>0'
  goat dump dump.txt.gz --format html > dump.html`

var dumpFormats = []string{"text", "json", "html", "folded"}

// dumpFlags are the flags of `goat dump`.
type dumpFlags struct {
	plan, token, failIf string
	diff                []string
	timeout             time.Duration
	full, leak          bool
	top                 int
}

func (a *app) newDump() *cobra.Command {
	var f dumpFlags
	cmd := &cobra.Command{
		Use:     "dump [FILE, URL or -]...",
		GroupID: groupDiagnose,
		Short:   "Sort the goroutines of a dump, crash or profile by cause, and mark changed code",
		Long:    dumpLong,
		Example: dumpExample,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.runDump(cmd.Context(), args, &f) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.diff, "diff", nil, "compare with the older dump `OLD`; repeatable")
	flags.StringVar(&f.failIf, "fail-if", "", "exit with 1 when `CONDITION` holds, as 'leaked>0 || grown>50'")
	flags.StringVar(&f.plan, "plan", "", "take the change from this plan `DIR or FILE`")
	flags.StringVar(&f.token, "token", "", "bearer `TOKEN` of the process (better: GOAT_TOKEN)")
	flags.DurationVar(&f.timeout, "timeout", 30*time.Second, "how long one request may take")
	flags.BoolVar(&f.full, "full", false, "ask a live process for all stacks, however many there are")
	flags.BoolVar(&f.leak, "leak", false, "ask a live process for the goroutines that nothing can wake")
	flags.IntVar(&f.top, "top", 0, "show only the first `N` clusters as text")
	return cmd
}

func (a *app) runDump(ctx context.Context, names []string, f *dumpFlags) error {
	format := cmp.Or(a.format(), "text")
	if err := config.OneOf(goat.CodeUsage, "--format", format, dumpFormats); err != nil {
		return err
	}
	looks, err := a.looks()
	if err != nil {
		return err
	}
	if f.timeout <= 0 || f.top < 0 {
		return usage("--timeout and --top are above zero", "use something like --timeout 10s and --top 20")
	}
	if names, err = a.sourcesOr(names, "dump"); err != nil {
		return err
	}
	found, change, err := a.readDump(ctx, names, f)
	if err != nil {
		return err
	}
	shown, err := dumpForm(found, change, format, f.top, looks)
	if err != nil {
		return err
	}
	if err := a.print(string(shown)); err != nil {
		return err
	}
	if found.Source.Truncated {
		a.tell("the dump is cut off: %d of %d goroutines were read", found.Source.Parsed, found.Source.Goroutines)
	}
	return a.judgeFigures(found.FailIf, found.Source.Truncated)
}

// judgeFigures says no when the condition holds. What was cut off may hide what it asks for.
func (a *app) judgeFigures(v *goat.DumpVerdict, truncated bool) error {
	switch {
	case v == nil:
		return nil
	case v.Failed:
		a.tell("--fail-if: %s", v.Because)
		return exitStatus(exitNo)
	case truncated:
		return exitStatus(exitInconclusive)
	}
	return nil
}

func (a *app) readDump(ctx context.Context, names []string, f *dumpFlags) (*goat.DumpResult, string, error) {
	collector := diag.NewCollector(diag.Live{Token: cmp.Or(f.token, a.getenv("GOAT_TOKEN")), Timeout: f.timeout, Full: f.full, Leak: f.leak})
	defer collector.Close()
	options := goat.DumpOptions{FailIf: f.failIf}
	for _, list := range []struct {
		names []string
		into  *[]goat.DumpSource
	}{{names, &options.Sources}, {f.diff, &options.Diff}} {
		for _, name := range a.sourcePaths(list.names) {
			s, err := collector.Source(ctx, name, a.stdin)
			if err != nil {
				return nil, "", err
			}
			*list.into = append(*list.into, s)
		}
	}
	var change string
	var err error
	if options.Changed, change, err = a.changedFunctions(f.plan); err != nil {
		return nil, "", err
	}
	for _, said := range collector.Said {
		a.tell("%s", said)
	}
	found, err := goat.Dump(ctx, options)
	return found, change, err
}

// sourcePaths takes files from the directory in which goat works.
func (a *app) sourcePaths(names []string) []string {
	paths := make([]string, len(names))
	for i, name := range names {
		if paths[i] = name; name != "-" && !diag.IsLive(name) {
			paths[i] = joinDir(a.directory(), name)
		}
	}
	return paths
}

// changedFunctions are those of the nearest plan, and what it compares; nil without a plan.
func (a *app) changedFunctions(named string) (functions []goat.ChangedFunction, change string, err error) {
	plan, change, err := a.changeOf(named)
	if err != nil || plan == nil {
		return nil, "", err
	}
	return append([]goat.ChangedFunction{}, goat.ChangedFunctions(plan)...), change, nil
}

// dumpForm is the dump in one format.
func dumpForm(found *goat.DumpResult, change, format string, top int, looks text.Looks) ([]byte, error) {
	var b bytes.Buffer
	switch format {
	case "json":
		err := writeJSON(&b, found.JSON)
		return b.Bytes(), err
	case "folded":
		return render.Folded(found), nil
	case "html":
		sheet, err := html.Dump(found, change)
		if err == nil {
			err = sheet.Write(&b)
		}
		return b.Bytes(), err
	}
	return []byte(text.Dump(found, change, top, looks)), nil
}
