package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/diag"
	"github.com/goat-trace/goat/go/internal/gittext"
	"github.com/goat-trace/goat/go/internal/page"
	"github.com/goat-trace/goat/go/internal/render/html"
	"github.com/goat-trace/goat/go/internal/render/text"
	"github.com/goat-trace/goat/go/internal/report"
	"github.com/goat-trace/goat/go/internal/report/fleet"
	"github.com/goat-trace/goat/go/internal/report/source"
	"github.com/goat-trace/goat/go/internal/store"
	"github.com/goat-trace/goat/go/internal/ui"
)

// requestTimeout is how long one request to a live process may take.
const requestTimeout = 5 * time.Second

// sourceFlags are the flags of the verbs that read evidence: report, ui, watch.
type sourceFlags struct {
	plan, token string
	timeout     time.Duration
	fleet       fleetFlags
}

func (f *sourceFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.plan, "plan", "", "take the account from this plan `DIR or FILE`")
	cmd.Flags().StringVar(&f.token, "token", "", "bearer `TOKEN` of the programs (better: GOAT_TOKEN)")
	f.fleet.add(cmd)
}

// besideFlags name what processes left behind beside their points.
type besideFlags struct{ dumps []string }

func (f *besideFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.dumps, "dump", nil, "show the goroutines of this `FILE or URL` beside the points, as goat dump reads it; repeatable")
}

// collect brings the dumps to where the core can read them, until the end, which the
// caller says.
func (a *app) collect(ctx context.Context, f *besideFlags, r *source.Request) (end func(), err error) {
	collector := diag.NewCollector(diag.Live{Token: r.Token, Timeout: r.Timeout})
	for _, name := range a.sourcePaths(f.dumps) {
		s, err := collector.Source(ctx, name, a.stdin)
		if err != nil {
			collector.Close()
			return nil, err
		}
		r.Dumps = append(r.Dumps, s)
	}
	for _, said := range collector.Said {
		a.tell("%s", said)
	}
	return collector.Close, nil
}

// sources is the request for what a verb names; by default, where an instrumented
// program listens in this environment.
func (a *app) sources(cmd *cobra.Command, names []string, f *sourceFlags) (source.Request, error) {
	dir, err := config.WorkDir(a.directory())
	if err != nil {
		return source.Request{}, err
	}
	if f.timeout <= 0 {
		return source.Request{}, usage(fmt.Sprintf("--timeout: %q is not a time to wait", f.timeout), "use something like 5s")
	}
	fleets, err := f.fleet.sources(cmd, a.getenv, f.timeout)
	if err != nil {
		return source.Request{}, err
	}
	if len(names) == 0 && len(fleets) == 0 {
		names = []string{source.Default(a.getenv)}
	}
	// Without a cache there is no plan to find in it.
	cache, _ := store.Open(a.getenv)
	return source.Request{
		Further: fleets, Sources: inDir(a.directory(), names), Plan: joinDir(a.directory(), f.plan), Dir: dir,
		Cache: cache, Token: cmp.Or(f.token, a.getenv("GOAT_TOKEN")), Timeout: f.timeout,
	}, nil
}

// live is what a verb that follows a report begins with.
type live struct {
	request source.Request
	looks   text.Looks
	asJSON  bool
	// end lets go of what was kept from one look at the sources to the next.
	end func()
}

func (a *app) live(cmd *cobra.Command, names []string, f *sourceFlags) (l live, err error) {
	if l.asJSON, err = textOrJSON(a.format()); err != nil {
		return l, err
	}
	if l.looks, err = a.looks(); err != nil {
		return l, err
	}
	if l.request, err = a.sources(cmd, names, f); err != nil {
		return l, err
	}
	l.end = keepForwards(&l.request)
	return l, nil
}

// keepForwards has the sources keep what they need for each look until the end, which
// the caller says.
func keepForwards(r *source.Request) (end func()) {
	var kept []*fleet.Pods
	for _, further := range r.Further {
		if pods, ok := further.(*fleet.Pods); ok {
			pods.Keep = true
			kept = append(kept, pods)
		}
	}
	return func() {
		for _, pods := range kept {
			pods.Close()
		}
	}
}

// drawPage draws a report; the text of files comes from the repository around the
// directory, as far as it is the text that was built.
func drawPage(request source.Request) ui.Draw {
	return func(ctx context.Context, d *report.Document) (*page.Page, error) {
		wanted := html.Wanted(d, request.Hashes(d.Identity.PlanHash))
		wanted.Dir, wanted.Same = request.Dir, source.SameHash
		texts, noText := gittext.Read(ctx, &wanted)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return html.Page(d, texts, noText)
	}
}

// htmlForm is the page as one file.
func htmlForm(ctx context.Context, request source.Request, d *report.Document) ([]byte, error) {
	p, err := drawPage(request)(ctx, d)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = p.Write(&b)
	return b.Bytes(), err
}
