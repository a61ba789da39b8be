package toolexec

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go/internal/plan"
)

// cgo runs the cgo tool on copies with points. It sees no marker: where the
// compile that follows has none, the points are taken out again. What cgo writes
// names the original paths, by a -trimpath rule.
func (h *helper) cgo() (int, error) {
	objdir := get(h.args, "objdir")
	if h.pkg == "" || objdir == "" || has(h.args, "dynimport") || get(h.args, "dynimport") != "" {
		return h.pass()
	}
	dir, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	path := h.importPath(dir)
	doc, err := plan.ReadEdits(h.plan, path)
	if err != nil {
		// The compile that follows says what is wrong with the plan, if anything is.
		return h.pass()
	}
	g := &cgoRun{helper: h, doc: doc, objdir: objdir, args: slices.Clone(h.args)}
	swapped, err := g.swap(dir)
	if err != nil {
		return 0, err
	}
	if !swapped {
		return h.pass()
	}
	return g.run()
}

// cgoRun is one run of cgo on rewritten files.
type cgoRun struct {
	*helper
	doc     *plan.Package
	objdir  string
	args    []string
	rules   []string
	planned []*unit
	paths   []string
}

// swap puts copies with points in place of planned files that are as planned.
func (g *cgoRun) swap(dir string) (bool, error) {
	for i, arg := range g.args {
		if !strings.HasSuffix(arg, ".go") {
			continue
		}
		full := arg
		if !filepath.IsAbs(full) {
			full = filepath.Join(dir, arg)
		}
		units, err := unitsOf([]string{full}, g.objdir)
		if err != nil {
			return false, err
		}
		if !samePackage(units, g.doc) {
			return false, nil
		}
		file := g.doc.File(units[0].base)
		if file == nil {
			continue
		}
		// Which build mode it is shows only at compile, so points are exact here.
		text, ok, err := units[0].instrument(file, forms{exact: true})
		if err != nil || !ok || text == nil {
			return false, err
		}
		if g.args[i], err = g.copy(full, text); err != nil {
			return false, err
		}
		g.planned = append(g.planned, units[0])
	}
	return len(g.planned) > 0, g.trim()
}

// copy writes one rewritten file and its -trimpath rule.
func (g *cgoRun) copy(original string, text []byte) (string, error) {
	dir := filepath.Join(g.objdir, "goat-cgo")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	name := filepath.Join(dir, filepath.Base(original))
	g.rules = append(g.rules, name+"=>"+rewrite(original, get(g.helper.args, "trimpath")))
	g.paths = append(g.paths, name, original)
	return name, writeFile(name, text)
}

// trim adds the rules to cgo's -trimpath, or adds the flag.
func (g *cgoRun) trim() error {
	rules := strings.Join(g.rules, ";")
	if val, _, at := value(g.args, "trimpath"); at >= 0 {
		set(g.args, "trimpath", rules+";"+val)
		return nil
	}
	g.args = append([]string{"-trimpath", rules}, g.args...)
	return nil
}

// run runs cgo; where it fails, or prints a point other than it stood in the
// source, the original takes over.
func (g *cgoRun) run() (int, error) {
	code, out, err := g.capture(g.args)
	if err != nil {
		return 0, err
	}
	if code > 0 && passing(out) {
		_, err := os.Stderr.WriteString(strings.NewReplacer(g.paths...).Replace(string(out)))
		return code, err
	}
	if code == 0 && g.complete() {
		_, err := os.Stderr.WriteString(strings.NewReplacer(g.paths...).Replace(string(out)))
		return 0, err
	}
	return g.pass()
}

// complete reports whether cgo's outputs hold every point verbatim.
func (g *cgoRun) complete() bool {
	for _, u := range g.planned {
		name := strings.TrimSuffix(filepath.Base(u.arg), ".go") + ".cgo1.go"
		data, err := os.ReadFile(filepath.Join(g.objdir, name))
		if err != nil {
			return false
		}
		if _, all := withoutPoints(data, g.doc.File(u.base)); !all {
			return false
		}
	}
	return true
}
