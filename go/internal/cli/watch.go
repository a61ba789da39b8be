package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/report"
	"github.com/goat-trace/goat/go/internal/report/follow"
	"github.com/goat-trace/goat/go/internal/watch"
)

const watchLong = `Watch shows which points ran, while they do. In a terminal it is a table that is redrawn
in place, points that did not run first; q leaves it, / filters, ? shows the keys, and on
leaving the last table stays in the terminal. Elsewhere it writes one line for each new
hit, or with --format json one object per line.

The sources are those of goat report; they may come and go while it runs, and the evidence
of a process that has ended stays. With --timeout they need not be there at the start.

It ends with 0 when the share of --until ran, or with q; with 1 when that was not reached
by the --timeout; with 3 when part of the sources could not be read then, with 4 when
none could.`

const watchExample = `  goat watch
  goat watch http://10.0.0.7:57005 /var/run/goat
  goat watch --until 0.9 --timeout 10m    # a step of a pipeline`

type watchFlags struct {
	sourceFlags
	until   float64
	timeout time.Duration
}

func (a *app) newWatch() *cobra.Command {
	var f watchFlags
	f.sourceFlags.timeout = requestTimeout
	cmd := &cobra.Command{
		Use:     "watch [URL or SPOOL]...",
		GroupID: groupLook,
		Short:   "Show hits as they come, until enough ran",
		Long:    watchLong,
		Example: watchExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runWatch(cmd, args, &f)
		},
	}
	f.add(cmd)
	cmd.Flags().Float64Var(&f.until, "until", 0, "end when this `SHARE` of the points ran, as 0.9")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 0, "end after this `DURATION`; without it, only with the goal or a key")
	return cmd
}

func (a *app) runWatch(cmd *cobra.Command, names []string, f *watchFlags) error {
	if cmd.Flags().Changed("until") && (f.until <= 0 || f.until > 1) {
		return usage(fmt.Sprintf("--until: %v is not a share of the points", f.until), "use a number above 0 and up to 1, as 0.9")
	}
	if f.timeout < 0 {
		return usage(fmt.Sprintf("--timeout: %v is not a time to wait", f.timeout), "use something like 10m")
	}
	live, err := a.live(cmd, names, &f.sourceFlags)
	if err != nil {
		return err
	}
	defer live.end()
	options := watch.Options{
		Request: live.request, Until: f.until, Timeout: f.timeout, Every: follow.Every, Out: a.stdout, JSON: live.asJSON,
	}
	if !live.asJSON {
		in, _ := a.stdin.(*os.File)
		out, _ := a.stdout.(*os.File)
		options.Screen = watch.NewScreen(in, out, live.looks.Colour)
	}
	result, err := watch.Run(cmd.Context(), &options)
	return a.watched(&result, err, f)
}

// watched is how the watch ended, as an error.
func (a *app) watched(r *watch.Result, err error, f *watchFlags) error {
	switch {
	case errors.Is(err, watch.ErrNoSource):
		return noSource(r.Document)
	case errors.Is(err, context.Canceled):
		return err
	case err != nil:
		return written(err)
	case r.End != watch.TimedOut:
		return nil
	case r.Document == nil:
		return &goat.Error{Code: goat.CodeNetwork, Message: fmt.Sprintf("no source answered within %s", f.timeout), Hint: "give --timeout more time"}
	case r.Document.Outcome() == report.Nothing:
		return noSource(r.Document)
	}
	return a.timedOut(r.Document, f)
}

// timedOut says what is missing. That sources could not be read leaves it open.
func (a *app) timedOut(d *report.Document, f *watchFlags) error {
	status := exitStatus(exitNo)
	if d.Outcome() == report.Partial {
		a.sayPartial(d)
		status = exitInconclusive
	}
	if f.until > 0 {
		fmt.Fprintf(a.stderr, "goat: --until %v was not reached within %s: %d of %d points ran\n", f.until, f.timeout, d.Summary.Hit, d.Summary.Points)
		fmt.Fprintln(a.stderr, "hint: goat report shows which did not run; more traffic, or a longer --timeout, may reach them")
	}
	return status
}
