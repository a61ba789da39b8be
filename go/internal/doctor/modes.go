package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/doors"
	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/plan"
	"github.com/goat-trace/goat/go/internal/toolexec"
)

const typedBare = `go build -toolexec "goat toolexec"`

// modes says of each way to build what it does here, and which of them is in force.
func (p *patient) modes() {
	x := p.exam
	p.deps()
	build := Door{"goat build", x.Build, x.Why}
	if x.PlanError != nil {
		build.Why = "no plan: " + x.PlanError.Error()
	}
	plain := Door{"go build", x.Plain.Mode, p.plainWhy()}
	p.report.Doors = append(p.report.Doors, build, plain)
	if x.Plain.Mode == doors.ModeNone {
		p.report.Doors = append(p.report.Doors, Door{typedBare, x.Typed.Mode, x.Typed.Why()})
	}
	switch {
	case x.Build == doors.ModeInPlace:
		p.report.Mode, p.report.Why = x.Build, x.Why
	case x.Plain.Mode != doors.ModeNone:
		p.report.Mode, p.report.Why = x.Plain.Mode, plain.Why
	case x.Typed.Mode == doors.ModeGenerated:
		p.report.Mode, p.report.Why = x.Typed.Mode, x.Typed.Why()
	default:
		p.report.Mode, p.report.Why = x.Build, build.Why
	}
}

// deps says which doors leave upgraded modules out.
func (p *patient) deps() {
	if !p.Door.Settings.Deps {
		return
	}
	switch mode := p.exam.Plain.Mode; mode {
	case doors.ModeBare, doors.ModeGenerated:
		p.add("deps", Warn, fmt.Sprintf("plain go build is in %s mode, which leaves upgraded modules out", mode), "`goat build --deps` tracks them")
	}
}

func (p *patient) plainWhy() string {
	x := p.exam
	where := "GOFLAGS"
	if x.From != "" && x.From != "environment" {
		where += " in " + x.From
	}
	switch {
	case x.Plain.Mode != doors.ModeNone:
		return where + ": " + x.Plain.Why()
	case len(x.Plain.Own) > 0:
		return "-toolexec runs " + strings.Join(x.Plain.Own, " ") + ", without goat"
	}
	return "no -toolexec in GOFLAGS"
}

// Refusals is the closed list of what goat refuses to build: name, why, and what to
// type instead.
var Refusals = []struct{ Name, Why, Instead string }{
	{"stale", "a file has changed since the plan: evidence about other code would be false", "plan again (`goat build`; `eval \"$(goat env)\"`; `goat generate`), or GOAT_STALE=skip builds the file plain"},
	{"plan-gone", "the plan directory is not there: a plain object would be cached as if it were instrumented", "the same door again"},
	{"bare-lacks", "bare mode cannot add imports, and the program lacks what the runtime needs (one without fmt and os)", "`goat build`"},
	{"linkshared", "-linkshared: the table of what is in a binary is made at link", "build without it"},
	{"shared", "-buildmode=shared: a library of packages has no program whose points could be told", "build it without goat: `go build -buildmode=shared`"},
	{"no-module", "there is no go.mod in the repository (GOPATH mode, files without a module, a go.mod above the repository): the plan's import paths come from it", "build without goat: `go build`; or have go.mod in the repository: `go mod init`"},
	{"no-git", "there is no git repository around the module: what has changed, and against what, is known from git alone", "build without goat: `go build`; where there is git, `goat generate` prepares a tree that is built without it"},
	{"broken-git", "git itself cannot read the repository: damaged, a configuration that is none, a core.worktree that is not there, a format or an extension that is not known", "build without goat: `go build -buildvcs=false`; `git status` says what is wrong"},
	{"sha256", "the repository stores SHA-256 object names, which libgit2 does not read", "build without goat: `go build`; or make a SHA-1 copy: `git fast-export --all | git -C NEWDIR fast-import`"},
	{"no-cache", "goat has no directory of its own to write to: GOAT_CACHE, or HOME and TMPDIR, cannot be written or are another user's", "GOAT_CACHE=DIR `goat build`"},
	{"nosplit", "the linker says `nosplit stack over 792 byte limit`: --exact, -race and C libraries put a call into what a //go:nosplit function inlines", "build without --exact, or put //goat:ignore before the function that the linker names"},
	{"two-goats", "the plan is by another goat than the helper: they may read it differently", "one goat for both, then plan again"},
	{"no-helper", "the markers of `goat env` are there, but another -toolexec took the place of goat's", "put yours into GOFLAGS before `goat env`, or type `goat build -toolexec=…`: both run it behind goat's"},
}

func (p *patient) refuse(name, command string, err error) {
	r := Refusal{Name: name, Command: command, Message: err.Error()}
	var e *goat.Error
	if errors.As(err, &e) {
		r.Hint = e.Hint
	} else if h, ok := err.(interface{ Hint() string }); ok {
		r.Hint = h.Hint()
	}
	p.report.Refusals = append(p.report.Refusals, r)
}

// refusals finds those that apply to a command of this moment.
func (p *patient) refusals(ctx context.Context) {
	x := p.exam
	if x.Refused != nil {
		name := "flags"
		var refused *goat.Error
		switch {
		case errors.As(x.Refused, &refused) && refused.Code == goat.CodeNoGoMod:
			name = "no-module"
		case x.Args.Value("buildmode") == "shared":
			name = "shared"
		case x.Args.Linkshared:
			name = "linkshared"
		}
		p.refuse(name, "goat build", x.Refused)
	}
	helper, command := &x.Plain, "go build"
	if helper.Mode == doors.ModeNone && x.Typed.Mode == doors.ModeGenerated {
		helper, command = &x.Typed, typedBare
	}
	switch helper.Mode {
	case doors.ModeEnv, doors.ModeGenerated:
		p.planned(ctx, helper, command)
	case doors.ModeBare:
		p.bare(command)
	case doors.ModeNone:
		if strings.Contains(x.Goflags, "-goatmark=") {
			r := Refusals[slices.IndexFunc(Refusals, func(r struct{ Name, Why, Instead string }) bool { return r.Name == "no-helper" })]
			p.report.Refusals = append(p.report.Refusals, Refusal{Name: r.Name, Command: command, Message: r.Why, Hint: r.Instead})
		}
	}
}

