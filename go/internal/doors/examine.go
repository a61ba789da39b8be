package doors

import (
	"context"
	"errors"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/plan"
	"github.com/goat-trace/goat/go/internal/toolexec"
)

// Mode is how a go command is instrumented.
type Mode string

const (
	// ModeNone is plain go.
	ModeNone Mode = "none"
	// ModeMarked is goat build, test, run and install.
	ModeMarked Mode = "marked"
	// ModeEnv is marked mode by the GOFLAGS of `goat env`.
	ModeEnv Mode = "env"
	// ModeBare is -toolexec "goat toolexec" without a plan.
	ModeBare Mode = "bare"
	// ModeGenerated is the same with the plan of `goat generate`.
	ModeGenerated Mode = "generated"
	// ModeInPlace means that the points are in the sources.
	ModeInPlace Mode = "in-place"
)

// Helper is what a -toolexec in the user's flags says.
type Helper struct {
	// Mode is ModeEnv, ModeBare or ModeGenerated; ModeNone where goat is not in it.
	Mode Mode
	// Program is the goat that is named; Plan the plan directory, Overlay the build's
	// overlay file, Module what bare mode plans.
	Program, Plan, Overlay, Module string
	// Own is the user's own command around the tool.
	Own []string
}

// Why says how the mode is known, and what it costs.
func (h *Helper) Why() string {
	switch h.Mode {
	case ModeEnv:
		return "the markers and the plan of `goat env`, " + h.Plan
	case ModeGenerated:
		return "the plan of `goat generate` in " + h.Plan + "; every package is compiled once per plan"
	case ModeBare:
		return "plans " + h.Module + " anew each time; every package, the standard library too, is compiled once per plan"
	}
	return "there is no module here"
}

// Examination is what a door sees before it runs go.
type Examination struct {
	// Args are the go command line, with the user's own GOFLAGS.
	Args *gocmd.Args
	// Plain is what plain go does with GOFLAGS and arguments as they are. Goflags and
	// From are those flags and where they come from. Typed is what it would do with
	// -toolexec "goat toolexec".
	Plain, Typed  Helper
	Goflags, From string
	// Build is the mode of `goat build`; Why is its summary line, or why it adds nothing.
	Build Mode
	Why   string
	// Result and Index are the plan of this moment; nil where PlanError says why not.
	Result  *goat.Result
	Index   *plan.Index
	PlanDir string
	// Points and PointPackages are those of the build, Rest says in words what else the
	// plan holds.
	Points, PointPackages int
	Rest                  string
	PlanError             error
	// Command is the go command line of goat build, Packages what it does to the
	// planned ones. Nil where Refused says why not.
	Command  []string
	Packages []Marked
	Refused  error
	// Linked are notes about the programs as they were linked last, by import path.
	Linked map[string]plan.Linked
}

// Marked is a planned package in the build.
type Marked struct {
	ImportPath, Dir string
	Points          int
	// Flags are the user's -gcflags that it keeps, Marker what goat adds.
	Flags  []string
	Marker string
}

// Examine looks at what the door of r.Verb would do, and does not do it. An error is
// one of the command line; all others are part of the answer.
func Examine(ctx context.Context, r Request) (*Examination, error) {
	d := &door{Request: r, hooks: map[home]string{}}
	x := &Examination{Build: ModeNone, Linked: map[string]plan.Linked{}}
	refused := d.parse()
	if d.args == nil {
		return nil, refused
	}
	x.Args, x.Refused = d.args, refused
	if err := d.examineFlags(x); err != nil {
		return nil, err
	}
	make := d.Plan
	d.Plan = func(ctx context.Context, options goat.Options) (*goat.Result, error) {
		options.Build, options.Brief, options.MemoDir = r.Build, false, ""
		result, err := make(ctx, options)
		x.Result = result
		return result, err
	}
	if x.PlanError = d.makePlan(ctx, d.args.Dir); x.PlanError != nil {
		if errors.Is(x.PlanError, context.Canceled) {
			return nil, x.PlanError
		}
		return x, nil
	}
	x.Index, x.PlanDir = d.index, d.dir
	d.share = d.shareOf(r.Build)
	x.Points, x.PointPackages, x.Rest = d.share.points, d.share.packages, strings.TrimPrefix(d.share.rest(), "; ")
	d.examineBuild(x)
	return x, nil
}

