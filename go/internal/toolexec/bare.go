package toolexec

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/goat-trace/goat/go/internal/hook"
	"github.com/goat-trace/goat/go/internal/plan"
	"github.com/goat-trace/goat/go/internal/store"
)

// bareRun is a run without --plan: the plan is the one that `goat generate` has
// written into the module, or one made for this invocation of go.
type bareRun struct {
	// Plan is the plan directory; empty where there is nothing to instrument.
	Plan string `json:"plan"`
	// Hash is the plan's.
	Hash string `json:"hash"`
	// Generated says that the plan, the hook and the runtime are in the module.
	Generated bool `json:"generated"`
	// Pie says that position-independent executables are built, as far as the go
	// command's line can be read.
	Pie bool `json:"pie"`
}

// prepareBare finds out what this invocation of go builds with, and answers
// -V=full. done says that the tool needs nothing more.
func (h *helper) prepareBare(name string) (done bool, code int, err error) {
	switch name {
	case "compile", "link", "cgo", "cover", "vet", "fix":
	default:
		code, err = h.pass()
		return true, code, err
	}
	run, err := h.findBare()
	if err != nil {
		return true, 0, err
	}
	if run.Plan == "" {
		code, err = h.pass()
		return true, code, err
	}
	h.bare, h.plan = run, run.Plan
	if len(h.args) == 1 && h.args[0] == "-V=full" && (name == "compile" || name == "link") {
		code, err = h.version()
		return true, code, err
	}
	return false, 0, nil
}

// version prints the tool's version with the plan's hash: everything that go
// caches under it was made with this plan, and a plain build never sees it.
func (h *helper) version() (int, error) {
	code, out, err := h.captureLine(h.command(h.raw), nil)
	line := strings.TrimRight(string(out), "\r\n")
	if err != nil || code != 0 {
		fmt.Fprintln(os.Stderr, line)
		return max(code, 1), err
	}
	sum, err := h.runtimeSum()
	if err != nil {
		return 0, err
	}
	// A released tool's whole line is its id; of a development version only what
	// follows the last slash of the last word counts.
	separator := " +goat-"
	if words := strings.Fields(line); strings.HasPrefix(words[len(words)-1], "buildID=") {
		separator = "+goat-"
	}
	if h.bare.Pie {
		sum += PIE
	}
	_, err = fmt.Println(line + separator + h.bare.Hash + sum)
	return 0, err
}

