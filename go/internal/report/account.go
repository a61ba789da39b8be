package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/plan"
)

// account is a plan with its hash and its account of changed lines.
type account struct {
	hash string
	plan goat.Result
	app  plan.App
}

// openPlan reads the plan that somebody named: a plan directory, or the document
// that `goat plan --format json` printed.
func openPlan(path string) (*account, error) {
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

func readPlan(path string) (*account, error) {
	a := &account{}
	document := path
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if info.IsDir() {
		index, err := plan.ReadIndex(path)
		if err != nil {
			return nil, err
		}
		a.hash, a.app = index.PlanHash, index.App
		document = filepath.Join(path, "plan.json")
	}
	text, err := os.ReadFile(document)
	if err != nil {
		return nil, err
	}
	var head struct{ Format int }
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("%s is not a plan: %w", filepath.Base(document), err)
	}
	if head.Format != goat.Format {
		return nil, fmt.Errorf("format %d: %w", head.Format, plan.ErrFormat)
	}
	if err := json.Unmarshal(text, &a.plan); err != nil {
		return nil, fmt.Errorf("%s is not a plan: %w", filepath.Base(document), err)
	}
	if a.hash == "" {
		a.hash = a.plan.PlanHash
	}
	return a, nil
}

// identify fills in what the plan knows of the identity.
func (a *account) identify(id *Identity) {
	p := &a.plan
	id.PlanHash, id.Module = a.hash, p.Module
	id.Base = Ref{p.Base.Ref, p.Base.Commit}
	id.Release = Ref{p.Release.Ref, p.Release.Commit}
	id.Dirty, id.ContentHash = p.Release.Dirty, p.Release.ContentHash
	id.Granularity, id.Precision = string(p.Granularity), int(p.Precision)
	if a.app.Name != "" {
		id.App, id.Version = a.app.Name, a.app.Version
	}
}

// find looks for the plan with this hash: in .goat of the directory or above it, then
// in the plan cache.
func find(hash string, request *Request) (*account, error) {
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
	for dir := request.Dir; dir != ""; dir = filepath.Dir(dir) {
		dirs = append(dirs, filepath.Join(dir, ".goat"))
		if dir == filepath.Dir(dir) {
			break
		}
	}
	if request.Cache != "" {
		dirs = append(dirs, filepath.Join(request.Cache, "plans", hash))
	}
	return dirs
}

// account holds the points against the plan: which lines were reached, and which
// points no program holds.
func (m *merger) account(named *account, request *Request) {
	a := named
	if a == nil {
		var err error
		if a, err = find(m.hash, request); err != nil {
			m.document.LinesMissing = err.Error()
			return
		}
		a.identify(&m.document.Identity)
		m.knowPlan(a)
	}
	evidence := "entered"
	if a.plan.Granularity == goat.GranularityLine {
		evidence = "reached"
	}
	found, degraded := m.takePlanPoints(a), m.degradedPoints(a)
	m.document.Lines = []Line{}
	for i := range a.plan.Account {
		line := &a.plan.Account[i]
		if line.Class != goat.ClassTracked || line.DeletedAfter != nil {
			continue
		}
		// Of a line in code that no program holds nothing can be said; its points are
		// among those that are not linked. A degraded package's code is held.
		points := slices.DeleteFunc(slices.Clone(line.Points), func(id string) bool {
			_, held := found[id]
			return !held && !degraded[id]
		})
		if len(points) == 0 && len(line.Points) > 0 {
			m.document.Summary.LinesNotLinked++
			continue
		}
		m.document.Lines = append(m.document.Lines, Line{
			File: line.File, Line: line.Line, Points: points,
			Reached: reached(points, found), Evidence: evidence,
		})
	}
}

// takePlanPoints gives the points the plan's own fields (a live process does not tell
// columns) and collects those that no program holds.
func (m *merger) takePlanPoints(a *account) map[string]bool {
	hit, held := map[string]bool{}, map[string]*Point{}
	for i := range m.document.Points {
		p := &m.document.Points[i]
		held[p.ID], hit[p.ID] = p, p.Hit
	}
	for i := range a.plan.Points {
		if p := held[a.plan.Points[i].ID]; p != nil {
			p.Point = a.plan.Points[i]
		} else {
			m.document.NotLinked = append(m.document.NotLinked, a.plan.Points[i])
		}
	}
	return hit
}

// degradedPoints are the points of packages that were built without them.
func (m *merger) degradedPoints(a *account) map[string]bool {
	ids := map[string]bool{}
	for i := range a.plan.Points {
		if slices.Contains(m.document.Degraded, a.plan.Points[i].Package) {
			ids[a.plan.Points[i].ID] = true
		}
	}
	return ids
}

func reached(points []string, hit map[string]bool) string {
	count := 0
	for _, id := range points {
		if hit[id] {
			count++
		}
	}
	switch count {
	case 0:
		return "none"
	case len(points):
		return "all"
	}
	return "some"
}
