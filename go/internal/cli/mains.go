package cli

import (
	"context"
	"path"
	"path/filepath"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
)

// goList prints mains with everything that they link, and where every package is.
const goList = `{{if not .Standard}}{{.ImportPath}}{{"\t"}}{{.Name}}{{"\t"}}{{.Dir}}{{"\t"}}` +
	`{{.DepOnly}}{{if and (eq .Name "main") (not .DepOnly)}}{{range .Deps}}{{"\t"}}{{.}}{{end}}{{end}}{{"\n"}}{{end}}`

// trackedMains are the mains of the covered modules that mainEntries choose, with the
// packages that the go command would link into them for the build of this moment.
func (a *app) trackedMains(ctx context.Context, settings *config.Settings) ([]goat.Main, error) {
	root := config.ModuleRoot(settings.Dir)
	if root == "" {
		return nil, nil // the core says what is missing
	}
	modules, err := a.query(settings, nil).MainModules(ctx)
	if err != nil {
		return nil, err
	}
	var mains []goat.Main
	for _, module := range modules {
		out, err := goTool(ctx, module, "list", "-e", "-deps", "-f", goList, "./...")
		if err != nil {
			return nil, err
		}
		mains = append(mains, readMains(string(out))...)
	}
	return chooseMains(mains, resolved(root), settings.File.MainEntries)
}

// readMains reads the answer to goList. A dependency that does not stand in the
// user's sources (a vendored copy, the module cache) holds no points.
func readMains(answer string) []goat.Main {
	var mains []goat.Main
	dirs := map[string]string{}
	for _, line := range strings.Split(answer, "\n") {
		fields := strings.Split(strings.TrimSuffix(line, "\r"), "\t")
		if len(fields) < 4 {
			continue
		}
		dirs[fields[0]] = filepath.ToSlash(fields[2])
		if fields[1] == "main" && fields[3] == "false" {
			mains = append(mains, goat.Main{ImportPath: fields[0], Name: fields[1], Dir: fields[2], Deps: fields[4:]})
		}
	}
	for i := range mains {
		deps := []string{}
		for _, dep := range mains[i].Deps {
			if dir := dirs[dep]; dir != "" && !strings.Contains(dir, "/vendor/") {
				deps = append(deps, dep)
			}
		}
		mains[i].Deps = deps
	}
	return mains
}

// chooseMains keeps the mains that an entry names: `*`, a directory relative to the
// module's root, a pattern, or `DIR/...`.
func chooseMains(mains []goat.Main, root string, entries []string) ([]goat.Main, error) {
	if len(entries) == 0 {
		entries = []string{"*"}
	}
	var names []string
	for _, main := range mains {
		names = append(names, mainName(root, main))
	}
	chosen := make([]bool, len(mains))
	for _, entry := range entries {
		any := false
		for i, name := range names {
			if entry == "*" || entryMatches(entry, name) {
				chosen[i], any = true, true
			}
		}
		if !any && entry != "*" {
			return nil, noMain(entry, names)
		}
	}
	var kept []goat.Main
	for i, main := range mains {
		if chosen[i] {
			kept = append(kept, main)
		}
	}
	return kept, nil
}

// mainName is how entries name a main: its directory below the module's root.
func mainName(root string, main goat.Main) string {
	relative, err := filepath.Rel(root, resolved(main.Dir))
	if err != nil {
		return main.ImportPath
	}
	return filepath.ToSlash(relative)
}

func entryMatches(entry, name string) bool {
	pattern := path.Clean(filepath.ToSlash(entry))
	if dir, below := strings.CutSuffix(pattern, "/..."); below {
		return dir == "." || name == dir || strings.HasPrefix(name, dir+"/")
	}
	if pattern == "..." || pattern == name {
		return true
	}
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

func noMain(entry string, names []string) error {
	e := &goat.Error{Code: goat.CodeBadConfig, Message: "mainEntries: `" + entry + "` matches no main package"}
	e.Hint = "the main packages are: " + strings.Join(names, ", ")
	if len(names) == 0 {
		e.Hint = "there is no main package; leave mainEntries out of goat.yaml"
	}
	return e
}

// resolved is a directory as go prints it: without symbolic links.
func resolved(dir string) string {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return real
	}
	return dir
}
