// Package doors holds the verbs that run the go command: build, test, run, install,
// vet, list, env and generate. It makes (or is given) a plan, puts the hook and the
// runtime under an overlay, marks the planned packages, and lets go do the rest.
package doors

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/plan"
	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/store"
)

// Planner makes a plan; it is [goat.Plan] outside tests.
type Planner func(ctx context.Context, options goat.Options) (*goat.Result, error)

// Request is one use of a door.
type Request struct {
	// Verb is build, test, run, install, vet, list, env or generate.
	Verb string
	// Args are go's arguments (of env and generate: the verb's own).
	Args []string
	// Settings are goat's.
	Settings *config.Settings
	// Environ is the environment; nil means the process's.
	Environ gocmd.Environ
	// Streams are go's.
	Streams gocmd.Streams
	// Plan makes the plan.
	Plan Planner
	// Requirements serves --deps; without it there are no upgraded modules.
	Requirements Requirer
	// Build, if set, is the build that an examination's account is for.
	Build *goat.Build
	// Executable is goat itself, absolute: the helper of the build.
	Executable string
}

// door is a request at work.
type door struct {
	Request
	args  *gocmd.Args
	cache cache
	index *plan.Index
	dir   string // the plan directory
	root  string // the repository's root, without symbolic links
	// link is how go spells the directory that the plan calls linked.
	linked, link string
	// share is what this build takes of the plan.
	share share
	// untracked counts the changed lines that could run and have no point, leftOut the
	// warnings about changed files.
	untracked, leftOut int
	// deps are the upgraded modules, where --deps asks for them.
	deps []goat.Dependency
	// work are the directories of the modules that go works in, and tools the packages
	// that they name as tools.
	work, tools []string
	// hooks are the names of the hook files.
	hooks map[home]string
	// timings is the log of what the tools take; nil where nobody asked for it.
	timings *timings
}

// Run does what the request asks for and returns the exit code: go's once go has
// run. An error is goat's own, from before that.
func Run(ctx context.Context, r Request) (int, error) {
	if r.Environ == nil {
		r.Environ = os.Environ()
	}
	r.Environ = absoluteSpool(r.Environ)
	d := &door{Request: r, hooks: map[home]string{}}
	switch r.Verb {
	case "vet", "list":
		return d.plain(ctx)
	case "build", "test", "run", "install":
		return d.build(ctx)
	case "env":
		return d.env(ctx)
	case "generate":
		return d.generate(ctx)
	}
	return 0, &goat.Error{Code: goat.CodeUsage, Message: fmt.Sprintf("%q is no verb that runs go", r.Verb), Hint: "goat help"}
}

// absoluteSpool takes a relative GOAT_SPOOL from where goat was started: go test runs
// each test binary in the directory of its package.
func absoluteSpool(env gocmd.Environ) gocmd.Environ {
	dir := env.Get(spoolVariable)
	if dir == "" || filepath.IsAbs(dir) {
		return env
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return env
	}
	return env.With(spoolVariable, absolute)
}

// spoolVariable names the directory of the spool files (docs/runtime.md).
const spoolVariable = "GOAT_SPOOL"

// plain runs go on the original sources with the user's own flags.
func (d *door) plain(ctx context.Context) (int, error) {
	args := append([]string{d.Verb}, d.Args...)
	if d.Verb != "list" {
		d.openTimings()
	}
	if d.timings != nil {
		measured, err := d.measuring(args)
		if err != nil {
			d.say("no timings: %v; the build goes on", err)
			d.timings = nil
		} else {
			args = measured
		}
	}
	return d.run(ctx, d.Settings.Dir, args)
}

// run runs go without what `goat env` may have put into the environment.
func (d *door) run(ctx context.Context, dir string, args []string) (int, error) {
	// After -C, go and the programs that it runs have the PWD from before.
	env := d.userEnviron().With("PWD", d.Settings.Dir)
	if dir := d.modcache(env); dir != "" {
		env = env.With(modcacheVariable, dir)
	}
	run := func(args []string, used *gocmd.Usage) (int, error) {
		return gocmd.Measure(ctx, dir, env, args, d.Streams, used)
	}
	code, err := 0, error(nil)
	if d.timings != nil {
		code, err = d.timed(run, args)
	} else {
		code, err = run(args, nil)
	}
	if errors.Is(err, gocmd.ErrNoGo) {
		return 0, &goat.Error{Code: goat.CodeToolchain, Message: "there is no go command on PATH", Hint: "install Go 1.23 or newer: https://go.dev/dl"}
	}
	return code, err
}

const modcacheVariable = "GOMODCACHE"

// modcache is the directory for modules that go is given where it knows none; "" where it
// does, or where there is no overlay.
func (d *door) modcache(env gocmd.Environ) string {
	if d.cache.dir == "" || knowsModules(env) && env.Get(modcacheVariable) != d.cache.modules() {
		return ""
	}
	return d.cache.modules()
}