// runtimeSum tells the runtime of one goat from another's.
func (h *helper) runtimeSum() (string, error) {
	if h.opts.Runtime == nil || h.bare.Generated {
		return "", nil
	}
	files, err := h.opts.Runtime("goat/rt", "")
	if err != nil {
		return "", err
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	sum := sha256.New()
	for _, name := range names {
		fmt.Fprintf(sum, "%s %d\n%s", name, len(files[name]), files[name])
	}
	return "-" + hex.EncodeToString(sum.Sum(nil)[:4]), nil
}

// findBare returns what the helpers of this invocation of go share. The first one
// makes it; the others wait for it and read it.
func (h *helper) findBare() (*bareRun, error) {
	cache, err := store.Open(os.Getenv)
	if err != nil {
		return nil, &problem{what: "goat's cache", err: err, hint: store.Hint}
	}
	dir := filepath.Join(cache, "bare")
	name := filepath.Join(dir, parentKey()+".json")
	if run := readRun(name); run != nil {
		return run, nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, &problem{what: "goat's cache", err: err, hint: store.Hint}
	}
	// What the helper prints go would keep and print again: it waits in silence, and a
	// signal ends it.
	unlock, err := store.Lock(context.Background(), strings.TrimSuffix(name, ".json")+".lock", nil)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if run := readRun(name); run != nil {
		return run, nil
	}
	run, err := h.newRun()
	if err != nil {
		return nil, err
	}
	store.Trim(cache)
	data, err := json.Marshal(run)
	if err != nil {
		return nil, err
	}
	return run, errors.Join(writeFile(name+".tmp", store.Seal(data)), os.Rename(name+".tmp", name))
}

func readRun(name string) *bareRun {
	run := &bareRun{}
	if json.Unmarshal(store.ReadSealed(name), run) != nil {
		return nil
	}
	return run
}

// newRun takes the plan that `goat generate` has left at or above the current
// directory, else makes one. The first tool of every go command is asked for its
// version in the directory in which go itself works.
func (h *helper) newRun() (*bareRun, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	run := &bareRun{}
	ground, err := Locate(dir, os.Getenv("GOWORK"))
	if err != nil {
		return nil, err
	}
	switch {
	case ground.Plan != "":
		run.Plan, run.Generated = ground.Plan, true
	case ground.Module == "":
		// `go install example.com/tool@latest` somewhere: there is nothing of the user's.
		return run, nil
	default:
		if run.Plan, err = h.newPlan(ground.Module); err != nil {
			return nil, err
		}
	}
	index, err := plan.ReadIndex(run.Plan)
	if err != nil {
		h.plan = run.Plan
		return nil, h.planProblem(err)
	}
	if err := SameGoat(index.Goat, plan.Goat{Version: h.opts.Version, Commit: h.opts.Commit}); err != nil {
		return nil, err
	}
	run.Hash, run.Pie = index.PlanHash, buildsPIE()
	if index.Points == 0 || index.Marked {
		run.Plan = ""
	}
	return run, nil
}

func (h *helper) newPlan(dir string) (string, error) {
	if h.opts.Planner == nil {
		return "", &problem{
			what: "this goat was built without its core, so it cannot plan",
			hint: "type `goat generate` with a goat that has the core (`make install`), or build with its plan: `go build -toolexec \"goat toolexec --plan=DIR\"`",
		}
	}
	return h.opts.Planner(context.Background(), dir)
}

// addHook gives a program or a test binary its hook: there is no overlay in bare
// mode. The hook goes into the program's own package, or into the main package
// that go generates for tests, and imports nothing that is not in every importcfg.
func (b *bareRun) addHook(c *compilation, path string) (bool, error) {
	// `goat generate` has put hooks beside the programs: not into tests of libraries, and
	// files that are named one by one leave it out.
	index, err := plan.ReadIndex(c.plan)
	if err != nil {
		return false, c.planProblem(err)
	}
	p, ok := b.hookFor(index, path, os.Getenv("TOOLEXEC_IMPORTPATH"), c.isProgram())
	if !ok || c.hooked() {
		return false, nil
	}
	dir := filepath.Join(filepath.Dir(c.work), "goat-hook")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return false, err
	}
	name := filepath.Join(dir, hook.MainName)
	c.args = append(c.args, name)
	return true, writeFile(name, []byte(hook.Text(p)))
}

// isProgram reports whether the package is compiled as a main one. A plugin's bears its
// import path, so there the clause has to tell.
func (c *compilation) isProgram() bool {
	if get(c.args[:c.first], "p") == "main" || !has(c.args[:c.first], "dynlink") {
		return get(c.args[:c.first], "p") == "main"
	}
	text, err := os.ReadFile(c.args[c.first])
	return err == nil && packageName(text) == "main"
}

// hooked reports whether the package has a hook already: `goat generate` has been here,
// and its plan was removed since.
func (c *compilation) hooked() bool {
	for _, file := range c.args[c.first:] {
		if !hook.IsName(hookBase(file)) {
			continue
		}
		text, err := os.ReadFile(file)
		if rest, covered := bytes.CutPrefix(text, []byte("//line ")); covered {
			_, text, _ = bytes.Cut(rest, []byte("\n"))
		}
		if err == nil && hook.IsOurs(text) {
			return true
		}
	}
	return false
}

// hookFor returns the hook of the package that is being compiled, if it gets one;
// program says that it is compiled as package main.
func (b *bareRun) hookFor(index *plan.Index, path, desc string, program bool) (hook.Params, bool) {
	p := hook.Params{ImportPath: path, Package: "main", Identity: b.Hash}
	if tested, ok := strings.CutSuffix(path, ".test"); ok {
		for _, t := range index.Tests {
			if t.ImportPath == tested {
				p.ImportPath = path
				return p, !(b.Generated && t.OfMain())
			}
		}
		return p, false
	}
	if strings.HasSuffix(desc, ".test]") {
		return p, false
	}
	// Build tags may put a library beside the program.
	for _, m := range index.Mains {
		if m.ImportPath == path && program {
			return p, true
		}
	}
	return p, false
}
