package doors

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/hook"
	"github.com/goat-trace/goat/go/internal/plan"
)

// overlay is what the go command is to see besides the tree: original path to the
// path of the contents.
type overlay struct {
	door    *door
	replace map[string]string
	runtime map[string]bool // modules that have theirs
}

// overlayFile composes the user's overlay with the hooks and the runtime and
// returns its path in the cache.
func (d *door) overlayFile(servers map[string]bool) (string, error) {
	o := &overlay{door: d, replace: map[string]string{}, runtime: map[string]bool{}}
	if err := o.user(d.args.Overlay); err != nil {
		return "", err
	}
	hooked := map[string]bool{}
	for _, m := range d.index.Mains {
		hooked[m.Dir] = true
		if err := o.main(m, servers[m.ImportPath]); err != nil {
			return "", err
		}
	}
	for _, t := range d.index.Tests {
		if d.Verb == "build" || d.Verb == "run" || d.Verb == "install" || hooked[t.Dir] {
			continue
		}
		if err := o.test(t); err != nil {
			return "", err
		}
	}
	text, err := json.MarshalIndent(map[string]any{"Replace": o.replace}, "", "\t")
	if err != nil {
		return "", err
	}
	return d.put("overlay.json", text)
}

// put stores a file in the cache.
func (d *door) put(base string, text []byte) (string, error) {
	path, err := d.cache.put(base, text)
	if err != nil {
		return "", unwritable(d.cache.dir, err)
	}
	return path, nil
}

// user takes over the user's own overlay; its relative paths are relative to where
// go is run.
func (o *overlay) user(name string) error {
	if name == "" {
		return nil
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(o.door.args.Dir, name)
	}
	var own struct{ Replace map[string]string }
	data, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(data, &own)
	}
	if err != nil {
		return &goat.Error{Code: goat.CodeUsage, Message: "reading overlay: " + err.Error(), Path: name, Hint: "see `go help build` about -overlay"}
	}
	for from, to := range own.Replace {
		if to != "" {
			to = o.absolute(to)
		}
		o.replace[o.absolute(from)] = to
	}
	return nil
}

func (o *overlay) absolute(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(o.door.args.Dir, path)
}

// main puts the hook into a program.
func (o *overlay) main(m plan.Main, server bool) error {
	core, err := o.runtimeOf(m.Dir)
	if err != nil || core == "" {
		return err
	}
	p := hook.Params{ImportPath: m.ImportPath, Package: "main", Runtime: core, Identity: o.door.index.PlanHash}
	if server {
		p.Runtime += "/" + hook.ServerDir
	}
	return o.hook(m.Dir, hook.MainNames[:], p)
}

// test puts the hook into the test binary of a package: into the package where
// some test file is inside it, else into the external test package. The identity
// stays out of it, because go would call cached test results old whenever it
// changes; the table is made at link, when the test does run.
func (o *overlay) test(t plan.TestDir) error {
	name := t.Internal
	if name == "" {
		name = t.External
	}
	core, err := o.runtimeOf(t.Dir)
	if err != nil || core == "" || name == "" {
		return err
	}
	p := hook.Params{ImportPath: t.ImportPath, Package: name, Runtime: core, Identity: "test"}
	if o.door.args.Has("c") || o.door.args.Has("o") {
		p.Identity = o.door.index.PlanHash
	}
	return o.hook(t.Dir, hook.TestNames[:], p)
}

// hook adds a hook file under the first name that no file of the user's has.
func (o *overlay) hook(dir string, names []string, p hook.Params) error {
	for _, name := range names {
		at := filepath.Join(o.door.abs(dir), name)
		if text, err := os.ReadFile(at); err == nil && !hook.IsOurs(text) {
			continue
		}
		if _, taken := o.replace[at]; taken {
			continue
		}
		path, err := o.door.put(name, []byte(hook.Text(p)))
		o.replace[at] = path
		o.door.hooks[o.door.abs(dir)] = name
		return err
	}
	return &goat.Error{
		Code: goat.CodeUsage, Message: "no free name for goat's hook file", Path: o.door.abs(dir),
		Hint: "rename one of " + strings.Join(names, ", "),
	}
}

// runtimeOf makes sure that the module of a directory has the runtime and returns
// its import path; empty for a directory outside the covered modules.
func (o *overlay) runtimeOf(dir string) (string, error) {
	m := o.door.moduleOf(dir)
	if m == nil {
		return "", nil
	}
	core := m.Path + "/" + hook.RuntimeDir
	if o.runtime[m.Path] {
		return core, nil
	}
	o.runtime[m.Path] = true
	files, err := runtimeFiles(core, "")
	if err != nil {
		return "", err
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	base := filepath.Join(o.door.abs(m.Dir), filepath.FromSlash(hook.RuntimeDir))
	for _, name := range names {
		path, err := o.door.put(filepath.Base(name), files[name])
		if err != nil {
			return "", err
		}
		o.replace[filepath.Join(base, filepath.FromSlash(name))] = path
	}
	return core, nil
}
