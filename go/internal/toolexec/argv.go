package toolexec

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/goat-trace/goat/go/internal/plan"
)

// longest is how many bytes of arguments a tool gets on its command line; beyond
// it they go into a response file (Windows takes 32 KB in all).
const longest = 30 << 10

// LongName is the name under which goat is its own helper where command lines may pass
// the system's limit. go writes a response file for its own tools only, and knows them
// by their names.
const LongName = "compile"

// Unpack returns the arguments of a process that go has started as its own tool: those
// in the response file.
func Unpack(argv []string) []string {
	if len(argv) != 2 || toolName(argv[0]) != LongName || !strings.HasPrefix(argv[1], "@") {
		return argv
	}
	args, err := expand(argv[1:])
	if err != nil {
		return argv
	}
	return append([]string{argv[0]}, args...)
}

// expand reads the response files (@file) in args, as the tools themselves do:
// one argument per line, `\\` and `\n` escaped.
func expand(args []string) ([]string, error) {
	for i, arg := range args {
		if !strings.HasPrefix(arg, "@") {
			continue
		}
		data, err := os.ReadFile(arg[1:])
		if err != nil {
			return nil, fmt.Errorf("response file: %w", err)
		}
		rest, err := expand(args[i+1:])
		if err != nil {
			return nil, err
		}
		out := append([]string(nil), args[:i]...)
		for _, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
			out = append(out, unescape(strings.TrimSuffix(line, "\r")))
		}
		return append(out, rest...), nil
	}
	return args, nil
}

func unescape(arg string) string {
	if !strings.Contains(arg, `\`) {
		return arg
	}
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n").Replace(arg)
}

// shorten moves args into a response file in dir when they are too long for a
// command line and the tool reads such files.
func shorten(tool, dir string, args []string) ([]string, error) {
	size := 0
	for _, arg := range args {
		size += len(arg) + 1
	}
	switch toolName(tool) {
	case "compile", "link", "cgo", "asm", "cover":
	default:
		return args, nil
	}
	if size <= longest {
		return args, nil
	}
	escape := strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	var b strings.Builder
	for _, arg := range args {
		b.WriteString(escape.Replace(arg) + "\n")
	}
	name := filepath.Join(dir, "args")
	return []string{"@" + name}, os.WriteFile(name, []byte(b.String()), 0o666)
}

// value finds the value of the flag -name, spelled `-name value` or `-name=value`,
// and its place: args[at] holds the value (after its prefix); at is -1 without it.
func value(args []string, name string) (val, prefix string, at int) {
	for i, arg := range args {
		if arg == "-"+name && i+1 < len(args) {
			return args[i+1], "", i + 1
		}
		if rest, ok := strings.CutPrefix(arg, "-"+name+"="); ok {
			return rest, "-" + name + "=", i
		}
	}
	return "", "", -1
}

// get is value without the place.
func get(args []string, name string) string {
	val, _, _ := value(args, name)
	return val
}

// set replaces the value of a flag that value found.
func set(args []string, name, val string) {
	if _, prefix, at := value(args, name); at >= 0 {
		args[at] = prefix + val
	}
}

// has reports whether a boolean flag is given.
func has(args []string, names ...string) bool {
	for _, arg := range args {
		for _, name := range names {
			if arg == "-"+name || arg == "-"+name+"=true" {
				return true
			}
		}
	}
	return false
}

// sources returns the index of the first Go file of a compile command line: the
// files are its last arguments. A flag's value that ends in .go stands before
// other flags, so it is never in that run.
func sources(args []string) int {
	first := len(args)
	for first > 0 && strings.HasSuffix(args[first-1], ".go") {
		first--
	}
	return first
}

// Lost may stand before a marker: the compiler stops at the first flag that it does not
// know and names it, so the name says what to type.
const Lost = "-goatmark:another-toolexec-took-the-place-of-goat:type-goat-build"

// takeMarker removes every -goatmark from args and returns the last one's value.
func takeMarker(args []string) (marker string, rest []string) {
	rest = make([]string, 0, len(args))
	for _, arg := range args {
		if val, ok := strings.CutPrefix(arg, "-goatmark="); ok {
			marker = val
			continue
		}
		if arg == Lost {
			continue
		}
		rest = append(rest, arg)
	}
	return marker, rest
}

// FileList is the import path of a package that is given file by file on the go
// command's line.
const FileList = "command-line-arguments"

// importPath is the package of a compile or cgo run. Files given on the go
// command's line make a package without a path of its own: theirs is found by
// the module around dir.
func (h *helper) importPath(dir string) string {
	if h.pkg != FileList {
		return h.pkg
	}
	if path := moduleImportPath(dir); path != "" {
		return path
	}
	return h.pkg
}

// moduleImportPath joins the module path of the nearest go.mod above dir with the
// rest of the way down.
func moduleImportPath(dir string) string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	// The files may be named through a link; the plan knows their real place.
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	for at := dir; ; at = filepath.Dir(at) {
		data, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil {
			rel, relErr := filepath.Rel(at, dir)
			module := plan.ModulePath(string(data))
			if relErr != nil || module == "" {
				return ""
			}
			if rel == "." {
				return module
			}
			return module + "/" + filepath.ToSlash(rel)
		}
		if at == filepath.Dir(at) {
			return ""
		}
	}
}

// rewrite maps a path as the compiler does with its -trimpath rules: the first
// rule whose left side is the path or a directory above it wins.
func rewrite(path, rules string) string {
	for _, rule := range strings.Split(rules, ";") {
		i := strings.LastIndex(rule, "=>")
		prefix, replace := rule, ""
		if i >= 0 {
			prefix, replace = rule[:i], rule[i+2:]
		}
		if prefix == "" || !strings.HasPrefix(path, prefix) {
			continue
		}
		rest := path[len(prefix):]
		switch {
		case rest == "":
			return replace
		case !os.IsPathSeparator(rest[0]):
			continue
		case replace == "":
			return rest[1:]
		}
		return replace + rest
	}
	return path
}
