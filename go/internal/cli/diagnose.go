package cli

import (
	"cmp"
	"fmt"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/diag"
	"github.com/goat-trace/goat/go/internal/render"
	"github.com/goat-trace/goat/go/internal/report/source"
	"github.com/goat-trace/goat/go/internal/store"
)

// diagnoseFlags are what dump, panics and profile have in common.
type diagnoseFlags struct {
	plan, token string
	timeout     time.Duration
	top         int
}

// add defines them; rows says what --top counts.
func (f *diagnoseFlags) add(flags *pflag.FlagSet, rows string) {
	flags.StringVar(&f.plan, "plan", "", "take the change from this plan `DIR or FILE`")
	flags.StringVar(&f.token, "token", "", "bearer `TOKEN` of the process (better: GOAT_TOKEN)")
	flags.DurationVar(&f.timeout, "timeout", 30*time.Second, "the `DURATION` that one request may take")
	flags.IntVar(&f.top, "top", 0, "show only the first `N` "+rows+" as text")
}

func (f *diagnoseFlags) check() error {
	if f.timeout <= 0 || f.top < 0 {
		return usage("--timeout and --top are above zero", "use something like --timeout 10s and --top 20")
	}
	return nil
}

// process says how to ask a process.
func (a *app) process(f *diagnoseFlags) diag.Live {
	return diag.Live{Token: cmp.Or(f.token, a.getenv("GOAT_TOKEN")), Timeout: f.timeout}
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

// changeOf is the plan that what was found is held against, and how it is called; nil
// where there is none. built is the plan that a program says it was built from: two trees
// of one module have one cache.
func (a *app) changeOf(path, built string) (*goat.Result, string, error) {
	dir, err := config.WorkDir(a.directory())
	if err != nil {
		return nil, "", err
	}
	// Without a cache there is no plan to find in it.
	cache, _ := store.Open(a.getenv)
	plan, err := source.Nearest(joinDir(a.directory(), path), built, dir, cache)
	if plan == nil || err != nil {
		return nil, "", err
	}
	return &plan.Plan, fmt.Sprintf("%s to %s", render.Base(&plan.Plan.Base), render.Release(&plan.Plan.Release)), nil
}

// changedFunctions are those of the nearest plan, and what it compares; nil without a plan.
func (a *app) changedFunctions(named string) (functions []goat.ChangedFunction, change string, err error) {
	plan, change, err := a.changeOf(named, "")
	if err != nil || plan == nil {
		return nil, "", err
	}
	functions = append([]goat.ChangedFunction{}, goat.ChangedFunctions(plan)...)
	return diag.Hashed(functions, a.getenv("GOAT_PPROF_KEY")), change, nil
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
