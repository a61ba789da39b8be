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
	"strings"
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
	Runtime func(importPath, packageName string) (map[string][]byte, error)
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
	fmt.Fprintf(h.opts.Stderr, "goat: %s\n", err)
	if p, ok := err.(interface{ Hint() string }); ok && p.Hint() != "" {
		fmt.Fprintf(h.opts.Stderr, "hint: %s\n", p.Hint())
	}
	return 1
}

// Hint says what to type.
func (p *problem) Hint() string { return p.hint }

// parse takes goat's own flags off the front.
func (h *helper) parse(args []string) error {
	for len(args) > 0 && strings.HasPrefix(args[0], "--") {
		name, value, ok := strings.Cut(args[0], "=")
		switch {
		case name == "--plan" && ok:
			h.plan, h.marked = value, true
		case name == "--overlay" && ok:
			h.overlay = value
		case name == "--server" && ok:
			h.noServer = value == "off"
		case name == "--next" && ok:
			h.next = append(h.next, value)
		default:
			return &problem{what: "toolexec: unknown flag " + args[0], hint: "goat toolexec [--plan=DIR] TOOL ARGS…"}
		}
		args = args[1:]
	}
	if len(args) == 0 {
		return &problem{what: "toolexec: no tool given", hint: `go build -toolexec "goat toolexec"`}
	}
	h.tool, h.raw = args[0], args[1:]
	var err error
	h.args, err = expand(h.raw)
	h.pkg, _, _ = strings.Cut(os.Getenv("TOOLEXEC_IMPORTPATH"), " ")
	return err
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
