package doors

import (
	"bytes"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go/internal/hook"
	"github.com/goat-trace/goat/go/internal/store"
)

// A hook file must not make a package of a directory that has none for this system
// and these tags: `go build ./...` passes over such a directory. So the hook is
// constrained as the files beside it are, all together.

// constraintOf returns the expression under which at least one of the Go files of a
// package in a directory (its test files, if tests is set) is built; empty if one
// always is. Build tags may tell several packages in one directory apart.
func (o *overlay) constraintOf(dir, pkg string, tests bool) string {
	var either constraint.Expr
	for _, name := range o.goFiles(dir, tests) {
		text := o.text(name)
		if hook.IsOurs(text) || !isOf(text, pkg) {
			continue
		}
		expr := fileConstraint(filepath.Base(name), text)
		if expr == nil {
			return ""
		}
		if either == nil {
			either = expr
		} else if either.String() != expr.String() {
			either = &constraint.OrExpr{X: either, Y: expr}
		}
	}
	if either == nil {
		return ""
	}
	return either.String()
}

// isOf reports whether a file's package clause names a package.
func isOf(text []byte, pkg string) bool { return clause(text) == pkg }

// clause is the name in a file's package clause; empty where the file has none.
func clause(text []byte) string {
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.PackageClauseOnly)
	if err != nil {
		return ""
	}
	return file.Name.Name
}

// goFiles are the Go files of a directory as the go command sees it through the
// user's own overlay.
func (o *overlay) goFiles(dir string, tests bool) []string {
	names := map[string]bool{}
	if entries, err := os.ReadDir(dir); err == nil {
		for _, entry := range entries {
			names[filepath.Join(dir, entry.Name())] = true
		}
	}
	for from, to := range o.replace {
		if filepath.Dir(from) == dir {
			names[from] = to != ""
		}
	}
	var files []string
	for name, there := range names {
		base := filepath.Base(name)
		if there && strings.HasSuffix(base, ".go") && strings.HasSuffix(base, "_test.go") == tests && base[0] != '_' && base[0] != '.' {
			files = append(files, name)
		}
	}
	slices.Sort(files)
	return files
}

// text is a file's text, empty if it cannot be read: then go will say so.
func (o *overlay) text(name string) []byte {
	if to := o.replace[name]; to != "" {
		name = to
	}
	text, _ := store.ReadFile(name)
	return text
}

// fileConstraint is what a file's name, its build lines and an import of "C" ask
// for; nil if nothing.
func fileConstraint(base string, text []byte) constraint.Expr {
	all := append(nameConstraint(base), lineConstraint(text)...)
	if bytes.Contains(text, []byte(`"C"`)) {
		file, err := parser.ParseFile(token.NewFileSet(), base, text, parser.ImportsOnly)
		if err == nil {
			for _, spec := range file.Imports {
				if spec.Path.Value == `"C"` {
					all = append(all, &constraint.TagExpr{Tag: "cgo"})
					break
				}
			}
		}
	}
	var whole constraint.Expr
	for _, expr := range all {
		if whole == nil {
			whole = expr
		} else {
			whole = &constraint.AndExpr{X: whole, Y: expr}
		}
	}
	return whole
}

// nameConstraint reads x_GOOS.go, x_GOARCH.go and x_GOOS_GOARCH.go.
func nameConstraint(base string) []constraint.Expr {
	base = strings.TrimSuffix(strings.TrimSuffix(base, ".go"), "_test")
	_, rest, ok := strings.Cut(base, "_")
	if !ok {
		return nil
	}
	words := strings.Split(rest, "_")
	last := words[len(words)-1]
	switch {
	case knownArch[last] && len(words) > 1 && knownOS[words[len(words)-2]]:
		return []constraint.Expr{&constraint.TagExpr{Tag: words[len(words)-2]}, &constraint.TagExpr{Tag: last}}
	case knownArch[last] || knownOS[last]:
		return []constraint.Expr{&constraint.TagExpr{Tag: last}}
	}
	return nil
}

// lineConstraint reads the `//go:build` line above the package clause, or where
// there is none the `// +build` lines.
func lineConstraint(text []byte) []constraint.Expr {
	var plus []constraint.Expr
	for _, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "package ") {
			break
		}
		if !constraint.IsGoBuild(line) && !constraint.IsPlusBuild(line) {
			continue
		}
		expr, err := constraint.Parse(line)
		switch {
		case err != nil:
		case constraint.IsGoBuild(line):
			return []constraint.Expr{expr}
		default:
			plus = append(plus, expr)
		}
	}
	return plus
}

// knownOS and knownArch are the words that go reads in file names (its table of
// them is not public); one that is missing here only leaves a hook unconstrained.
var (
	knownOS   = set("aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasip1 windows zos")
	knownArch = set(`386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le
		ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm`)
)

func set(words string) map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.Fields(words) {
		all[word] = true
	}
	return all
}
