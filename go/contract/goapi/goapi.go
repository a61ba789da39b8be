// Package goapi finds what changed in the exported API of Go packages between two
// directories, with golang.org/x/exp/apidiff under ids of goat's own.
package goapi

import (
	"cmp"
	"context"
	"fmt"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/exp/apidiff"
	"golang.org/x/tools/go/packages"

	"github.com/goat-trace/goat/go/contract/protocol"
)

// Compare gives the differences of the packages that match the patterns, and the
// advice of semantic versioning: "major", "minor" or "patch".
func Compare(ctx context.Context, base, release string, patterns []string) ([]protocol.Finding, string, error) {
	before, err := load(ctx, base, "base", patterns)
	if err != nil {
		return nil, "", err
	}
	after, err := load(ctx, release, "release", patterns)
	if err != nil {
		return nil, "", err
	}
	var findings []protocol.Finding
	for _, path := range before.names() {
		more, err := compare(path, before, after)
		if err != nil {
			return nil, "", err
		}
		findings = append(findings, more...)
	}
	for _, path := range after.names() {
		if before.packages[path] == nil {
			findings = append(findings, protocol.Finding{
				ID: "api.package.added", Severity: protocol.Info, Subject: path, Message: "package added",
			})
		}
	}
	slices.SortStableFunc(findings, func(a, b protocol.Finding) int {
		return cmp.Compare(rank(a.Severity), rank(b.Severity))
	})
	return findings, advice(findings), nil
}

func rank(severity string) int {
	if severity == protocol.Breaking {
		return 0
	}
	return 1
}

func advice(findings []protocol.Finding) string {
	switch {
	case len(findings) == 0:
		return "patch"
	case findings[0].Severity == protocol.Breaking:
		return "major"
	}
	return "minor"
}

// tree is one side.
type tree struct {
	root     string
	fset     *token.FileSet
	packages map[string]*types.Package
}

func (t tree) names() []string {
	var names []string
	for path := range t.packages {
		names = append(names, path)
	}
	slices.Sort(names)
	return names
}

// load type-checks one side. Nothing is downloaded.
func load(ctx context.Context, dir, side string, patterns []string) (tree, error) {
	if root, err := filepath.EvalSymlinks(dir); err == nil {
		dir = root
	}
	t := tree{root: dir, fset: token.NewFileSet(), packages: map[string]*types.Package{}}
	found, err := packages.Load(&packages.Config{
		Context: ctx, Dir: dir, Fset: t.fset,
		Env:  append(os.Environ(), "GOPROXY=off", "GOTOOLCHAIN=local"),
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedModule,
	}, patterns...)
	if err != nil {
		return t, &protocol.Error{Side: side, Message: oneLine(err.Error())}
	}
	for _, p := range found {
		if problem := problemOf(t.root, side, p); problem != nil {
			return t, problem
		}
		if p.Name == "main" || internal(p.PkgPath) || p.Types == nil {
			continue // nobody can import it
		}
		t.packages[p.PkgPath] = p.Types
	}
	return t, nil
}

// problemOf is what keeps a package from being compared: a module that is not there
// before what follows from it, and an error with a place before one without.
func problemOf(root, side string, p *packages.Package) error {
	if len(p.Errors) == 0 {
		return nil
	}
	var absent *protocol.Error
	packages.Visit([]*packages.Package{p}, nil, func(p *packages.Package) {
		for _, e := range p.Errors {
			if e.Kind == packages.ListError && absent == nil && missing.MatchString(e.Msg) {
				absent = &protocol.Error{
					Side: side, Message: p.PkgPath + ": " + oneLine(e.Msg),
					Hint: "download what both sides need (go mod download, with each of them checked out), then check again",
				}
			}
		}
	})
	if absent != nil {
		return absent
	}
	chosen := p.Errors[0]
	for _, e := range p.Errors {
		if e.Kind == packages.TypeError && chosen.Kind != packages.TypeError {
			chosen = e
		}
	}
	said := &protocol.Error{Side: side, Message: p.PkgPath + ": " + oneLine(chosen.Msg)}
	if parts := strings.Split(chosen.Pos, ":"); len(parts) >= 2 {
		said.File = relative(root, parts[0])
		said.Line, _ = strconv.Atoi(parts[1])
	}
	return said
}