// examineFlags finds out what plain go does.
func (d *door) examineFlags(x *Examination) error {
	x.Goflags, x.From = d.Environ.Effective()
	plain, err := gocmd.Parse(d.Verb, d.Settings.Dir, d.Args, x.Goflags)
	if err != nil {
		return &goat.Error{Code: goat.CodeUsage, Message: err.Error(), Hint: "see `go help environment`"}
	}
	gowork := d.userEnviron().Setting("GOWORK")
	if x.Plain, err = helperIn(plain, d.Executable, gowork); err != nil {
		return err
	}
	typed := *plain
	typed.Toolexec = "goat toolexec"
	x.Typed, err = helperIn(&typed, d.Executable, gowork)
	return err
}

// InForce is what plain go does in dir with GOFLAGS as they are.
func InForce(dir, executable string, environ gocmd.Environ) (Helper, error) {
	goflags, _ := environ.Effective()
	args, err := gocmd.Parse("build", dir, nil, goflags)
	if err != nil {
		return Helper{}, err
	}
	return helperIn(args, executable, environ.Setting("GOWORK"))
}

// helperIn reads -toolexec as the helper does.
func helperIn(args *gocmd.Args, executable, gowork string) (Helper, error) {
	h := Helper{Mode: ModeNone}
	words, err := gocmd.Split(args.Toolexec)
	if err != nil {
		return h, &goat.Error{Code: goat.CodeUsage, Message: "-toolexec: " + err.Error(), Hint: "see `go help build`"}
	}
	before, behind, ok := toolexec.IsHelper(words, executable)
	if !ok {
		h.Own = words
		return h, nil
	}
	flags, own, err := toolexec.ParseFlags(behind)
	if err != nil {
		return h, &goat.Error{Code: goat.CodeUsage, Message: "-toolexec: " + err.Error(), Hint: "goat help toolexec"}
	}
	h.Program, h.Plan, h.Overlay = words[len(before)], flags.Plan, flags.Overlay
	h.Own = append(append(append(h.Own, before...), flags.Next...), own...)
	if h.Plan != "" {
		h.Mode = ModeEnv
		return h, nil
	}
	ground, err := toolexec.Locate(args.Dir, gowork)
	if err != nil {
		return h, &goat.Error{Code: goat.CodePlanMismatch, Message: err.Error(), Hint: "remove it, or make it anew as its owner: `goat generate`"}
	}
	switch {
	case ground.Plan != "":
		h.Mode, h.Plan = ModeGenerated, ground.Plan
	case ground.Module != "":
		h.Mode, h.Module = ModeBare, ground.Module
	}
	return h, nil
}

// examineBuild finds out what goat build does with the plan.
func (d *door) examineBuild(x *Examination) {
	switch why := d.nothing(); {
	case d.index.Marked:
		x.Build, x.Why = ModeInPlace, why
		return
	case why != "":
		x.Why = why
		return
	}
	x.Build, x.Why = ModeMarked, d.summary()
	for _, m := range d.index.Mains {
		x.Linked[m.ImportPath] = d.noted(m)
	}
	for _, ref := range d.index.Packages {
		p := d.pkg(ref.ImportPath, ref.Dir)
		flags, err := d.args.Effective(p)
		if err != nil {
			x.Refused = &goat.Error{Code: goat.CodeUsage, Message: "-gcflags: " + err.Error(), Hint: "see `go help build`"}
			return
		}
		x.Packages = append(x.Packages, Marked{ImportPath: ref.ImportPath, Dir: p.Dir, Points: ref.Counters, Flags: flags, Marker: ref.Marker})
	}
	if x.Refused == nil {
		x.Command, x.Refused = d.goArgs()
	}
}

// UserEnviron is the environment before `goat env`.
func (r *Request) UserEnviron() gocmd.Environ { return (&door{Request: *r}).userEnviron() }
