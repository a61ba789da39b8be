// Package golist says what a go build of this moment takes: which packages of the
// covered modules, and which files of them. It asks the go command, and keeps the
// answer for as long as nothing has changed that go's answer depends on.
package golist

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gocmd"
)

// Query is a build to ask about.
type Query struct {
	// Dir is where go works: a directory of a module or of a workspace.
	Dir string
	// Environ is the user's environment, without what `goat env` puts there.
	Environ gocmd.Environ
	// Cache is goat's cache directory; empty for none.
	Cache string
	// Flags are go's flags that decide which packages and files there are, Overlay the
	// user's -overlay.
	Flags   []string
	Overlay string
	// Patterns are the packages asked for. None means every package of the modules that
	// a plan covers: those of the workspace, and with Nested those below them.
	Patterns []string
	Nested   bool
	// Tests takes the packages that only tests need, too.
	Tests bool
	// Say is told what go prints while it waits for modules; nil for silence.
	Say func(line string)
}

// Build is what go would build. Nothing is written to go.mod or go.sum.
func (q *Query) Build(ctx context.Context) (*goat.Build, error) {
	env, err := q.env(ctx)
	if err != nil {
		return nil, err
	}
	entry, err := q.entry(ctx, env)
	if err != nil {
		return nil, err
	}
	if build := readJSON[goat.Build](entry); build != nil {
		return build, nil
	}
	build := &goat.Build{
		GOOS: env.GOOS, GOARCH: env.GOARCH, Cgo: env.CGO == "1", GoVersion: env.GoVersion,
		Tags: q.tags(env.Goflags), Packages: []goat.Package{},
	}
	if build.Packages, err = q.packages(ctx); err != nil {
		return nil, err
	}
	writeJSON(entry, build)
	return build, nil
}

// tags finds -tags among the flags; the last one holds.
func (q *Query) tags(goflags string) []string {
	tags := []string{}
	words, err := gocmd.Split(goflags)
	if err != nil {
		words = nil
	}
	for _, flag := range slices.Concat(words, q.Flags) {
		if value, ok := strings.CutPrefix(strings.TrimLeft(flag, "-"), "tags="); ok {
			tags = strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
		}
	}
	sort.Strings(tags)
	return slices.Compact(tags)
}

// packages asks for the packages and for what they import.
func (q *Query) packages(ctx context.Context) ([]goat.Package, error) {
	if len(q.Patterns) > 0 {
		return q.list(ctx, q.Dir, q.Patterns)
	}
	mains, nested, err := q.modules(ctx)
	if err != nil {
		return nil, err
	}
	patterns := make([]string, 0, len(mains))
	for _, dir := range mains {
		patterns = append(patterns, dir+string(filepath.Separator)+"...")
	}
	all, err := q.list(ctx, q.Dir, patterns)
	for _, dir := range nested {
		if err != nil {
			return nil, err
		}
		var more []goat.Package
		more, err = q.list(ctx, dir, []string{"./..."})
		all = append(all, more...)
	}
	return merged(all), err
}

// listed is a package as go list prints it.
type listed struct {
	goat.Package
	Standard bool
	ForTest  string
	Module   *struct {
		Main    bool
		Version string
		Replace *struct{ Version string }
	}
}

// own reports whether a package stands in the user's sources: what has a version does
// not, unless a directory takes its place.
func (p *listed) own() bool {
	switch {
	case p.Standard || p.Dir == "":
		return false
	case p.Module == nil || p.Module.Main || p.Module.Version == "":
		return true
	}
	return p.Module.Replace != nil && p.Module.Replace.Version == ""
}

// fileList is the package that go makes of files on its command line.
const fileList = "command-line-arguments"

func (q *Query) list(ctx context.Context, dir string, patterns []string) ([]goat.Package, error) {
	args := []string{"-e", "-deps", "-json=ImportPath,Dir,GoFiles,CgoFiles,IgnoredGoFiles,Standard,ForTest,Module"}
	if q.Tests {
		args = append(args, "-test")
	}
	out, err := q.goList(ctx, dir, append(append(args, "--"), patterns...))
	if err != nil {
		return nil, err
	}
	var packages []goat.Package
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return merged(packages), nil
		} else if err != nil {
			return nil, err
		}
		if !p.own() {
			continue
		}
		p.ImportPath, _, _ = strings.Cut(p.ImportPath, " ")
		if p.ImportPath == fileList {
			if p.ImportPath = q.pathOf(ctx, p.Dir); p.ImportPath == "" {
				continue
			}
		}
		packages = append(packages, p.Package)
	}
}

// pathOf is the import path of the package in a directory.
func (q *Query) pathOf(ctx context.Context, dir string) string {
	out, err := q.goList(ctx, dir, []string{"-e", "-find", "-f", "{{.ImportPath}}", "."})
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// merged is a list in which every package stands once: a test variant has files that the
// package has not.
func merged(packages []goat.Package) []goat.Package {
	known := map[string]int{}
	kept := []goat.Package{}
	for _, p := range packages {
		at, ok := known[p.ImportPath]
		if !ok {
			known[p.ImportPath] = len(kept)
			kept = append(kept, p)
			continue
		}
		k := &kept[at]
		k.GoFiles = union(k.GoFiles, p.GoFiles)
		k.CgoFiles = union(k.CgoFiles, p.CgoFiles)
		k.IgnoredGoFiles = union(k.IgnoredGoFiles, p.IgnoredGoFiles)
	}
	return kept
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// goList runs go list with the build's flags.
func (q *Query) goList(ctx context.Context, dir string, args []string) ([]byte, error) {
	line := append([]string{"list"}, q.Flags...)
	if q.Overlay != "" {
		line = append(line, "-overlay="+q.Overlay)
	}
	line = append(line, args...)
	watched, stop := gocmd.Watched(ctx, q.roots)
	defer stop()
	out, said, err := gocmd.Listen(watched, dir, q.Environ, line, q.Say)
	if why := waits(gocmd.Waits(watched)); why != nil {
		return nil, why
	}
	return out, explain(ctx, "go list", said, err)
}

// explain makes an error of what go said last.
func explain(ctx context.Context, what, said string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	message := what + " fails"
	if said != "" {
		message += ": " + said
	}
	e := &goat.Error{Code: goat.CodeToolchain, Message: message, Hint: "`go list ./...` shows what is wrong"}
	return e.Wrap(err)
}
