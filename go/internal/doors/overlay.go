package doors

import (
	"encoding/json"
	"path/filepath"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/hook"
	"github.com/goat-trace/goat/go/internal/plan"
	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/store"
)

// overlay is what the go command is to see besides the tree: original path to the
// path of the contents.
type overlay struct {
	door    *door
	replace map[string]string
	// needs are the standard packages that the runtime imports.
	needs []string
	// identity is what the binaries say about themselves, in one hash.
	identity string
}

// overlayFile composes the user's overlay with the hooks and returns its path in
// the cache.
func (d *door) overlayFile() (string, error) {
	o := &overlay{door: d, replace: map[string]string{}}
	var err error
	if o.identity, err = d.identity(); err != nil {
		return "", err
	}
	if o.needs, err = runtimeNeeds(d.Settings.Server == "on"); err != nil {
		return "", err
	}
	if err := o.user(d.args.Overlay); err != nil {
		return "", err
	}
	hooked := map[string]bool{}
	for _, m := range d.index.Mains {
		hooked[m.Dir] = true
		if err := o.main(m); err != nil {
			return "", err
		}
	}
	for _, t := range d.index.Tests {
		if d.Verb == "build" || d.Verb == "run" || d.Verb == "install" || hooked[t.Dir] && t.OfMain() {
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
	name := "overlay.json"
	if d.Verb == "env" {
		// Where the cache is gone, all that go says is this name.
		name = "type-goat-env-again.json"
	}
	return d.put(name, text)
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
	data, err := store.ReadFile(name)
	if err == nil {
		err = printable.Mismatch(json.Unmarshal(data, &own))
	}
	if err != nil {
		return goSays{&goat.Error{Code: goat.CodeUsage, Message: "reading overlay: " + err.Error(), Path: name, Hint: "see `go help build` about -overlay"}}
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
func (o *overlay) main(m plan.Main) error {
	p := hook.Params{ImportPath: m.ImportPath, Package: "main", Needs: o.mainNeeds(), Identity: o.identity}
	p.Constraint = o.constraintOf(o.door.abs(m.Dir), p.Package, false)
	return o.hook(m.Dir, o.names(hook.EnvMainName, hook.MainNames[:]), p)
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
	if name == "" {
		return nil
	}
	p := hook.Params{ImportPath: t.ImportPath, Package: name, Needs: o.needs, Identity: "test"}
	p.Constraint = o.constraintOf(o.door.abs(t.Dir), p.Package, true)
	if o.door.args.Has("c") || o.door.args.Has("o") {
		p.Identity = o.identity
	}
	return o.hook(t.Dir, o.names(hook.EnvTestName, hook.TestNames[:]), p)
}

// names are those that a hook file may have, in order of preference.
func (o *overlay) names(env string, names []string) []string {
	if o.door.Verb == "env" {
		return append([]string{env}, names...)
	}
	return names
}

// hook adds a hook file under the first name that no file of the user's has.
func (o *overlay) hook(dir string, names []string, p hook.Params) error {
	for _, name := range names {
		at := filepath.Join(o.door.abs(dir), name)
		if text, err := store.ReadFile(at); err == nil && !hook.IsOurs(text) {
			continue
		}
		// One of `goat generate` gives way, whatever the name of ours.
		for _, other := range hook.MainNames {
			old := filepath.Join(o.door.abs(dir), other)
			if text, err := store.ReadFile(old); err == nil && old != at && hook.IsOurs(text) {
				o.replace[old] = ""
			}
		}
		if _, taken := o.replace[at]; taken {
			continue
		}
		path, err := o.door.put(name, []byte(hook.Text(p)))
		o.replace[at] = path
		o.door.hooks[home{o.door.abs(dir), p.Package}] = name
		// Files on the command line may be those of this directory under another name.
		if files := o.door.fileDir(); files != "" && sameDir(files, o.door.abs(dir)) {
			o.replace[filepath.Join(files, name)] = path
			o.door.hooks[home{files, p.Package}] = name
		}
		return err
	}
	return &goat.Error{
		Code: goat.CodeUsage, Message: "no free name for goat's hook file", Path: o.door.abs(dir),
		Hint: "rename one of " + strings.Join(names, ", "),
	}
}
