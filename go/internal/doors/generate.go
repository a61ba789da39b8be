package doors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/hook"
	"github.com/goat-trace/goat/go/internal/plan"
	"github.com/goat-trace/goat/go/internal/rtsource"
	"github.com/goat-trace/goat/go/internal/store"
)

// planDir is where generate leaves the plan, in the module's root.
const planDir = plan.GeneratedDir

// generation is one run of generate: the files that are to be there afterwards.
type generation struct {
	*door
	files map[string][]byte // absolute path to text
}

// generate writes the plan, the runtime and the hooks into the module, so that
// go's own build graph holds them: then builds without git, in containers, with
// any flag, need nothing but the helper.
func (d *door) generate(ctx context.Context) (int, error) {
	if len(d.Args) > 0 {
		return 0, &goat.Error{Code: goat.CodeUsage, Message: "generate: unknown argument " + d.Args[0], Hint: "goat help generate"}
	}
	d.Verb = "generate"
	if err := d.parse(); err != nil {
		return 0, err
	}
	if err := d.makePlan(ctx, d.args.Dir); err != nil {
		return 0, err
	}
	if d.index.Marked {
		d.say("%s", d.nothing())
		return 0, nil
	}
	g := &generation{door: d, files: map[string][]byte{}}
	if err := g.collect(ctx); err != nil {
		return 0, err
	}
	if err := g.write(ctx); err != nil {
		return 0, err
	}
	d.say("%s; wrote %s", d.summary(), planDir)
	return 0, nil
}

// collect makes the hooks and the runtime of every covered module.
func (g *generation) collect(ctx context.Context) error {
	servers, err := g.servers(ctx)
	if err != nil {
		return err
	}
	identity, err := g.identity()
	if err != nil {
		return err
	}
	done := map[string]bool{}
	for _, m := range g.index.Mains {
		module := g.moduleOf(m.Dir)
		if module == nil || !g.tracked(m) {
			continue
		}
		runtime := module.Path + "/" + g.runtimePath()
		p := hook.Params{ImportPath: m.ImportPath, Package: "main", Runtime: runtime, Identity: identity}
		p.Constraint = (&overlay{door: g.door}).constraintOf(g.abs(m.Dir), p.Package, false)
		if servers[m.ImportPath] {
			p.Runtime += "/" + hook.ServerDir
			if g.Settings.Pprof {
				p.Pprof = runtime + "/" + hook.PprofDir
			}
		} else if g.Settings.Pprof {
			g.sayNoProfiles(m)
		}
		if err := g.add(filepath.Join(g.abs(m.Dir), hook.MainName), []byte(hook.Text(p))); err != nil {
			return err
		}
		if done[module.Path] {
			continue
		}
		done[module.Path] = true
		if err := g.runtime(module, runtime); err != nil {
			return err
		}
	}
	return nil
}

// runtimePath is the runtime's directory, relative to a module.
func (g *generation) runtimePath() string {
	if path := strings.Trim(filepath.ToSlash(g.index.RuntimePath), "/"); path != "" {
		return path
	}
	return "goat"
}

// tracked reports whether goat.yaml's mainEntries take a program.
func (g *generation) tracked(m plan.Main) bool {
	entries := g.Settings.File.MainEntries
	if len(entries) == 0 || slices.Contains(entries, "*") {
		return true
	}
	module := g.moduleOf(m.Dir)
	rel := strings.TrimPrefix(strings.TrimPrefix(m.Dir, module.Dir), "/")
	return slices.ContainsFunc(entries, func(entry string) bool {
		entry = strings.TrimPrefix(filepath.ToSlash(filepath.Clean(entry)), "./")
		return entry == rel || entry == m.Dir || entry == m.ImportPath || entry == "." && rel == ""
	})
}

// runtime adds the runtime's files to a module.
func (g *generation) runtime(module *plan.Module, importPath string) error {
	var with []string
	if g.Settings.Pprof {
		with = append(with, hook.PprofDir)
	}
	files, err := rtsource.Files(importPath, g.Settings.File.GoatPackageName, with...)
	if err != nil {
		return err
	}
	dir := filepath.Join(g.abs(module.Dir), filepath.FromSlash(g.runtimePath()))
	if err := g.foreign(dir, files); err != nil {
		return err
	}
	for name, text := range files {
		if err := g.add(filepath.Join(dir, filepath.FromSlash(name)), text); err != nil {
			return err
		}
	}
	return nil
}

