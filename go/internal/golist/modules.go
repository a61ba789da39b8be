package golist

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/goat-trace/goat/go/internal/plan"
)

// modules are the directories of the modules that a plan covers: those that go works
// in, and besides, where they are wanted, those below them.
func (q *Query) modules(ctx context.Context) (mains, nested []string, err error) {
	if err := q.readable(); err != nil {
		return nil, nil, err
	}
	out, err := q.goList(ctx, q.Dir, []string{"-m", "-f", "{{.Dir}}"})
	if err != nil {
		return nil, nil, err
	}
	mains = strings.Split(strings.TrimSpace(strings.ReplaceAll(string(out), "\r", "")), "\n")
	if q.Nested {
		nested = below(mains)
	}
	return mains, nested, nil
}

// MainModules are the directories of the modules that go works in, as go itself says.
func (q *Query) MainModules(ctx context.Context) ([]string, error) {
	mains, nested, err := q.modules(ctx)
	return append(mains, nested...), err
}

// below are the modules in directories below others.
func below(mains []string) []string {
	known := map[string]bool{}
	for _, dir := range mains {
		known[resolved(dir)] = true
	}
	var nested []string
	for _, main := range mains {
		// What cannot be read has nothing to list.
		_ = filepath.WalkDir(main, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() && path != main && passedOver(entry.Name()) {
				return fs.SkipDir
			}
			if dir := filepath.Dir(path); entry.Name() == "go.mod" && !known[resolved(dir)] {
				known[resolved(dir)] = true
				nested = append(nested, dir)
			}
			return nil
		})
	}
	return nested
}

// passedOver says that `./...` does not go into a directory of this name.
func passedOver(name string) bool {
	return name == "vendor" || name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// roots are the directories whose Go files decide what a build takes: those of the main
// modules, and of the directories that take a module's place.
func (q *Query) roots() []string {
	gowork := q.Environ.Setting("GOWORK")
	mains := plan.MainModules(q.Dir, gowork)
	roots := append([]string(nil), mains...)
	files := plan.ModuleFiles(q.Dir, gowork)
	for _, file := range files {
		roots = append(roots, plan.Replaced(file)...)
	}
	if q.modfile() != "" && len(mains) > 0 {
		roots = append(roots, plan.ReplacedIn(q.modfile(), mains[0])...)
	}
	return outermost(roots)
}

// modfile is the file of -modfile, absolute.
func (q *Query) modfile() string {
	for _, flag := range q.Flags {
		if name, ok := strings.CutPrefix(flag, "-modfile="); ok && name != "" {
			if !filepath.IsAbs(name) {
				name = filepath.Join(q.Dir, name)
			}
			return name
		}
	}
	return ""
}

// outermost leaves out what lies below another directory of the list.
func outermost(dirs []string) []string {
	var kept []string
	for i, dir := range dirs {
		covered := false
		for j, other := range dirs {
			inside := strings.HasPrefix(dir+string(filepath.Separator), other+string(filepath.Separator))
			covered = covered || inside && (dir != other || j < i)
		}
		if !covered {
			kept = append(kept, dir)
		}
	}
	return kept
}

// resolved is a directory without symbolic links.
func resolved(dir string) string {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return real
	}
	return dir
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