// knowsModules reports whether go has a directory for modules. Without one it builds what
// needs none, but takes every overlay for one of modules, and refuses it.
func knowsModules(env gocmd.Environ) bool {
	for _, name := range []string{"HOME", "USERPROFILE", "home"} {
		if env.Get(name) != "" {
			return true
		}
	}
	return env.Setting("GOPATH") != "" || env.Setting(modcacheVariable) != ""
}

// userEnviron is the environment before `goat env`.
func (d *door) userEnviron() gocmd.Environ {
	saved, ok := d.Environ.Lookup(gocmd.SavedGoflags)
	if !ok {
		return d.Environ
	}
	env := d.Environ.Without(gocmd.SavedGoflags).Without("GOFLAGS")
	if saved != "" {
		env = env.With("GOFLAGS", saved)
	}
	return env
}

// say prints a line of goat's own, unless goat is to be quiet.
func (d *door) say(format string, args ...any) {
	if d.Settings.Quiet {
		return
	}
	fmt.Fprintln(d.errOut(), "goat: "+printable.Text(fmt.Sprintf(format, args...)))
}

func (d *door) errOut() io.Writer {
	if d.Streams.Err != nil {
		return d.Streams.Err
	}
	return io.Discard
}

// makePlan plans the working tree around dir and reads the index.
func (d *door) makePlan(ctx context.Context, dir string) error {
	if module := plan.ModuleDir(dir, d.userEnviron().Setting("GOWORK")); module != "" && config.ModuleRoot(dir) == "" {
		// The root of a workspace is no module: any of its modules stands for all.
		dir = module
	}
	var err error
	if d.cache, err = openCache(d.Environ); err != nil {
		return err
	}
	options := d.Settings.Options()
	options.Dir = dir
	options.Config.ModFile = d.modfile()
	options.OutDir, options.MemoDir, options.Brief = d.cache.plans(), d.cache.memo(), true
	if err := os.MkdirAll(options.OutDir, 0o777); err != nil {
		return unwritable(options.OutDir, err)
	}
	d.deps = d.upgrades(ctx, options)
	options.Deps = d.deps
	result, err := d.Plan(ctx, options)
	if err != nil {
		return err
	}
	if d.index, err = plan.ReadIndex(result.PlanDir); err != nil {
		return &goat.Error{Code: goat.CodePlanMismatch, Message: "the plan just made cannot be read: " + err.Error(), Hint: "rebuild goat: `make install`", Path: result.PlanDir}
	}
	d.sayUntracked(result.Summary.Other)
	d.sayLeftOut(result)
	d.share, d.untracked, d.leftOut = wholePlan(d.index), result.Summary.Untracked, len(result.Warnings)
	d.dir = result.PlanDir
	touch(d.dir)
	store.Trim(d.cache.dir)
	if err := d.findRoot(dir); err != nil {
		return err
	}
	d.dropHidden()
	return nil
}

// modfile is the file that stands for go.mod, absolute; empty for none.
func (d *door) modfile() string {
	name := d.args.Value("modfile")
	if name == "" {
		return ""
	}
	return d.absolute(name)
}

// leftOutShown is how many changed files that could not be planned are named.
const leftOutShown = 3

// sayLeftOut names changed files of which the plan holds nothing.
func (d *door) sayLeftOut(result *goat.Result) {
	for i, w := range result.Warnings {
		if i == leftOutShown {
			d.say("and %s more; `goat plan` lists them", counted(len(result.Warnings)-i, "warning"))
			return
		}
		place := w.Path
		if w.Line > 0 {
			place = fmt.Sprintf("%s:%d", w.Path, w.Line)
		}
		d.say("warning: %s: %s", place, w.Message)
	}
}

// dropHidden leaves out the programs and tests in directories that go passes over
// (testdata, _x, .x), unless the command line names them: they are no parts of what is
// released.
func (d *door) dropHidden() {
	asked := func(importPath, dir string) bool {
		p := d.pkg(importPath, dir)
		files := d.fileDir()
		return d.args.Asked(p) || files != "" && sameDir(files, p.Dir)
	}
	d.index.Mains = slices.DeleteFunc(d.index.Mains, func(m plan.Main) bool { return m.Hidden && !asked(m.ImportPath, m.Dir) })
	d.index.Tests = slices.DeleteFunc(d.index.Tests, func(t plan.TestDir) bool { return t.Hidden && !asked(t.ImportPath, t.Dir) })
}

func unwritable(path string, err error) error {
	return &goat.Error{
		Code: goat.CodeUnwritable, Message: "cannot write goat's cache: " + err.Error(), Path: path,
		Hint: store.Hint,
	}
}