// foreign refuses a directory for the runtime that holds Go files of the user's.
func (g *generation) foreign(dir string, files map[string][]byte) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || filepath.Ext(name) != ".go" || files[name] != nil {
			continue
		}
		if text, err := store.ReadFile(filepath.Join(dir, name)); err == nil && !hook.IsOurs(text) {
			return &goat.Error{
				Code: goat.CodeUsage, Path: dir, Message: fmt.Sprintf("%s holds a package of yours (%s)", dir, name),
				Hint: "choose another directory for the runtime: goatPackagePath in goat.yaml",
			}
		}
	}
	return nil
}

// add notes a file, unless one of the user's stands in its place.
func (g *generation) add(path string, text []byte) error {
	if err := g.within(path); err != nil {
		return err
	}
	if old, err := store.ReadFile(path); err == nil && !hook.IsOurs(old) {
		return &goat.Error{Code: goat.CodeUsage, Path: path, Message: path + " is a file of yours", Hint: "rename it: goat needs the name"}
	}
	g.files[path] = text
	return nil
}

// within refuses a place to which links lead that is no part of the work tree.
func (g *generation) within(path string) error {
	at := path
	for !exists(at) && at != filepath.Dir(at) {
		at = filepath.Dir(at)
	}
	real, err := filepath.EvalSymlinks(at)
	if err == nil {
		rel, relErr := filepath.Rel(g.root, real)
		elements := strings.Split(filepath.ToSlash(rel), "/")
		if relErr == nil && elements[0] != ".." && !slices.ContainsFunc(elements, func(e string) bool { return strings.EqualFold(e, ".git") }) {
			return nil
		}
	}
	return &goat.Error{
		Code: goat.CodeUsage, Path: path, Message: path + " would not be a file of the repository: a link leads out of it",
		Hint: "remove the link; goatPackagePath in goat.yaml says where the runtime goes",
	}
}

// write makes the tree hold the files and the plan. All is written beside the plan
// first: a full disk or a kill then leaves the tree as it was. What takes its place
// last is the hooks, which need the runtime, and the index, without which the plan is
// none.
func (g *generation) write(ctx context.Context) error {
	module := config.ModuleRoot(g.args.Dir)
	to := filepath.Join(module, planDir)
	if err := g.within(filepath.Join(to, "index.json")); err != nil {
		return err
	}
	unlock, err := g.lock(ctx, to)
	if err != nil {
		return err
	}
	defer unlock()
	stage := filepath.Join(to, "stage")
	defer os.RemoveAll(stage)
	moves, err := g.stage(stage, to)
	if err != nil {
		_ = os.RemoveAll(stage)
		_ = os.Remove(to) // if there was none
		return unwritableTree(to, err)
	}
	index := filepath.Join(to, "index.json")
	if err := os.Remove(index); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unwritableTree(index, err)
	}
	for _, sub := range []string{"p", "s"} {
		if err := os.RemoveAll(filepath.Join(to, sub)); err != nil {
			return unwritableTree(to, err)
		}
	}
	for _, m := range moves {
		if err := m.take(); err != nil {
			return unwritableTree(m.to, err)
		}
	}
	if err := g.sweep(); err != nil {
		return unwritableTree(module, err)
	}
	return nil
}

// move is a file that waits to take its place.
type move struct{ from, to string }

// take puts the file there.
func (m move) take() error {
	if err := os.MkdirAll(filepath.Dir(m.to), 0o777); err != nil {
		return err
	}
	err := os.Rename(m.from, m.to)
	if err == nil {
		return nil
	}
	// A module of the workspace may lie on another file system.
	text, readErr := store.ReadFile(m.from)
	if readErr != nil {
		return err
	}
	return writeAtomic(m.to, text)
}

