package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/store"
)

// buildContext is what a plain `go build` of this moment would build. There is none
// without a go command, and for a release that is not the working tree, because go
// sees only that; the account is then that of every build at once. So it is, with a
// line that says so, where go cannot list the packages.
func (a *app) buildContext(ctx context.Context, settings *config.Settings) (*goat.Build, error) {
	root := goRoot(settings.Dir)
	program, err := exec.LookPath("go")
	if err != nil || root == "" || !settings.WorkingTree() || !goat.HasCore() {
		return nil, nil
	}
	modules := coveredModules(ctx, root, &settings.File)
	entry := ""
	key, err := a.buildKey(program, modules)
	if cache, cacheErr := store.Open(a.getenv); err == nil && cacheErr == nil {
		entry = filepath.Join(cache, "builds", key+".json")
		if build := cachedBuild(entry); build != nil {
			return build, nil
		}
	}
	build, err := askGo(ctx, root, modules)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		a.note(settings, "the account is that of every build at once: "+asGoatError(err).Error())
		return nil, nil
	case entry != "":
		// What cannot be kept is asked for again.
		_ = keepBuild(entry, build)
	}
	return build, nil
}

// note says on stderr what a person may want to know, unless goat is to be quiet.
func (a *app) note(settings *config.Settings, text string) {
	if !settings.Quiet {
		a.tell("%s", strings.ReplaceAll(text, "\n", " "))
	}
}

// goRoot is the module's root, or that of a workspace without a module; "" for neither.
func goRoot(dir string) string {
	if root := config.ModuleRoot(dir); root != "" {
		return root
	}
	if work := workspaceFile(dir); work != "" {
		return filepath.Dir(work)
	}
	return ""
}

// coveredModules are the directories of the modules that the plan covers: those of
// go.work, and the nested ones where goat.yaml asks for them.
func coveredModules(ctx context.Context, root string, file *config.File) []string {
	modules := []string{root}
	if work := workspaceFile(root); work != "" {
		if dirs, err := workspaceModules(ctx, root); err == nil {
			modules = dirs
		}
	}
	if file.SkipNestedModules == nil || *file.SkipNestedModules {
		return modules
	}
	known := map[string]bool{}
	for _, dir := range modules {
		known[resolved(dir)] = true
	}
	// What cannot be read has nothing to list.
	_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && path != root && invisible(entry.Name()) {
			return fs.SkipDir
		}
		if dir := filepath.Dir(path); entry.Name() == "go.mod" && !known[resolved(dir)] {
			modules = append(modules, dir)
		}
		return nil
	})
	return modules
}

// workspaceFile is the go.work that rules root, or "".
func workspaceFile(root string) string {
	switch named := gocmd.Environ(os.Environ()).Setting("GOWORK"); named {
	case "off":
		return ""
	case "", "auto":
	default:
		return named
	}
	for dir := root; ; dir = filepath.Dir(dir) {
		if path := filepath.Join(dir, "go.work"); isFile(path) {
			return path
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// invisible says that `./...` passes over a directory of this name.
func invisible(name string) bool {
	return name == "vendor" || name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// buildKey names everything that go's answer depends on: the go command, its
// environment, and name, size and time of every Go file and module file.
func (a *app) buildKey(program string, modules []string) (string, error) {
	sum := sha256.New()
	for _, name := range []string{
		"GOOS", "GOARCH", "CGO_ENABLED", "GOFLAGS", "GOWORK", "GOTOOLCHAIN", "GOROOT", "GOEXPERIMENT",
		"GOENV", "GO111MODULE", "GOAT_GOFLAGS", "CC",
	} {
		fmt.Fprintf(sum, "%s=%q\n", name, a.getenv(name))
	}
	stamp(sum, program)
	if dir, err := os.UserConfigDir(); err == nil {
		stamp(sum, filepath.Join(dir, "go", "env"))
	}
	if work := workspaceFile(modules[0]); work != "" {
		stamp(sum, work)
	}
	for _, module := range modules {
		if err := stampModule(sum, module); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:16]), nil
}

func stamp(sum hash.Hash, path string) {
	if info, err := os.Stat(path); err == nil {
		fmt.Fprintf(sum, "%q %d %d\n", path, info.Size(), info.ModTime().UnixNano())
	}
}

func stampModule(sum hash.Hash, module string) error {
	return filepath.WalkDir(module, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != module && invisible(entry.Name()):
			return fs.SkipDir
		case strings.HasSuffix(path, ".go") || entry.Name() == "go.mod" || entry.Name() == "modules.txt":
			stamp(sum, path)
		}
		return nil
	})
}

func cachedBuild(entry string) *goat.Build {
	build := &goat.Build{}
	if json.Unmarshal(store.ReadSealed(entry), build) != nil {
		return nil
	}
	return build
}

func keepBuild(entry string, build *goat.Build) error {
	text, err := json.Marshal(build)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(entry), 0o777); err != nil {
		return err
	}
	return writeWhole(entry, store.Seal(text), true)
}

// askGo asks the go command: what it builds for, and which files it takes.
func askGo(ctx context.Context, root string, modules []string) (*goat.Build, error) {
	var env struct{ GOOS, GOARCH, CGO_ENABLED, GOVERSION, GOFLAGS string }
	out, err := goTool(ctx, root, "env", "-json", "GOOS", "GOARCH", "CGO_ENABLED", "GOVERSION", "GOFLAGS")
	if err == nil {
		err = json.Unmarshal(out, &env)
	}
	if err != nil {
		return nil, err
	}
	build := &goat.Build{
		GOOS: env.GOOS, GOARCH: env.GOARCH, Cgo: env.CGO_ENABLED == "1", GoVersion: env.GOVERSION,
		Tags: tagsOf(env.GOFLAGS), Packages: []goat.Package{},
	}
	for _, module := range modules {
		packages, err := listPackages(ctx, module)
		if err != nil {
			return nil, err
		}
		build.Packages = append(build.Packages, packages...)
	}
	return build, nil
}

// tagsOf finds -tags in GOFLAGS; the last one holds.
func tagsOf(goflags string) []string {
	tags := []string{}
	for _, flag := range strings.Fields(goflags) {
		if value, ok := strings.CutPrefix(strings.TrimLeft(flag, "-"), "tags="); ok {
			tags = strings.FieldsFunc(value, func(r rune) bool { return r == ',' })
		}
	}
	sort.Strings(tags)
	return tags
}

func listPackages(ctx context.Context, module string) ([]goat.Package, error) {
	out, err := goTool(ctx, module, "list", "-e", "-find", "-json=ImportPath,Dir,GoFiles,CgoFiles,IgnoredGoFiles", "./...")
	if err != nil {
		return nil, err
	}
	var packages []goat.Package
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		var p goat.Package
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
}
