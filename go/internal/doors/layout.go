package doors

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/plan"
)

// findRoot computes the repository's root from the module's directory. The plan's
// paths are relative to it; go spells paths as it finds them from dir upwards, also
// through symbolic links, and overlay and patterns must be spelled the same way.
func (d *door) findRoot(dir string) error {
	module := config.ModuleRoot(dir)
	if module == "" {
		return &goat.Error{Code: goat.CodeNoGoMod, Message: "no go.mod in " + dir + " or above", Hint: "run goat inside a Go module, or use -C DIR"}
	}
	rel := "."
	for _, m := range d.index.Modules {
		if m.Path == d.index.Module {
			rel = m.Dir
		}
	}
	d.root = module
	if rel != "" && rel != "." {
		for range strings.Split(strings.Trim(rel, "/"), "/") {
			d.root = filepath.Dir(d.root)
		}
	}
	return nil
}

// abs is the absolute form of a path of the plan.
func (d *door) abs(rel string) string { return filepath.Join(d.root, filepath.FromSlash(rel)) }

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
	p := gocmd.Package{ImportPath: importPath, Dir: d.abs(dir)}
	if m := d.moduleOf(dir); m != nil {
		p.ModuleDir = d.abs(m.Dir)
	}
	return p
}

// exists reports whether there is a file.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
