package cli

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/checks"
	"github.com/goat-trace/goat/go/internal/gate/serve"
	"github.com/goat-trace/goat/go/internal/gate/settings"
)

const checkServeLong = `Serve answers judges over HTTP with the verdict of goat check. Checks, sources and flags
are those of goat check; goat.yaml is read at the start.

  GET  /v1/verdict           200 with the verdict as JSON, whatever it is
  POST /v1/flagger/gate      200 pass, 412 fail, 503 inconclusive or error
  POST /v1/flagger/rollback  200 only where the verdict is fail, else 412
  POST /v1/checks            202 and a Location; there the verdict with "status", for who polls
  GET  /healthz, /metrics    alive; the newest verdict and durations for Prometheus

Every answer but /metrics is JSON, error pages included. A verdict answers for --fresh, and
who asks meanwhile waits for the one look. The POST paths take thresholds in "metadata":
{"metadata": {"check.coverage.points": "0.8"}}, nothing else.

It listens on this machine alone. With GOAT_CHECK_TOKEN set, all but /healthz wants it as a
bearer token. Ctrl-C or SIGTERM ends it within a second. docs/gates.md has a complete file
for each judge, and the traps of each.`

const checkServeExample = `  goat check serve --pods app=shop,track=canary -n prod
  GOAT_CHECK_TOKEN=... goat check serve --addr :8686
  curl -s 127.0.0.1:8686/v1/verdict`

type checkServeFlags struct {
	addr  string
	fresh time.Duration
}

func (a *app) newCheckServe(f *checkFlags) *cobra.Command {
	var s checkServeFlags
	cmd := &cobra.Command{
		Use:     "serve [CHECK]... [URL, SPOOL or REPORT]...",
		Short:   "Answer judges over HTTP",
		Long:    checkServeLong,
		Example: checkServeExample,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.runCheckServe(cmd, args, f, &s) },
	}
	a.addCheckFlags(cmd, f)
	cmd.Flags().StringVar(&s.addr, "addr", "127.0.0.1:8686", "listen on `HOST:PORT`; port 0 takes a free one")
	cmd.Flags().DurationVar(&s.fresh, "fresh", 3*time.Second, "the `DURATION` for which a verdict answers further questions")
	return cmd
}

func (a *app) runCheckServe(cmd *cobra.Command, args []string, f *checkFlags, s *checkServeFlags) error {
	if s.fresh < 0 {
		return usage(fmt.Sprintf("--fresh: %s lies ahead", s.fresh), "use something like 3s")
	}
	looks, err := a.looks()
	if err != nil {
		return err
	}
	j := &judging{a: a, cmd: cmd, args: args, f: f, plans: map[string]*checkPlan{}}
	defer j.close()
	if _, err := j.plan(nil); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", s.addr)
	if err != nil {
		e := &goat.Error{Code: goat.CodeNetwork, Message: "check cannot listen on " + s.addr, Hint: "--addr HOST:PORT names another address; port 0 takes a free one"}
		return e.Wrap(err)
	}
	token := a.getenv("GOAT_CHECK_TOKEN")
	if address, ok := listener.Addr().(*net.TCPAddr); ok && !address.IP.IsLoopback() && token == "" && !looks.Quiet {
		a.tell("--addr %s: other machines reach this server, and no token is wanted: GOAT_CHECK_TOKEN sets one", s.addr)
	}
	if err := a.print("http://" + listener.Addr().String() + "\n"); err != nil {
		return err
	}
	return serve.New(cmd.Context(), serve.Options{Judge: j.judge, Token: token, Fresh: s.fresh}).Serve(listener)
}

// judging makes verdicts for the server, with a plan per set of thresholds.
type judging struct {
	a    *app
	cmd  *cobra.Command
	args []string
	f    *checkFlags

	mu    sync.Mutex
	plans map[string]*checkPlan
	order []string
	ends  []func()
}

// plansKept is how many sets of thresholds are kept understood.
const plansKept = 64

// plan is what runs with some thresholds.
func (j *judging) plan(thresholds map[string]string) (*checkPlan, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	key := fmt.Sprint(thresholds)
	if known := j.plans[key]; known != nil {
		return known, nil
	}
	further, err := given(thresholds)
	if err != nil {
		return nil, err
	}
	plan, err := j.a.planChecks(j.cmd, j.args, j.f, further)
	if err != nil {
		return nil, err
	}
	if len(j.order) >= plansKept {
		delete(j.plans, j.order[1]) // the first one has no thresholds
		j.order = slices.Delete(j.order, 1, 2)
	}
	j.ends = append(j.ends, keepForwards(&plan.request))
	j.plans[key] = plan
	j.order = append(j.order, key)
	return plan, nil
}

func (j *judging) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, end := range j.ends {
		end()
	}
}

// given are thresholds of a request as settings: numbers, shares and times. Whatever else
// a webhook's metadata holds is its own business.
func given(thresholds map[string]string) ([]settings.Given, error) {
	var all []settings.Given
	for key, value := range thresholds {
		path := settings.Root + "." + strings.TrimPrefix(key, settings.Root+".")
		if !settings.IsThreshold(&checks.Settings{}, path) {
			if strings.HasPrefix(key, settings.Root+".") {
				return nil, fmt.Errorf("%s is no threshold", key)
			}
			continue
		}
		all = append(all, settings.Given{Path: path, Text: value, From: key})
	}
	slices.SortFunc(all, func(x, y settings.Given) int { return cmp.Compare(x.Path, y.Path) })
	return all, nil
}

// judge runs the checks. Only thresholds of the request can be wrong now; a query that a
// server refuses is the error of its check.
func (j *judging) judge(ctx context.Context, thresholds map[string]string) (*gate.Document, error) {
	plan, err := j.plan(thresholds)
	if err != nil && len(thresholds) > 0 {
		return nil, &serve.BadThreshold{Err: err}
	}
	if err != nil {
		return nil, err
	}
	return j.a.judged(ctx, plan)
}
