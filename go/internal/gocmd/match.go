package gocmd

import (
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Package is what the go command's patterns are matched against.
type Package struct {
	ImportPath string
	Dir        string // absolute
	ModuleDir  string // absolute, of the package's module
	// Work says that the module is one that go works in, Tool that such a module names
	// the package as a tool.
	Work, Tool bool
	// Standard says that it is one of the standard library.
	Standard bool
}

// Matches reports whether a pattern of -gcflags is for a package, as the go
// command decides it; dir is where the command is run.
func Matches(pattern, dir string, p Package) bool {
	if isRelative(pattern) {
		return matchBelow(dir, pattern, p.Dir)
	}
	switch pattern {
	case "all":
		return true
	case "std":
		return p.Standard
	case "cmd":
		return false
	case "work": // since go 1.25
		return p.Work
	case "tool":
		return p.Tool
	}
	return matchPath(pattern, p.ImportPath)
}

// Reaches reports whether a pattern of -gcflags may be for a package of some modules.
func Reaches(pattern string, modules []string) bool {
	switch {
	case pattern == "std" || pattern == "cmd":
		return false
	case isRelative(pattern) || pattern == "all" || pattern == "work" || pattern == "tool":
		return true
	}
	before, _, dots := strings.Cut(pattern, "...")
	return slices.ContainsFunc(modules, func(module string) bool {
		return before == module || strings.HasPrefix(before, module+"/") || dots && strings.HasPrefix(module+"/", before)
	})
}

// matchBelow matches a relative pattern against a directory: what stands before the
// element with the dots is a directory, the rest is matched against the way down.
func matchBelow(dir, pattern, pkgDir string) bool {
	dots := strings.Index(pattern, "...")
	if dots < 0 {
		return pkgDir == absolute(dir, pattern)
	}
	slash := strings.LastIndexByte(pattern[:dots], '/')
	rel, err := filepath.Rel(absolute(dir, pattern[:slash]), pkgDir)
	if err != nil {
		return false
	}
	rel = filepath.ToSlash(rel)
	return rel != ".." && !strings.HasPrefix(rel, "../") && matchPath(pattern[slash+1:], rel)
}

func absolute(dir, name string) string {
	name = filepath.FromSlash(name)
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(dir, name)
}

func isRelative(pattern string) bool {
	return pattern == "." || pattern == ".." || strings.HasPrefix(pattern, "./") || strings.HasPrefix(pattern, "../")
}

// matchPath matches a pattern with dots: `...` is any text, and `x/...` also
// matches x.
func matchPath(pattern, path string) bool {
	if !strings.Contains(pattern, "...") {
		return pattern == path
	}
	expr := regexp.QuoteMeta(pattern)
	expr = strings.ReplaceAll(expr, `\.\.\.`, `.*`)
	if rest, ok := strings.CutSuffix(expr, `/.*`); ok {
		expr = rest + `(/.*)?`
	}
	return regexp.MustCompile(`^` + expr + `$`).MatchString(path)
}

// Asked reports whether the command line asks for the package by name or pattern:
// -gcflags without a pattern is for such packages only.
func (a *Args) Asked(p Package) bool {
	if len(a.Packages) == 0 {
		return p.Dir == a.Dir
	}
	return slices.ContainsFunc(a.Packages, func(arg string) bool { return asks(arg, a.Dir, p) })
}

// asks is [Asked] for one argument. Other than a pattern of -gcflags it may be an
// absolute directory, and go cleans it.
func asks(arg, dir string, p Package) bool {
	arg = filepath.ToSlash(arg)
	dots := strings.Contains(arg, "...")
	if dots {
		arg = strings.TrimRight(arg, "/")
	}
	switch {
	case strings.HasSuffix(arg, ".go"):
		return false
	case isRelative(arg) || filepath.IsAbs(arg):
		if !matchBelow(dir, arg, p.Dir) {
			return false
		}
		if !dots {
			return true
		}
		before, _, _ := strings.Cut(arg, "...")
		return walked(absolute(dir, before[:strings.LastIndexByte(before, '/')+1]), p)
	case arg == "work":
		return p.Work && walked(p.ModuleDir, p)
	}
	return Matches(path.Clean(arg), dir, p) && (!dots || walked(p.ModuleDir, p))
}

// walked reports whether go finds the package below root: it does not walk into
// testdata, hidden directories and other modules.
func walked(root string, p Package) bool {
	if p.ModuleDir != "" && root != p.ModuleDir && !strings.HasPrefix(root+string(filepath.Separator), p.ModuleDir+string(filepath.Separator)) {
		return false
	}
	rel, err := filepath.Rel(root, p.Dir)
	if err != nil {
		return root == "" // nothing known about its module
	}
	for _, element := range strings.Split(filepath.ToSlash(rel), "/") {
		if element == "testdata" || element != "." && element != ".." && (strings.HasPrefix(element, ".") || strings.HasPrefix(element, "_")) {
			return false
		}
	}
	return true
}

// Effective returns the words of the user's -gcflags that the go command gives to
// a package: those of the last value that matches it.
func (a *Args) Effective(p Package) ([]string, error) {
	var words []string
	for _, value := range a.Gcflags {
		value = strings.TrimSpace(value)
		pattern, flags, ok := strings.Cut(value, "=")
		matches := false
		if value == "" || strings.HasPrefix(value, "-") || !ok {
			flags, matches = value, a.Asked(p)
		} else {
			matches = Matches(strings.TrimSpace(pattern), a.Dir, p)
		}
		if !matches {
			continue
		}
		split, err := Split(flags)
		if err != nil {
			return nil, err
		}
		words = split
	}
	return words, nil
}
