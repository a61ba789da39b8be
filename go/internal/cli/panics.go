package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/diag"
	"github.com/goat-trace/goat/go/internal/render/text"
)

const panicsLong = `Panics sorts panics, fatal errors and signals by root cause: their kind, the type of the
value, and the first place of the user's code, which for a panic that was recovered and
passed on is that of the first one. Those in changed code are marked.

A program that was built with goat build --panics records every panic, recovered or not:
name its address (http://host:port), its spool or the directory of spools. Beside the
spool also lies what Go said when the process ended, for as long as the spool is kept.
recovered is yes where the process lived on for a second; phases, lanes and processes
are counted as for points.

Other sources are crash texts, - for standard input (also without any): what a Go program of
any version since 1.4 prints when it dies, what net/http and others log of a panic that
they recovered with its stack, output of go test; with log prefixes, escaped in JSON,
gzipped, among other lines, one after the other.

Panics with which the standard library returns from its own recursion (text/template,
encoding/gob, …), and http.ErrAbortHandler, are no defects: they are counted apart and
shown with --verbose. Where Go leaves out the first line of a fatal error it is concluded
from the stack and marked as inferred.

Changed functions come from --plan, else from .goat, else from the newest plan of this
module in goat's cache.

--fail-if exits with 1 when a condition holds: comparisons of figures, joined by && and
||. Figures: causes (different ones), panics (all of them), ended (those that ended a
process), recovered, fatal, signal, flow, abort, each also with .changed.

docs/diagnostics.md has the JSON form field by field.`

const panicsExample = `  goat panics crash.txt
  kubectl logs deploy/shop --previous | goat panics
  goat build --panics -o app . && GOAT_SPOOL=spool ./app; goat panics spool
  goat panics http://127.0.0.1:57005
  goat panics *.log --fail-if 'ended>0 || causes.changed>0'`

var panicsFormats = []string{"text", "json"}

// panicsFlags are the flags of `goat panics`.
type panicsFlags struct {
	diagnoseFlags
	failIf string
}

func (a *app) newPanics() *cobra.Command {
	var f panicsFlags
	cmd := &cobra.Command{
		Use:     "panics [FILE, SPOOL, URL or -]...",
		GroupID: groupDiagnose,
		Short:   "Sort panics and fatal errors by root cause, and mark changed code",
		Long:    panicsLong,
		Example: panicsExample,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.runPanics(cmd.Context(), args, &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.failIf, "fail-if", "", "exit with 1 when `CONDITION` holds, as 'ended>0 || causes.changed>0'")
	f.add(flags, "root causes")
	return cmd
}

func (a *app) runPanics(ctx context.Context, names []string, f *panicsFlags) error {
	format := cmp.Or(a.format(), "text")
	if err := config.OneOf(goat.CodeUsage, "--format", format, panicsFormats); err != nil {
		return err
	}
	looks, err := a.looks()
	if err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	names, err = a.sourcesOr(names, "crash text")
	if err != nil {
		return err
	}
	collector := diag.NewCollector(a.process(&f.diagnoseFlags))
	defer collector.Close()
	found, change, err := a.readPanics(ctx, collector, names, f)
	if err != nil {
		return err
	}
	for _, said := range append(collector.Said, silent(collector.Silent)...) {
		a.tell("%s", said)
	}
	shown, err := panicsForm(found, change, format, f.top, looks)
	if err != nil {
		return err
	}
	if err := a.print(shown); err != nil {
		return err
	}
	return a.judgeFigures(found.FailIf, found.Truncated)
}

// silent says of spools that they hold no record.
func silent(spools []string) []string {
	if len(spools) == 0 {
		return nil
	}
	which := spools[0]
	if len(spools) > 1 {
		which += fmt.Sprintf(" and %d more", len(spools)-1)
	}
	return []string{which + ": no record of panics; only programs built with `goat build --panics` keep one"}
}

func (a *app) readPanics(ctx context.Context, collector *diag.Collector, names []string, f *panicsFlags) (*goat.PanicsResult, string, error) {
	options := goat.PanicsOptions{FailIf: f.failIf}
	for _, name := range a.sourcePaths(names) {
		if err := collector.Panics(ctx, name, a.stdin, &options); err != nil {
			return nil, "", err
		}
	}
	plan, change, err := a.changeOf(f.plan, collector.Plan)
	if err != nil {
		return nil, "", err
	}
	if plan != nil {
		options.Changed = goat.ChangedFunctions(plan)
		options.Modules = append(options.Modules, plan.Module)
	}
	found, err := goat.Panics(ctx, options)
	return found, change, err
}

// panicsForm is what was found in one format.
func panicsForm(found *goat.PanicsResult, change, format string, top int, looks text.Looks) (string, error) {
	if format == "json" {
		var b bytes.Buffer
		err := writeJSON(&b, found.JSON)
		return b.String(), err
	}
	return text.Panics(found, change, top, looks), nil
}