// missing is how go list says that it would have to download something.
var missing = regexp.MustCompile(`GOPROXY=off|no required module|missing go\.sum|updates to go\.mod needed|cannot find module`)

func internal(path string) bool {
	return slices.Contains(strings.Split(path, "/"), "internal")
}

func relative(root, file string) string {
	if rel, err := filepath.Rel(root, file); err == nil && !strings.HasPrefix(rel, "..") {
		return filepath.ToSlash(rel)
	}
	return filepath.Base(file)
}

// compare gives the differences of one package of the base.
func compare(path string, before, after tree) (findings []protocol.Finding, err error) {
	was, is := before.packages[path], after.packages[path]
	if is == nil {
		return []protocol.Finding{{
			ID: "api.package.removed", Severity: protocol.Breaking, Subject: path, Message: "package removed",
		}}, nil
	}
	// apidiff has panicked on sources that go accepts (golang/go#79224).
	defer func() {
		if r := recover(); r != nil {
			err = &protocol.Error{Message: fmt.Sprintf("%s: apidiff gave up: %v", path, r), Hint: "leave the package out of check.compat.api"}
		}
	}()
	for _, change := range apidiff.Changes(was, is).Changes {
		findings = append(findings, finding(path, change, before, after))
	}
	return findings, nil
}

func finding(path string, change apidiff.Change, before, after tree) protocol.Finding {
	severity := protocol.Breaking
	if change.Compatible {
		severity = protocol.Info
	}
	name, what, found := strings.Cut(change.Message, ": ")
	if !found {
		name, what = "", change.Message
	}
	place := placeOf(after, path, name)
	if place.Line == 0 {
		place = placeOf(before, path, name)
		place.Base = place.Line != 0
	}
	return protocol.Finding{
		ID: id(what, change.Compatible), Severity: severity, Subject: strings.TrimSuffix(path+"."+name, "."),
		Message: oneLine(what), Place: place,
	}
}

// id is goat's name for what apidiff says in words.
func id(what string, compatible bool) string {
	if what == "added" && !compatible {
		return "api.interface.added" // whoever implements it lacks the method
	}
	for _, known := range []struct{ begin, id string }{
		{"removed", "removed"},
		{"added", "added"},
		{"changed from", "type"},
		{"value changed", "value"},
		{"no longer implements", "implements"},
		{"old is comparable", "comparable"},
		{"underlying type", "type"},
	} {
		if strings.HasPrefix(what, known.begin) {
			return "api.object." + known.id
		}
	}
	if compatible {
		return "api.object.compatible"
	}
	return "api.object.incompatible"
}

// placeOf finds an object by the name that apidiff gives: T, T.Field, (*T).Method.
func placeOf(t tree, path, name string) protocol.Place {
	pkg := t.packages[path]
	if pkg == nil || name == "" {
		return protocol.Place{}
	}
	plain := strings.NewReplacer("(", "", ")", "", "*", "").Replace(name)
	owner, member, _ := strings.Cut(plain, ".")
	owner, _, _ = strings.Cut(owner, "[")
	object := pkg.Scope().Lookup(owner)
	if object == nil {
		return protocol.Place{}
	}
	if member != "" {
		member, _, _ = strings.Cut(member, ".")
		inner, _, _ := types.LookupFieldOrMethod(object.Type(), true, pkg, member)
		if inner == nil {
			return protocol.Place{}
		}
		object = inner
	}
	at := t.fset.Position(object.Pos())
	if !at.IsValid() {
		return protocol.Place{}
	}
	return protocol.Place{File: relative(t.root, at.Filename), Line: at.Line}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
