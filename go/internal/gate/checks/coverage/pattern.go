package coverage

import (
	"errors"
	"path"
	"regexp"
	"strings"

	"github.com/goat-trace/goat/go"
)

// A pattern names code as reports do: a file or a directory by its path, with globs
// (cart/**, *.pb.go), a package by its import path (with /... or globs), a function with
// or without its package ((*handler).create, orders.parse), a point by its id or name.

func checkPattern(pattern string) error {
	if strings.TrimSpace(pattern) == "" {
		return errors.New("the pattern is empty")
	}
	return nil
}

// matches tells whether a point is in what a pattern names.
func matches(pattern string, p *goat.Point) bool {
	if pattern == p.ID || pattern == p.Name {
		return true
	}
	if isFunction(pattern) {
		return matchesFunction(pattern, p)
	}
	clean := strings.TrimSuffix(strings.TrimPrefix(pattern, "./"), "/")
	return matchesPath(clean, p.File) || matchesPackage(clean, p.Package) || matchesFunction(pattern, p)
}

// isFunction recognises what can only be a method.
func isFunction(pattern string) bool {
	return strings.Contains(pattern, "(") && strings.Contains(pattern, ").")
}

// matchesPath takes a glob for the file or a directory above it. Without a slash it is
// for any file of that name, as in gitignore.
func matchesPath(pattern, file string) bool {
	pattern = strings.TrimPrefix(pattern, "/")
	glob := compile(pattern)
	if !strings.Contains(pattern, "/") && glob.MatchString(path.Base(file)) {
		return true
	}
	for name := file; name != "." && name != "/"; name = path.Dir(name) {
		if glob.MatchString(name) {
			return true
		}
	}
	return false
}

func matchesPackage(pattern, importPath string) bool {
	if root, below := strings.CutSuffix(pattern, "/..."); below {
		return importPath == root || strings.HasPrefix(importPath, root+"/")
	}
	return compile(pattern).MatchString(importPath)
}

func matchesFunction(pattern string, p *goat.Point) bool {
	if p.Func == "" {
		return false
	}
	glob := compile(pattern)
	for _, name := range []string{p.Func, path.Base(p.Package) + "." + p.Func, p.Package + "." + p.Func} {
		if name == pattern || glob.MatchString(name) {
			return true
		}
	}
	return false
}

// compile makes a regular expression of a glob: * and ? stay within one element, ** does
// not. The star of a pointer receiver is a star.
func compile(glob string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString("^")
	for i := 0; i < len(glob); i++ {
		switch rest := glob[i:]; {
		case strings.HasPrefix(rest, "(*"):
			b.WriteString(`\(\*`)
			i++
		case strings.HasPrefix(rest, "/**/"):
			b.WriteString("/(?:.*/)?")
			i += 3
		case strings.HasPrefix(rest, "**/"):
			b.WriteString("(?:.*/)?")
			i += 2
		case strings.HasPrefix(rest, "**"):
			b.WriteString(".*")
			i++
		case rest[0] == '*':
			b.WriteString("[^/]*")
		case rest[0] == '?':
			b.WriteString("[^/]")
		default:
			b.WriteString(regexp.QuoteMeta(rest[:1]))
		}
	}
	return regexp.MustCompile(b.String() + "$")
}
