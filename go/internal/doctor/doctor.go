// Package doctor explains, for the module it stands in, how goat would build here and
// what stands in the way. It runs git and go only to ask them, and compiles nothing.
package doctor

import (
	"context"
	"errors"
	"slices"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/doors"
)

// Format is the number of the report's JSON form.
const Format = 1

// Status is how a check ended.
type Status string

const (
	// OK needs no word.
	OK Status = "ok"
	// Warn costs evidence or time, or may surprise.
	Warn Status = "warn"
	// Fail keeps goat from working here.
	Fail Status = "fail"
)

// Check is one thing that was looked at.
type Check struct {
	Name    string `json:"name"`
	Status  Status `json:"status"`
	Message string `json:"message"`
	// Hint says what to type.
	Hint string `json:"hint,omitempty"`
}

// Door is a go command and what becomes of it here.
type Door struct {
	Command string     `json:"command"`
	Mode    doors.Mode `json:"mode"`
	Why     string     `json:"why"`
}

// Refusal is one of goat's refusals (goat help refusals) that applies here.
type Refusal struct {
	// Name is that of the closed list, Command the one that is refused.
	Name    string `json:"name"`
	Command string `json:"command"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
	// Files are those that changed.
	Files []string `json:"files,omitempty"`
	// Skipped says that GOAT_STALE=skip is set: the files are built plain.
	Skipped bool `json:"skipped,omitempty"`
}

// Rebuilt is what a build of this moment compiles at most.
type Rebuilt struct {
	// Command is the one that it is about.
	Command string `json:"command"`
	// Packages are compiled anew, with the reason.
	Packages []RebuiltPackage `json:"packages"`
	// All says that everything is, once per plan.
	All bool `json:"all"`
	// Total is how many packages the build has, Standard how many of them, recompiled,
	// belong to the standard library.
	Total    int `json:"total"`
	Standard int `json:"standard"`
}

// RebuiltPackage is one of them.
type RebuiltPackage struct {
	ImportPath string `json:"importPath"`
	Reason     string `json:"reason"`
}

// Flags are the user's flags and what goat makes of them.
type Flags struct {
	Goflags string `json:"goflags"`
	// From is "environment", go's environment file, or "" where there are none.
	From string `json:"from"`
	// Gcflags are the user's own for planned packages, Overlay and Toolexec what goat's
	// are put on top of.
	Gcflags  []PackageFlags `json:"gcflags"`
	Overlay  string         `json:"overlay"`
	Toolexec []string       `json:"toolexec"`
	// Command is go's command line in marked mode.
	Command []string `json:"command"`
}

// PackageFlags are the compiler flags of one package.
type PackageFlags struct {
	ImportPath string   `json:"importPath"`
	Flags      []string `json:"flags"`
}

// Missing is code of the change, or of the plan, that is not instrumented.
type Missing struct {
	// File has changed Lines ("3-5, 9"; empty: all of its Count) without a point; where
	// it is empty, Package is degraded.
	File    string `json:"file,omitempty"`
	Lines   string `json:"lines,omitempty"`
	Count   int    `json:"count,omitempty"`
	Package string `json:"package,omitempty"`
	Reason  string `json:"reason"`
}

// Report is what the doctor has found.
type Report struct {
	Format int `json:"format"`
	// Mode is in force: what go build does in this shell if that is instrumented, else
	// what goat's own door does. Why says how that is known.
	Mode            doors.Mode `json:"mode"`
	Why             string     `json:"why"`
	Doors           []Door     `json:"doors"`
	Checks          []Check    `json:"checks"`
	Refusals        []Refusal  `json:"refusals"`
	Rebuilt         *Rebuilt   `json:"rebuilt"`
	Flags           *Flags     `json:"flags"`
	NotInstrumented []Missing  `json:"notInstrumented"`
	// Findings counts failed checks and refusals that are in the way.
	Findings int `json:"findings"`
}

// Request is what to look at.
type Request struct {
	// Door is a request of `goat build` with the arguments that go would get.
	Door doors.Request
	// Version and Commit are this goat's.
	Version, Commit string
	// Core says that the core is linked in.
	Core bool
	// Runtime returns the source files of the runtime package.
	Runtime func(importPath, packageName string, with ...string) (map[string][]byte, error)
}

// patient is one examination at work.
type patient struct {
	Request
	report *Report
	exam   *doors.Examination
	golang goEnv
	list   *listing
}

// Run examines and reports. An error means that it could not look at all.
func Run(ctx context.Context, r Request) (*Report, error) {
	p := &patient{Request: r, report: &Report{
		Format: Format, Doors: []Door{}, Checks: []Check{}, Refusals: []Refusal{}, NotInstrumented: []Missing{},
	}}
	p.goat()
	p.git(ctx)
	p.toolchain(ctx)
	p.caches()
	if err := p.examine(ctx); err != nil {
		return nil, err
	}
	p.marks(ctx)
	p.environment()
	p.packages(ctx)
	p.modes()
	p.refusals(ctx)
	p.rebuilt()
	p.flags()
	p.missing()
	p.count()
	return p.report, ctx.Err()
}

// examine has the door look at the module, its repository and the command line.
func (p *patient) examine(ctx context.Context) error {
	request := p.Door
	request.Plan = func(ctx context.Context, options goat.Options) (*goat.Result, error) {
		if !p.Core {
			return nil, errCore
		}
		return p.Door.Plan(ctx, options)
	}
	exam, err := doors.Examine(ctx, request)
	if err != nil {
		return err
	}
	p.exam = exam
	p.base()
	return nil
}

var errCore = errors.New("no core")

func (p *patient) add(name string, status Status, message, hint string) {
	p.report.Checks = append(p.report.Checks, Check{name, status, message, hint})
}

// fail is an error as a check.
func (p *patient) fail(name string, status Status, err error) {
	var e *goat.Error
	if errors.As(err, &e) {
		p.add(name, status, e.Error(), e.Hint)
		return
	}
	hint := ""
	if h, ok := err.(interface{ Hint() string }); ok {
		hint = h.Hint()
	}
	p.add(name, status, err.Error(), hint)
}

// needed reports whether the build that is in force needs core and repository: one
// with a plan that stands already does not.
func (p *patient) needed() Status {
	if p.exam != nil && (p.exam.Plain.Mode == doors.ModeGenerated || p.exam.Typed.Mode == doors.ModeGenerated) {
		return Warn
	}
	return Fail
}

func (p *patient) count() {
	for _, c := range p.report.Checks {
		if c.Status == Fail {
			p.report.Findings++
		}
	}
	for _, r := range p.report.Refusals {
		if !r.Skipped {
			p.report.Findings++
		}
	}
	slices.SortStableFunc(p.report.Checks, func(a, b Check) int { return rank(a.Name) - rank(b.Name) })
}

// order is that of the report.
var order = []string{"goat", "git", "go", "cgo", "cache", "go cache", "temporary files", "home", "repository", "base", "points", "marks", "environment", "spool", "server"}

func rank(name string) int {
	if i := slices.Index(order, name); i >= 0 {
		return i
	}
	return len(order)
}