// planned looks at a plan that stands already.
func (p *patient) planned(ctx context.Context, h *doors.Helper, command string) {
	index, err := plan.ReadIndex(h.Plan)
	switch {
	case errors.Is(err, os.ErrNotExist):
		p.report.Refusals = append(p.report.Refusals, Refusal{
			Name: "plan-gone", Command: command, Message: "plan directory gone: " + h.Plan, Hint: again(h.Mode),
		})
		return
	case err != nil:
		p.report.Refusals = append(p.report.Refusals, Refusal{
			Name: "two-goats", Command: command, Message: "the plan in " + h.Plan + " cannot be read: " + err.Error(), Hint: again(h.Mode),
		})
		return
	}
	if _, err := os.Stat(h.Overlay); h.Overlay != "" && err != nil {
		p.report.Refusals = append(p.report.Refusals, Refusal{
			Name: "plan-gone", Command: command, Message: "the overlay file is gone: " + h.Overlay, Hint: again(h.Mode),
		})
	}
	if err := toolexec.SameGoat(index.Goat, p.helperVersion(ctx, h)); err != nil {
		p.refuse("two-goats", command, err)
	}
	p.stale(h, command)
	if h.Mode == doors.ModeEnv {
		p.unmarked(index)
	}
}

func again(mode doors.Mode) string {
	if mode == doors.ModeGenerated {
		return "`goat generate`, or `go generate ./...` where a //go:generate line says so"
	}
	return "`eval \"$(goat env)\"` plans again, `eval \"$(goat env --unset)\"` gives plain go back"
}

// helperVersion is that of the goat which the build would run.
func (p *patient) helperVersion(ctx context.Context, h *doors.Helper) plan.Goat {
	own := plan.Goat{Version: p.Version, Commit: p.Commit}
	path, err := exec.LookPath(h.Program)
	if err != nil || sameFile(path, p.Door.Executable) {
		return own
	}
	out, err := exec.CommandContext(ctx, path, "version", "--format", "json").Output()
	var other plan.Goat
	if err != nil || json.Unmarshal(out, &other) != nil {
		return own
	}
	return other
}

// stale names all files that differ from those of the plan.
func (p *patient) stale(h *doors.Helper, command string) {
	overlay := h.Overlay
	if overlay == "" {
		overlay = p.exam.Args.Overlay
	}
	var changed []string
	for _, pkg := range p.list.packages {
		if pkg.Standard {
			continue
		}
		files, err := toolexec.Changed(h.Plan, overlay, pkg.ImportPath, pkg.files())
		if err != nil {
			p.add("packages", Warn, pkg.ImportPath+": "+err.Error(), "")
			continue
		}
		changed = append(changed, files...)
	}
	if len(changed) == 0 {
		return
	}
	p.report.Refusals = append(p.report.Refusals, Refusal{
		Name: "stale", Command: command, Message: toolexec.StaleText(changed), Files: changed,
		Hint:    again(h.Mode) + "; GOAT_STALE=skip builds changed files plain",
		Skipped: p.Door.Environ.Get("GOAT_STALE") == "skip",
	})
}

// unmarked warns of planned packages that the flags on the command line have taken the
// marker from: of several -gcflags go takes the last one that matches.
func (p *patient) unmarked(index *plan.Index) {
	args, err := gocmd.Parse(p.Door.Verb, p.Door.Settings.Dir, p.Door.Args, p.exam.Goflags)
	if err != nil {
		return
	}
	var bare []string
	for _, ref := range index.Packages {
		pkg := p.list.byPath[ref.ImportPath]
		if pkg == nil {
			continue
		}
		words, err := args.Effective(gocmd.Package{ImportPath: ref.ImportPath, Dir: pkg.Dir, ModuleDir: p.exam.Args.Dir})
		if err == nil && !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, "-goatmark=") }) {
			bare = append(bare, ref.ImportPath)
		}
	}
	if len(bare) > 0 {
		p.add("flags", Warn, fmt.Sprintf("-gcflags takes goat's marker from %s: compiled without points (degraded)", strings.Join(bare, ", ")), "`goat build` with the same flags merges them")
	}
	if overlay := args.Overlay; overlay != p.exam.Plain.Overlay {
		p.add("flags", Warn, "-overlay="+overlay+" takes the place of goat's: the programs get no hook and track nothing", "`goat build` with the same flag composes the two")
	}
}

// bare looks at the programs that bare mode would link.
func (p *patient) bare(command string) {
	x := p.exam
	if x.Index == nil || x.Index.Marked || x.Index.Points == 0 {
		return
	}
	for _, m := range x.Index.Mains {
		pkg := p.list.byPath[m.ImportPath]
		if pkg == nil {
			continue
		}
		program := toolexec.Program{
			Packages: append([]string{"runtime"}, pkg.Deps...), GOOS: p.golang.GOOS, GOARCH: p.golang.GOARCH, GOROOT: p.golang.GOROOT, Runtime: p.Runtime,
		}
		if err := program.Refused(); err != nil {
			p.refuse("bare-lacks", command+" "+m.ImportPath, err)
		}
	}
}
