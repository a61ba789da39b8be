// Package gocmd runs the go command and reads its command lines: which flags of
// the user's meet goat's, which packages are asked for, which arguments belong to
// a program.
package gocmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// valued are the go command's flags that take a value in the next argument where
// they stand without `=`. All others are boolean or written with `=`.
var valued = set(`C asmflags buildmode compiler covermode coverpkg coverprofile
	exec gccgoflags gcflags installsuffix ldflags mod modfile o overlay p pgo pkgdir tags toolexec vet
	debug-actiongraph debug-runtime-trace debug-trace
	bench benchtime blockprofile blockprofilerate count cpu cpuprofile fuzz fuzztime fuzzminimizetime list
	memprofile memprofilerate mutexprofile mutexprofilefraction outputdir parallel run shuffle skip timeout trace`)

// boolean are those of go test that stand alone. It gives a flag in neither list to
// the test binary.
var boolean = set(`a asan buildvcs c cover json linkshared modcacherw msan n race trimpath work x
	artifacts benchmem failfast fullpath short v`)

// prefixed are the flags that go test also takes with test. in front.
var prefixed = set(`artifacts bench benchmem benchtime blockprofile blockprofilerate count coverprofile cpu cpuprofile
	failfast fullpath fuzz fuzzminimizetime fuzztime list memprofile memprofilerate mutexprofile mutexprofilefraction
	outputdir parallel run short shuffle skip timeout trace v`)

func set(names string) map[string]bool {
	m := map[string]bool{}
	for _, name := range strings.Fields(names) {
		m[name] = true
	}
	return m
}

// plainName is a flag's name without the test. that some may have.
func plainName(name string) string {
	if plain, ok := strings.CutPrefix(name, "test."); ok && prefixed[plain] {
		return plain
	}
	return name
}

// Args are the arguments of one go command, taken apart.
type Args struct {
	// Verb is build, test, …
	Verb string
	// Dir is where the command works: the directory given, moved by -C.
	Dir string
	// Gcflags are the values of -gcflags, those of GOFLAGS first; Own counts how many
	// stood on the command line. Overlay, Toolexec and Linkshared are the last ones.
	// They are not in Flags.
	Gcflags    []string
	Own        int
	Overlay    string
	Toolexec   string
	Linkshared bool
	// Flags are the other flags as the user wrote them, up to the packages, with the
	// `--` that may end them.
	Flags []string
	// Rest is what follows: packages or files, and for test and run what comes after.
	Rest []string
	// Packages are the packages or files asked for; none means the one in Dir.
	Packages []string
	// names are the flags that are set, wherever.
	names map[string]string
}

// Has reports whether a flag is set on the command line or in GOFLAGS.
func (a *Args) Has(name string) bool {
	_, ok := a.names[name]
	return ok
}

// Value returns the last value of a flag.
func (a *Args) Value(name string) string { return a.names[name] }

// Parse takes the arguments of `go VERB` apart, with the flags from goflags in
// front of them. dir is the directory in which the command is run.
func Parse(verb, dir string, args []string, goflags string) (*Args, error) {
	a := &Args{Verb: verb, Dir: dir, names: map[string]string{}}
	words, err := Split(goflags)
	if err != nil {
		return nil, fmt.Errorf("GOFLAGS: %w", err)
	}
	for _, word := range words {
		name, value, _ := flagOf(word)
		a.take(name, value)
	}
	inGoflags := len(a.Gcflags)
	if args, err = a.chdir(args); err != nil {
		return nil, err
	}
	if verb == "test" {
		a.scanTest(args)
	} else {
		a.scan(args)
	}
	a.Own = len(a.Gcflags) - inGoflags
	return a, nil
}

// chdir reads -C, which go takes as the first argument only. The system resolves the
// path, not its text, and go then calls the directory by the name that has no links in
// it: PWD stays as it was, and go believes it only where it is the same directory.
func (a *Args) chdir(args []string) ([]string, error) {
	if len(args) == 0 {
		return args, nil
	}
	name, value, hasValue := flagOf(args[0])
	if name != "C" || !hasValue && len(args) == 1 {
		return args, nil
	}
	args = args[1:]
	if !hasValue {
		value, args = args[0], args[1:]
	}
	if value != "" && !filepath.IsAbs(value) {
		value = a.Dir + string(filepath.Separator) + value
	}
	to, err := os.Stat(value)
	if err != nil {
		return nil, err
	}
	if !to.IsDir() {
		return nil, &os.PathError{Op: "chdir", Path: value, Err: errors.New("not a directory")}
	}
	if here, err := os.Stat(a.Dir); err == nil && os.SameFile(here, to) {
		return args, nil
	}
	if a.Dir = filepath.Clean(value); runtime.GOOS != "windows" {
		a.Dir, err = filepath.EvalSymlinks(value)
	}
	return args, err
}

