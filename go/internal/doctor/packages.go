package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/doors"
	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/plan"
)

// listed is a package as go lists it.
type listed struct {
	ImportPath, Dir, Name string
	Standard, DepOnly     bool
	GoFiles, CgoFiles     []string
	Imports, Deps         []string
	ImportMap             map[string]string
	Error                 *struct{ Err string }
}

// listing is what the build of the asked packages consists of.
type listing struct {
	packages []*listed
	byPath   map[string]*listed
}

// packages has go list what would be built.
func (p *patient) packages(ctx context.Context) {
	p.list = &listing{byPath: map[string]*listed{}}
	if p.golang.GOVERSION == "" {
		return
	}
	x := p.exam.Args
	args := append([]string{"list", "-e", "-deps", "-json=ImportPath,Dir,Name,Standard,DepOnly,GoFiles,CgoFiles,Imports,Deps,ImportMap,Error"}, x.Module()...)
	if x.Overlay != "" {
		args = append(args, "-overlay="+x.Overlay)
	}
	patterns := x.Packages
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	out, err := gocmd.Output(ctx, x.Dir, p.Door.UserEnviron(), append(append(args, "--"), patterns...))
	if err != nil {
		p.add("packages", Fail, "`go list` fails: "+said(err), "type `go list "+strings.Join(patterns, " ")+"` to see it")
		return
	}
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		pkg := &listed{}
		if err := decoder.Decode(pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			p.add("packages", Fail, "`go list` prints what is no JSON: "+err.Error(), "")
			return
		}
		p.list.packages = append(p.list.packages, pkg)
		p.list.byPath[pkg.ImportPath] = pkg
	}
	for _, pkg := range p.list.packages {
		if pkg.Error != nil && !pkg.DepOnly {
			p.add("packages", Warn, pkg.ImportPath+": "+strings.ReplaceAll(pkg.Error.Err, "\n", "; "), "plain `go build` says the same")
		}
	}
}

// imports are the packages that pkg imports, as they are called in the build.
func (pkg *listed) imports() []string {
	paths := slices.Clone(pkg.Imports)
	for i, path := range paths {
		if mapped := pkg.ImportMap[path]; mapped != "" {
			paths[i] = mapped
		}
	}
	return paths
}

// files are the package's Go files with their directory.
func (pkg *listed) files() []string {
	var files []string
	for _, name := range slices.Concat(pkg.GoFiles, pkg.CgoFiles) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(pkg.Dir, name)
		}
		files = append(files, name)
	}
	return files
}

// rebuilt computes what goat compiles anew at most: planned packages, what imports
// them, and the programs, which get a hook. In bare mode it is everything.
func (p *patient) rebuilt() {
	x := p.exam
	if len(p.list.packages) == 0 {
		return
	}
	r := &Rebuilt{Command: "goat build", Packages: []RebuiltPackage{}, Total: len(p.list.packages)}
	p.report.Rebuilt = r
	if x.Plain.Mode == doors.ModeBare || x.Plain.Mode == doors.ModeGenerated {
		r.Command, r.All = "go build", true
		for _, pkg := range p.list.packages {
			if pkg.Standard {
				r.Standard++
			}
		}
		return
	}
	index := x.Index
	switch {
	case x.Plain.Mode == doors.ModeEnv:
		r.Command = "go build"
		if planned, err := plan.ReadIndex(x.Plain.Plan); err == nil {
			index = planned
		}
	case x.Build != doors.ModeMarked:
		return
	}
	if index == nil {
		return
	}
	r.Packages = p.list.affected(index)
}

// affected are the packages of the list that a plan touches, in the order in which go
// builds them: what is imported stands first.
func (l *listing) affected(index *plan.Index) []RebuiltPackage {
	why := map[string]string{}
	for _, ref := range index.Packages {
		why[ref.ImportPath] = points(ref.Counters)
	}
	mains := map[string]bool{}
	for _, m := range index.Mains {
		mains[m.ImportPath] = true
	}
	result := []RebuiltPackage{}
	for _, pkg := range l.packages {
		reason := why[pkg.ImportPath]
		if reason == "" {
			for _, path := range pkg.imports() {
				if why[path] != "" {
					reason = "imports " + path
					break
				}
			}
		}
		if reason == "" && pkg.Name == "main" && mains[pkg.ImportPath] {
			reason = "program: gets the hook"
		}
		if reason != "" {
			why[pkg.ImportPath] = reason
			result = append(result, RebuiltPackage{pkg.ImportPath, reason})
		}
	}
	return result
}

func points(n int) string {
	if n == 1 {
		return "holds 1 point"
	}
	return fmt.Sprintf("holds %d points", n)
}

// flags are the user's, with what becomes of them.
func (p *patient) flags() {
	x := p.exam
	f := &Flags{Goflags: x.Goflags, From: x.From, Gcflags: []PackageFlags{}, Overlay: x.Args.Overlay, Toolexec: []string{}, Command: []string{}}
	p.report.Flags = f
	if x.Command != nil {
		f.Command = append([]string{"go"}, x.Command...)
	}
	for _, pkg := range x.Packages {
		if len(pkg.Flags) > 0 {
			f.Gcflags = append(f.Gcflags, PackageFlags{pkg.ImportPath, pkg.Flags})
		}
	}
	if len(x.Plain.Own) > 0 {
		f.Toolexec = x.Plain.Own
	}
}

// missing lists the change's code without points, and what the last builds compiled
// without them.
func (p *patient) missing() {
	x := p.exam
	if x.Result == nil {
		return
	}
	type place struct{ file, reason string }
	lines := map[place][]int{}
	var order []place
	for _, line := range x.Result.Account {
		if line.Class != goat.ClassUntracked || line.DeletedAfter != nil {
			continue
		}
		at := place{line.File, line.Reason}
		if lines[at] == nil {
			order = append(order, at)
		}
		lines[at] = append(lines[at], line.Line)
	}
	for _, at := range order {
		p.report.NotInstrumented = append(p.report.NotInstrumented, Missing{File: at.file, Lines: ranges(lines[at]), Count: len(lines[at]), Reason: at.reason})
	}
	for _, file := range x.Result.Files {
		if file.Class == goat.ClassUntracked {
			p.report.NotInstrumented = append(p.report.NotInstrumented, Missing{File: file.File, Count: file.Added, Reason: file.Reason})
		}
	}
	var degraded []string
	for _, linked := range x.Linked {
		degraded = append(degraded, linked.Degraded...)
	}
	sort.Strings(degraded)
	for _, path := range slices.Compact(degraded) {
		p.report.NotInstrumented = append(p.report.NotInstrumented, Missing{Package: path, Reason: "degraded"})
	}
}

// ranges writes ascending lines as "3-5, 9".
func ranges(lines []int) string {
	var parts []string
	for i := 0; i < len(lines); {
		j := i
		for j+1 < len(lines) && lines[j+1] == lines[j]+1 {
			j++
		}
		part := fmt.Sprint(lines[i])
		if j > i {
			part += fmt.Sprintf("-%d", lines[j])
		}
		parts = append(parts, part)
		i = j + 1
	}
	return strings.Join(parts, ", ")
}
