// Package toolexec is goat's helper: the program that the go command runs in
// place of each of its tools (`go build -toolexec "goat toolexec"`).
//
// It swaps paths in the command lines of compile and cgo, puts the planned
// points into the output of cover, and adds the table object at link. Everything
// else is executed as it came. It reads the plan directory, never parses Go,
// imports the standard library only, and prints nothing on success: the go
// command keeps a tool's output in its cache and replays it.
package toolexec

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go/internal/printable"
)

// A Planner makes a plan of the module around dir and returns its directory. Bare
// mode needs one; the command gives it where the core is linked in.
type Planner func(ctx context.Context, dir string) (planDir string, err error)

// Options are what the command gives the helper besides the arguments.
type Options struct {
	// Version and Commit identify this goat; a plan of another one is refused.
	Version, Commit string
	// Planner serves bare mode; nil means that there is no core.
	Planner Planner
	// Runtime returns the source files of the runtime package.
	Runtime func(importPath, packageName string, with ...string) (map[string][]byte, error)
	// Stderr takes goat's own errors; nil means os.Stderr.
	Stderr io.Writer
}

// helper is one run of one tool.
type helper struct {
	opts Options
	// plan is the plan directory; empty when there is none (then tools run plain).
	plan string
	// marked says that packages carry their marker; else the plan's hash is in -V=full.
	marked bool
	// overlay is the overlay file of the build, for telling the user's own
	// replacements from files that changed; may be empty.
	overlay string
	// noServer leaves the HTTP server out also where the program could have it.
	noServer bool
	// panics says that the build records panics, pprof that it serves profiles.
	panics, pprof bool
	// next is the user's own -toolexec command.
	next []string
	// tool and args are the real tool and its arguments, response files read.
	tool string
	args []string
	// raw are the arguments as they came.
	raw []string
	// pkg is the import path of the package that the tool works for, without variant.
	pkg string
	// bare holds the run's bare mode; nil in the other modes.
	bare *bareRun
	// timings is the log of what tools take; empty where nobody asked for it. measure says
	// that there is nothing else to do.
	timings string
	measure bool
	// pointed says that the package gets points, spent what of this process is noted, in
	// microseconds.
	pointed bool
	spent   [2]int64
}

// Main runs the helper: args is what follows the word toolexec. It returns the
// exit code, or does not return where the tool replaces the process.
func Main(args []string, opts Options) int {
	if opts.Stderr == nil {
		opts.Stderr = os.Stderr
	}
	h := &helper{opts: opts}
	if err := h.parse(args); err != nil {
		return h.fail(err)
	}
	code, err := h.run()
	if err != nil {
		return h.fail(err)
	}
	return code
}

// problem is an error with the command that helps.
type problem struct {
	what string
	hint string
	err  error
}

func (p *problem) Error() string {
	if p.err != nil {
		return p.what + ": " + p.err.Error()
	}
	return p.what
}

func (p *problem) Unwrap() error { return p.err }

func (h *helper) fail(err error) int {
	fmt.Fprintln(h.opts.Stderr, "goat: "+printable.Text(err.Error()))
	hint := shortageHint(err)
	if p, ok := err.(interface{ Hint() string }); ok && p.Hint() != "" {
		hint = p.Hint()
	}
	if hint != "" {
		fmt.Fprintln(h.opts.Stderr, "hint: "+printable.Text(hint))
	}
	return 1
}

// Hint says what to type.
func (p *problem) Hint() string { return p.hint }

// Flags are goat's own words behind `goat toolexec`.
type Flags struct {
	// Plan is the plan directory; without one it is bare mode.
	Plan string
	// Overlay is the build's overlay file.
	Overlay string
	// NoServer leaves the HTTP server out.
	NoServer bool
	// Timings is the log of what tools take; Measure says that it is all there is to do.
	Timings string
	Measure bool
	// Panics records panics, Pprof serves profiles.
	Panics, Pprof bool
	// Next is the user's own -toolexec command.
	Next []string
}

