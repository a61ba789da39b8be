package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/plan"
	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/report"
	"github.com/goat-trace/goat/go/internal/store"
)

// openPlan reads the plan that somebody named: a plan directory, or the document
// that `goat plan --format json` printed.
func openPlan(path string) (*report.Account, error) {
	a, err := readPlan(path)
	if err == nil {
		return a, nil
	}
	e := &goat.Error{Code: goat.CodePlanMismatch, Message: "--plan cannot be read", Path: path}
	e.Hint = "name a plan directory, or a file that `goat plan --format json` wrote"
	if errors.Is(err, fs.ErrNotExist) {
		e.Code = goat.CodeUsage
	}
	return nil, e.Wrap(err)
}

// Nearest reads the plan that somebody named, else the one that a program was built from,
// else that of .goat in the directory or above it, else the newest of this module in goat's
// cache; nil where there is none.
func Nearest(path, built, dir, cache string) (*report.Account, error) {
	if path != "" {
		return openPlan(path)
	}
	if a, err := findPlan(built, &Request{Dir: dir, Cache: cache}); err == nil {
		return a, nil
	}
	if generated, err := plan.GeneratedIn(dir); err == nil && generated != "" {
		return readPlan(generated)
	}
	root := plan.ModuleDir(dir, "")
	text, err := store.ReadFile(filepath.Join(root, "go.mod"))
	if cache == "" || root == "" || err != nil {
		return nil, nil
	}
	return newest(plan.ModulePath(string(text)), filepath.Join(cache, "plans")), nil
}

// newest is the latest plan of a module in a directory of plans. One that cannot be read
// is passed over: somebody may just be writing it. Of the plans of other modules, which a
// machine may have by the thousand, no more than the index is read.
func newest(module, plans string) *report.Account {
	entries, _ := os.ReadDir(plans)
	type dated struct {
		path string
		at   time.Time
	}
	var kept []dated
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && plan.IsHash(entry.Name()) {
			kept = append(kept, dated{filepath.Join(plans, entry.Name()), info.ModTime()})
		}
	}
	slices.SortStableFunc(kept, func(a, b dated) int { return b.at.Compare(a.at) })
	for _, k := range kept {
		if index, err := plan.ReadIndex(k.path); err != nil || index.Module != module {
			continue
		}
		if a, err := readPlan(k.path); err == nil {
			return a
		}
	}
	return nil
}

func readPlan(path string) (*report.Account, error) {
	a := &report.Account{}
	document := path
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if info.IsDir() {
		index, err := plan.ReadIndex(path)
		if err != nil {
			return nil, err
		}
		a.Hash, a.App, a.Version = index.PlanHash, index.App.Name, index.App.Version
		document = filepath.Join(path, "plan.json")
	}
	text, err := store.ReadNamed(document, store.Largest)
	if err != nil {
		return nil, err
	}
	if err := plan.Check(text, document != path); errors.Is(err, plan.ErrFormat) {
		return nil, err
	} else if err != nil {
		return nil, fmt.Errorf("%s is not a plan: %w", filepath.Base(document), err)
	}
	if err := json.Unmarshal(text, &a.Plan); err != nil {
		return nil, fmt.Errorf("%s is not a plan: %w", filepath.Base(document), printable.Mismatch(err))
	}
	if a.Hash == "" {
		a.Hash = a.Plan.PlanHash
	}
	return a, nil
}

// findPlan looks for the plan with this hash: in .goat of the directory or above it, then
// in the plan cache.
func findPlan(hash string, request *Request) (*report.Account, error) {
	if hash == "" {
		return nil, errors.New("no program of these sources was built from a plan")
	}
	for _, dir := range places(hash, request) {
		index, err := plan.ReadIndex(dir)
		if err != nil || index.PlanHash != hash {
			continue
		}
		return readPlan(dir)
	}
	return nil, fmt.Errorf("plan %s is neither in .goat nor in the plan cache; --plan names one", hash)
}

func places(hash string, request *Request) []string {
	var dirs []string
	if generated, err := plan.GeneratedIn(request.Dir); err == nil && generated != "" {
		dirs = append(dirs, generated)
	}
	// What a program says its plan is called is no path.
	if request.Cache != "" && plan.IsHash(hash) {
		dirs = append(dirs, filepath.Join(request.Cache, "plans", hash))
	}
	return dirs
}
