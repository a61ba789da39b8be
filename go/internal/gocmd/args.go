// Package gocmd runs the go command and reads its command lines: which flags of
// the user's meet goat's, which packages are asked for, which arguments belong to
// a program.
package gocmd

import (
	"path/filepath"
	"slices"
	"strings"
)

// valued are the go command's flags that take a value in the next argument where
// they stand without `=`. All others are boolean or written with `=`.
var valued = map[string]bool{}

func init() {
	for _, name := range strings.Fields(`C asmflags buildmode compiler covermode coverpkg coverprofile
		exec f gccgoflags gcflags installsuffix ldflags mod modfile o overlay p pgo pkgdir tags toolexec vettool
		debug-actiongraph debug-runtime-trace debug-trace
		bench benchtime blockprofile blockprofilerate count cpu cpuprofile fuzz fuzztime fuzzminimizetime list
		memprofile memprofilerate mutexprofile mutexprofilefraction outputdir parallel run shuffle skip timeout trace`) {
		valued[name] = true
	}
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
	// Flags are the other flags as the user wrote them, up to the packages.
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
		return nil, err
	}
	for _, word := range words {
		name, value, _ := flagOf(word)
		a.take(name, value)
	}
	inGoflags := len(a.Gcflags)
	a.scan(args)
	a.Own = len(a.Gcflags) - inGoflags
	return a, nil
}

// flagOf reads one argument as a flag; name is empty if it is none.
func flagOf(arg string) (name, value string, hasValue bool) {
	if len(arg) < 2 || arg[0] != '-' || arg == "--" {
		return "", "", false
	}
	name, value, hasValue = strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
	return name, value, hasValue
}

// scan goes over the command line. In `go test` flags may follow the packages; in
// the other commands the first argument that is no flag ends them.
func (a *Args) scan(args []string) {
	into := &a.Flags
	for i := 0; i < len(args); i++ {
		name, value, hasValue := flagOf(args[i])
		if name == "args" && a.Verb == "test" || args[i] == "--" {
			a.Rest = append(a.Rest, args[i:]...)
			return
		}
		if name == "" {
			into = &a.Rest
			if a.Verb == "run" {
				a.program(args[i:])
				return
			}
			a.Packages = append(a.Packages, args[i])
			a.Rest = append(a.Rest, args[i])
			continue
		}
		if into == &a.Rest && a.Verb != "test" {
			a.Rest = append(a.Rest, args[i])
			continue
		}
		words := args[i : i+1]
		if !hasValue && valued[strings.TrimPrefix(name, "test.")] && i+1 < len(args) {
			value = args[i+1]
			words = args[i : i+2]
			i++
		}
		if !a.take(name, value) {
			*into = append(*into, words...)
		}
	}
}

// program splits what `go run` runs from the arguments of the program.
func (a *Args) program(args []string) {
	n := 0
	for n < len(args) && strings.HasSuffix(args[n], ".go") {
		n++
	}
	a.Packages = slices.Clone(args[:max(n, 1)])
	a.Rest = slices.Clone(args)
}

// take notes a flag and reports whether it is one that goat puts back itself.
func (a *Args) take(name, value string) bool {
	a.names[name] = value
	switch name {
	case "C":
		if !filepath.IsAbs(value) {
			value = filepath.Join(a.Dir, value)
		}
		a.Dir = filepath.Clean(value)
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
		return strings.Contains(arg, "@") && !strings.HasPrefix(arg, ".") && !filepath.IsAbs(arg)
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