// flagOf reads one argument as a flag; name is empty if it is none.
func flagOf(arg string) (name, value string, hasValue bool) {
	if len(arg) < 2 || arg[0] != '-' || arg == "--" {
		return "", "", false
	}
	name, value, hasValue = strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
	return name, value, hasValue
}

// scan goes over the command line: the first argument that is no flag ends them, and so
// does `--`.
func (a *Args) scan(args []string) {
	for len(args) > 0 {
		if args[0] == "--" {
			a.Flags, args = append(a.Flags, args[0]), args[1:]
			break
		}
		name, n := a.flag(args)
		if name == "" {
			break
		}
		args = args[n:]
	}
	a.Rest, a.Packages = slices.Clone(args), slices.Clone(args)
	if a.Verb == "run" {
		a.Packages = program(a.Packages)
	}
}

// flag takes the flag at the head of args and returns its name, empty if there is none,
// and how many arguments it is.
func (a *Args) flag(args []string) (name string, n int) {
	name, value, hasValue := flagOf(args[0])
	if name == "" {
		return "", 0
	}
	n = 1
	if !hasValue && valued[plainName(name)] && len(args) > 1 {
		value, n = args[1], 2
	}
	if !a.take(name, value) {
		a.keep(args[:n]...)
	}
	return name, n
}

// scanTest does the same as go test does it: flags may follow the packages, which stand
// together, and what it does not know is for the test binary.
func (a *Args) scanTest(args []string) {
	const before, inside, behind = 0, 1, 2
	packages := before
	mayBeValue := false // behind an unknown flag
	for len(args) > 0 {
		wasUnknown := mayBeValue
		mayBeValue = false
		name, _, hasValue := flagOf(args[0])
		switch known := valued[plainName(name)] || boolean[plainName(name)]; {
		case name == "args" && !hasValue || args[0] == "--":
			a.Rest = append(a.Rest, args...)
			return
		case name == "" && packages == behind && !wasUnknown:
			a.Rest = append(a.Rest, args...)
			return
		case name == "" && packages == behind:
			a.keep(args[0])
		case name == "":
			packages = inside
			a.Packages = append(a.Packages, args[0])
			a.Rest = append(a.Rest, args[0])
		case known:
			if packages == inside {
				packages = behind
			}
			_, n := a.flag(args)
			args = args[n:]
			continue
		default:
			packages = behind
			mayBeValue = !hasValue
			a.keep(args[0])
		}
		args = args[1:]
	}
}

// keep leaves an argument where it stands: before the packages or behind them.
func (a *Args) keep(words ...string) {
	if len(a.Rest) > 0 {
		a.Rest = append(a.Rest, words...)
	} else {
		a.Flags = append(a.Flags, words...)
	}
}

// program is what `go run` runs, without the arguments of the program.
func program(args []string) []string {
	n := 0
	for n < len(args) && strings.HasSuffix(args[n], ".go") {
		n++
	}
	return args[:min(max(n, 1), len(args))]
}

// take notes a flag and reports whether it is one that goat puts back itself.
func (a *Args) take(name, value string) bool {
	a.names[name] = value
	switch name {
	case "gcflags":
		a.Gcflags = append(a.Gcflags, value)
	case "overlay":
		a.Overlay = value
	case "toolexec":
		a.Toolexec = value
	case "linkshared":
		a.Linkshared = value != "false"
		return false
	default:
		return false
	}
	return true
}

// Typed are the values of -gcflags on the command line, without those of GOFLAGS.
func (a *Args) Typed() []string { return a.Gcflags[len(a.Gcflags)-a.Own:] }

// Files returns the Go files of a command line that names files, nil if it names
// packages.
func (a *Args) Files() []string {
	for _, arg := range a.Packages {
		if !strings.HasSuffix(arg, ".go") {
			return nil
		}
	}
	return a.Packages
}

// Versioned reports whether the packages are those of a module version
// (`go install example.com/tool@latest`), which no work tree is about.
func (a *Args) Versioned() bool {
	return slices.ContainsFunc(a.Packages, func(arg string) bool {
		return strings.Contains(arg, "@") && !isRelative(arg) && !filepath.IsAbs(arg) && !strings.HasSuffix(arg, ".go")
	})
}

// Module returns the flags that decide which packages there are, for a `go list`
// about the same build.
func (a *Args) Module() []string {
	var flags []string
	for _, name := range []string{"mod", "modfile", "tags", "buildmode", "compiler", "installsuffix", "pkgdir"} {
		if value, ok := a.names[name]; ok {
			flags = append(flags, "-"+name+"="+value)
		}
	}
	for _, name := range []string{"race", "msan", "asan", "modcacherw", "trimpath"} {
		if value, ok := a.names[name]; ok && value != "false" {
			flags = append(flags, "-"+name)
		}
	}
	return flags
}