// ParseFlags takes goat's own flags off the front and returns what follows them.
func ParseFlags(args []string) (Flags, []string, error) {
	var f Flags
	for len(args) > 0 && strings.HasPrefix(args[0], "--") {
		name, value, ok := strings.Cut(args[0], "=")
		switch {
		case name == "--plan" && ok:
			f.Plan = value
		case name == "--overlay" && ok:
			f.Overlay = value
		case name == "--server" && ok:
			f.NoServer = value == "off"
		case name == "--timings" && ok, name == "--measure" && ok:
			f.Timings, f.Measure = value, name == "--measure"
		case name == "--panics" && !ok:
			f.Panics = true
		case name == "--pprof" && !ok:
			f.Pprof = true
		case name == "--next" && ok:
			f.Next = append(f.Next, value)
		default:
			return f, nil, &problem{what: "toolexec: unknown flag " + args[0], hint: "goat toolexec [--plan=DIR] TOOL ARGS…"}
		}
		args = args[1:]
	}
	return f, args, nil
}

// parse takes the command line apart: goat's flags, the user's own wrapper, the tool.
func (h *helper) parse(args []string) error {
	f, args, err := ParseFlags(args)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return &problem{what: "toolexec: no tool given", hint: `go build -toolexec "goat toolexec"`}
	}
	h.plan, h.marked, h.overlay, h.noServer, h.panics = f.Plan, f.Plan != "", f.Overlay, f.NoServer, f.Panics
	h.measure, h.pprof = f.Measure, f.Pprof
	if h.timings = f.Timings; h.timings == "" {
		h.timings = timingsFile()
	}
	at := toolAt(args)
	h.next = append(f.Next, args[:at]...)
	h.tool, h.raw = args[at], args[at+1:]
	h.args, err = expand(h.raw)
	h.pkg, _, _ = strings.Cut(os.Getenv("TOOLEXEC_IMPORTPATH"), " ")
	return err
}

// tools are those whose command lines goat changes, or asks for their version.
var tools = []string{"compile", "link", "cgo", "cover", "vet", "fix", "asm"}

// toolAt finds go's tool, which go names by its full path, behind a wrapper of the
// user's: `-toolexec "goat toolexec time"`.
func toolAt(args []string) int {
	if slices.Contains(tools, toolName(args[0])) {
		return 0
	}
	for i, arg := range args {
		if filepath.IsAbs(arg) && slices.Contains(tools, toolName(arg)) && filepath.Base(filepath.Dir(filepath.Dir(arg))) == "tool" {
			return i
		}
	}
	return 0
}

// toolName is the base name by which the helper knows a tool.
func toolName(path string) string {
	name := filepath.Base(path)
	if runtime.GOOS == "windows" {
		name = strings.TrimSuffix(name, ".exe")
	}
	return name
}

// run does what the tool needs.
func (h *helper) run() (int, error) {
	name := toolName(h.tool)
	h.log(name)
	if h.measure {
		return h.pass()
	}
	if !h.marked {
		done, code, err := h.prepareBare(name)
		if done || err != nil {
			return code, err
		}
	}
	if h.plan == "" || len(h.args) == 1 && strings.HasPrefix(h.args[0], "-V") {
		return h.pass()
	}
	switch name {
	case "compile":
		return h.compile()
	case "cgo":
		return h.cgo()
	case "cover":
		return h.cover()
	case "vet", "fix":
		return h.vet()
	case "link":
		return h.link()
	}
	return h.pass()
}

// log appends one line per tool run to the file that GOAT_TOOLEXEC_LOG names: a
// debugging aid, and the way in which the tests count compiler runs.
func (h *helper) log(name string) {
	path := os.Getenv("GOAT_TOOLEXEC_LOG")
	if path == "" {
		return
	}
	what := os.Getenv("TOOLEXEC_IMPORTPATH")
	if len(h.args) > 0 && strings.HasPrefix(h.args[0], "-V") {
		what = h.args[0]
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return
	}
	defer file.Close()
	fmt.Fprintf(file, "%s %s\n", name, what)
}
