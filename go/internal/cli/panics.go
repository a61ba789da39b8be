package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/diag"
	"github.com/goat-trace/goat/go/internal/render"
	"github.com/goat-trace/goat/go/internal/render/text"
	"github.com/goat-trace/goat/go/internal/report/source"
	"github.com/goat-trace/goat/go/internal/store"
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
	plan, token, failIf string
	timeout             time.Duration
	top                 int
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
	flags.StringVar(&f.plan, "plan", "", "take the change from this plan `DIR or FILE`")
	flags.StringVar(&f.token, "token", "", "bearer `TOKEN` of the process (better: GOAT_TOKEN)")
	flags.DurationVar(&f.timeout, "timeout", 30*time.Second, "how long one request may take")
	flags.IntVar(&f.top, "top", 0, "show only the first `N` root causes as text")
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
	if f.timeout <= 0 || f.top < 0 {
		return usage("--timeout and --top are above zero", "use something like --timeout 10s and --top 20")
	}
	names, err = a.sourcesOr(names, "crash text")
	if err != nil {
		return err
	}
	found, change, err := a.readPanics(ctx, names, f)
	if err != nil {
		return err
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

// sourcesOr takes standard input where nothing is named, if something comes from there.
func (a *app) sourcesOr(names []string, what string) ([]string, error) {
	if len(names) > 0 {
		return names, nil
	}
	if file, ok := a.stdin.(*os.File); ok && isTerminal(file) {
		return nil, usage("no "+what+" is named", "name a file or a URL, or pipe one into it")
	}
	return []string{"-"}, nil
}

func (a *app) readPanics(ctx context.Context, names []string, f *panicsFlags) (*goat.PanicsResult, string, error) {
	collector := diag.NewCollector(diag.Live{Token: cmp.Or(f.token, a.getenv("GOAT_TOKEN")), Timeout: f.timeout})
	defer collector.Close()
	options := goat.PanicsOptions{FailIf: f.failIf}
	for _, name := range names {
		if name != "-" && !diag.IsLive(name) {
			name = joinDir(a.directory(), name)
		}
		if err := collector.Panics(ctx, name, a.stdin, &options); err != nil {
			return nil, "", err
		}
	}
	for _, said := range collector.Said {
		a.tell("%s", said)
	}
	plan, change, err := a.changeOf(f.plan)
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

// changeOf is the plan that what was found is held against, and how it is called; nil
// where there is none.
func (a *app) changeOf(path string) (*goat.Result, string, error) {
	dir, err := config.WorkDir(a.directory())
	if err != nil {
		return nil, "", err
	}
	// Without a cache there is no plan to find in it.
	cache, _ := store.Open(a.getenv)
	plan, err := source.Nearest(joinDir(a.directory(), path), dir, cache)
	if plan == nil || err != nil {
		return nil, "", err
	}
	return &plan.Plan, fmt.Sprintf("%s to %s", render.Base(&plan.Plan.Base), render.Release(&plan.Plan.Release)), nil
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