// stage writes all files and returns how they are to take their places: the runtime,
// the plan, the hooks, the index.
func (g *generation) stage(stage, to string) ([]move, error) {
	if err := os.RemoveAll(stage); err != nil {
		return nil, err
	}
	var runtime, hooks, documents, index []move
	put := func(target string, text []byte) (move, error) {
		m := move{filepath.Join(stage, strconv.Itoa(len(runtime)+len(hooks)+len(documents)+len(index))), target}
		return m, writeAtomic(m.from, text)
	}
	for path, text := range g.files {
		if old, err := store.ReadFile(path); err == nil && string(old) == string(text) {
			continue
		}
		m, err := put(path, text)
		if err != nil {
			return nil, err
		}
		if hook.IsName(filepath.Base(path)) {
			hooks = append(hooks, m)
		} else {
			runtime = append(runtime, m)
		}
	}
	err := filepath.WalkDir(g.dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := store.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(g.dir, name)
		if err != nil {
			return err
		}
		m, err := put(filepath.Join(to, rel), text)
		if rel == "index.json" {
			index = append(index, m)
		} else {
			documents = append(documents, m)
		}
		return err
	})
	return slices.Concat(runtime, documents, hooks, index), err
}

func unwritableTree(path string, err error) error {
	return &goat.Error{Code: goat.CodeUnwritable, Message: "cannot write into the module: " + err.Error(), Path: path, Hint: "make it writable, or use `goat build`, which writes nothing there"}
}

// sweep removes hooks and runtime files of an earlier run that are no longer
// wanted, wherever in the covered modules they stand. It touches only files that
// carry goat's first line.
func (g *generation) sweep() error {
	names, err := runtimeNames()
	if err != nil {
		return err
	}
	for _, m := range g.index.Modules {
		root := g.abs(m.Dir)
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() {
				return skipSweep(root, path, entry.Name())
			}
			if g.files[path] != nil || !names[entry.Name()] {
				return nil
			}
			return removeOurs(path)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// skipSweep keeps out of directories that are not the module's.
func skipSweep(root, path, name string) error {
	if path == root {
		return nil
	}
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "vendor" || name == "testdata" || exists(filepath.Join(path, "go.mod")) {
		return filepath.SkipDir
	}
	return nil
}

func removeOurs(path string) error {
	text, err := store.ReadFile(path)
	if err != nil || !hook.IsOurs(text) {
		return nil
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	// An empty directory goes with its last file; one that is not empty stays.
	_ = os.Remove(filepath.Dir(path))
	return nil
}

// runtimeNames are the base names of the files that generate writes.
func runtimeNames() (map[string]bool, error) {
	files, err := rtsource.Files(linkPath, "", hook.PprofDir)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{hook.MainName: true}
	for name := range files {
		names[filepath.Base(name)] = true
	}
	return names, nil
}

// servers says which programs get the HTTP server: with auto those that link
// net/http without goat's own hook.
func (g *generation) servers(ctx context.Context) (map[string]bool, error) {
	servers := map[string]bool{}
	if g.Settings.Server == "off" {
		return servers, nil
	}
	args := []string{"list", "-e", "-f", `{{.ImportPath}}{{range .Deps}}{{if eq . "net/http"}} net/http{{end}}{{end}}`}
	var paths []string
	hidden := map[string]string{}
	for _, m := range g.index.Mains {
		servers[m.ImportPath] = g.Settings.Server == "on"
		paths = append(paths, m.ImportPath)
		if name := filepath.Join(g.abs(m.Dir), hook.MainName); exists(name) {
			hidden[name] = ""
		}
	}
	if g.Settings.Server == "on" || len(paths) == 0 {
		return servers, nil
	}
	text, err := json.Marshal(map[string]any{"Replace": hidden})
	if err != nil {
		return nil, err
	}
	overlay, err := g.put("hidden.json", text)
	if err != nil {
		return nil, err
	}
	args = append(append(args, g.args.Module()...), "-overlay="+overlay)
	out, err := gocmd.Output(ctx, g.args.Dir, g.userEnviron(), append(args, paths...))
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	// What go cannot list gets no server; the build will say what is wrong with it.
	for _, line := range strings.Split(string(out), "\n") {
		if name, ok := strings.CutSuffix(line, " net/http"); ok {
			servers[name] = true
		}
	}
	return servers, nil
}
