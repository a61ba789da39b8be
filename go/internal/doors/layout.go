package doors

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/plan"
	"github.com/goat-trace/goat/go/internal/store"
)

// findRoot computes where the plan's paths, which are relative to the repository's
// root, lie as go spells them. Go goes by the directory it is run in, upwards, also
// through symbolic links: the overlay must name the same paths. Where a link leads
// into the middle of the repository, only what is below its target has such a name.
func (d *door) findRoot(dir string) error {
	module := config.ModuleRoot(dir)
	if module == "" {
		return &goat.Error{Code: goat.CodeNoGoMod, Message: "no go.mod in " + dir + " or above", Hint: "run goat inside a Go module, or use -C DIR; `go " + d.Verb + "` builds without goat (`goat help refusals`)"}
	}
	d.work = plan.MainModules(d.args.Dir, d.userEnviron().Setting("GOWORK"))
	for _, module := range d.work {
		d.tools = append(d.tools, plan.Tools(module)...)
	}
	real, err := filepath.EvalSymlinks(module)
	if err != nil {
		return &goat.Error{Code: goat.CodeUnreadable, Message: err.Error(), Path: module, Hint: "make the directory readable"}
	}
	rel := d.moduleDir(module, real)
	d.root = real
	for range elements(rel) {
		d.root = filepath.Dir(d.root)
	}
	d.linked, d.link = rel, module
	for d.linked != "" && filepath.Base(d.link) == path.Base(d.linked) {
		d.link, d.linked = filepath.Dir(d.link), parent(d.linked)
	}
	return nil
}

// moduleDir is the plan's directory of the module that go works in.
func (d *door) moduleDir(module, real string) string {
	text, err := store.ReadFile(filepath.Join(module, "go.mod"))
	if err != nil {
		return ""
	}
	name := plan.ModulePath(string(text))
	for _, m := range d.index.Modules {
		dir := strings.Trim(path.Clean("/"+m.Dir), "/")
		if m.Path == name && (dir == "" || strings.HasSuffix(filepath.ToSlash(real), "/"+dir)) {
			return dir
		}
	}
	return ""
}

func elements(rel string) []string {
	if rel == "" {
		return nil
	}
	return strings.Split(rel, "/")
}

func parent(rel string) string {
	if i := strings.LastIndexByte(rel, '/'); i >= 0 {
		return rel[:i]
	}
	return ""
}

// abs is the absolute form of a path of the plan, as go spells it.
func (d *door) abs(rel string) string {
	rel = strings.Trim(path.Clean("/"+rel), "/")
	if within(rel, d.linked) {
		return filepath.Join(d.link, filepath.FromSlash(strings.TrimPrefix(rel, d.linked)))
	}
	return filepath.Join(d.root, filepath.FromSlash(rel))
}

// moduleOf returns the covered module that holds a directory of the plan: the
// deepest one.
func (d *door) moduleOf(dir string) *plan.Module {
	var best *plan.Module
	for i := range d.index.Modules {
		m := &d.index.Modules[i]
		if !within(dir, m.Dir) {
			continue
		}
		if best == nil || len(m.Dir) > len(best.Dir) {
			best = m
		}
	}
	return best
}

// within reports whether a slash path is root or below it; root "" or "." is all.
func within(dir, root string) bool {
	return root == "" || root == "." || dir == root || strings.HasPrefix(dir, root+"/")
}

// pkg is a planned package as the go command's patterns see it.
func (d *door) pkg(importPath, dir string) gocmd.Package {
	if dep, root, path := d.depOf(dir); dep != nil {
		return gocmd.Package{ImportPath: importPath, Dir: path, ModuleDir: root}
	}
	p := gocmd.Package{ImportPath: importPath, Dir: d.abs(dir)}
	if m := d.moduleOf(dir); m != nil {
		p.ModuleDir = d.abs(m.Dir)
	}
	p.Work = slices.Contains(d.work, p.ModuleDir)
	p.Tool = slices.Contains(d.tools, importPath)
	return p
}

// sameDir reports whether two absolute directories are one, whatever their names.
func sameDir(a, b string) bool {
	if a == b {
		return true
	}
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}

// exists reports whether there is a file.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
