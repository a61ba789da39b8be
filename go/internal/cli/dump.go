package cli

import (
	"bytes"
	"cmp"
	"context"

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
	diagnoseFlags
	failIf     string
	diff       []string
	full, leak bool
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
	f.add(flags, "clusters")
	flags.BoolVar(&f.full, "full", false, "ask a live process for all stacks, however many there are")
	flags.BoolVar(&f.leak, "leak", false, "ask a live process for the goroutines that nothing can wake")
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
	if err := f.check(); err != nil {
		return err
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

func (a *app) readDump(ctx context.Context, names []string, f *dumpFlags) (*goat.DumpResult, string, error) {
	live := a.process(&f.diagnoseFlags)
	live.Full, live.Leak = f.full, f.leak
	collector := diag.NewCollector(live)
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
