// Package linked reads from a Go binary which functions the linker kept.
package linked

import (
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
)

// Binary is what a Go binary says of itself.
type Binary struct {
	GOOS, GOARCH, GoVersion string
	Tags                    []string
	Cgo                     bool
	// Revision is the commit it was built from, Modified whether files had changed
	// since; Revision is "" where go did not note it.
	Revision string
	Modified bool
	// FileList says that it was built of files on a command line: go calls its main package
	// by no path.
	FileList bool
	// Packages are the packages that have code in it, by import path.
	Packages []Package
}

// Package is a package of a binary.
type Package struct {
	ImportPath string
	// Functions are the names of the functions of which code is left, inlined or not:
	// F, T.M and (*T).M, generic ones without type arguments. A function literal counts as
	// the function around it.
	Functions []string
}

// ErrNoTable says that a file has no table of function names.
var ErrNoTable = errors.New("it has no table of Go functions")

// Read reads a binary.
func Read(path string) (*Binary, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	names, err := nameTable(file)
	if err != nil {
		return nil, err
	}
	binary := &Binary{GoVersion: info.GoVersion, Cgo: true, FileList: info.Path == "command-line-arguments"}
	for _, setting := range info.Settings {
		binary.set(setting.Key, setting.Value)
	}
	binary.Packages = packages(names, info.Path)
	if len(binary.Packages) == 0 {
		return nil, fmt.Errorf("%s: %w", path, ErrNoTable)
	}
	return binary, nil
}

func (b *Binary) set(key, value string) {
	switch key {
	case "GOOS":
		b.GOOS = value
	case "GOARCH":
		b.GOARCH = value
	case "CGO_ENABLED":
		b.Cgo = value == "1"
	case "-tags":
		b.Tags = strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
		sort.Strings(b.Tags)
	case "vcs.revision":
		b.Revision = value
	case "vcs.modified":
		b.Modified, _ = strconv.ParseBool(value)
	}
}

// packages sorts the table's names. The linker calls the package of the program main,
// whatever its import path is.
func packages(table []byte, main string) []Package {
	found := map[string]map[string]bool{}
	for _, name := range strings.Split(string(table), "\x00") {
		path, functions := split(name)
		if path == "main" && main != "" {
			path = main
		}
		for _, function := range functions {
			if found[path] == nil {
				found[path] = map[string]bool{}
			}
			found[path][function] = true
		}
	}
	out := make([]Package, 0, len(found))
	for path, functions := range found {
		p := Package{ImportPath: path}
		for name := range functions {
			p.Functions = append(p.Functions, name)
		}
		sort.Strings(p.Functions)
		out = append(out, p)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ImportPath < out[j].ImportPath })
	return out
}

// split takes a name of the table apart: the import path, and the functions that it may
// be of. `T.M` can be a method of T or a literal in the function T, so both are named;
// what is no function is in nobody's source.
func split(name string) (path string, functions []string) {
	if strings.HasPrefix(name, "type:") || strings.HasPrefix(name, "go:") {
		return "", nil
	}
	name = withoutArguments(name)
	slash := strings.LastIndexByte(name, '/') + 1
	dot := strings.IndexByte(name[slash:], '.')
	if dot < 0 {
		return "", nil
	}
	path, rest := unescape(name[:slash+dot]), name[slash+dot+1:]
	if strings.HasPrefix(rest, "(") {
		receiver, method, ok := strings.Cut(rest, ").")
		if !ok {
			return "", nil
		}
		return path, []string{receiver + ")." + word(method)}
	}
	first := word(rest)
	if first == "" {
		return "", nil
	}
	functions = []string{first}
	if second, ok := strings.CutPrefix(rest[len(first):], "."); ok && word(second) != "" {
		functions = append(functions, first+"."+word(second))
	}
	return path, functions
}

// word is the identifier that a text starts with; the compiler's own additions follow
// behind a dot or a dash (F.func1, F-range1, T.M-fm).
func word(text string) string {
	if end := strings.IndexAny(text, ".-·"); end >= 0 {
		return text[:end]
	}
	return text
}

// withoutArguments takes type arguments out of a name.
func withoutArguments(name string) string {
	if !strings.Contains(name, "[") {
		return name
	}
	var out strings.Builder
	depth := 0
	for i := range len(name) {
		switch c := name[i]; {
		case c == '[':
			depth++
		case c == ']':
			depth--
		case depth == 0:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// unescape gives an import path its dots back: the linker writes those of the last
// element, and what is not plain ASCII, as %xx.
func unescape(path string) string {
	if !strings.Contains(path, "%") {
		return path
	}
	var out strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] == '%' && i+2 < len(path) {
			if code, err := strconv.ParseUint(path[i+1:i+3], 16, 8); err == nil {
				out.WriteByte(byte(code))
				i += 2
				continue
			}
		}
		out.WriteByte(path[i])
	}
	return out.String()
}
