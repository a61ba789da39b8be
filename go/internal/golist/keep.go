package golist

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"hash"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/plan"
	"github.com/goat-trace/goat/go/internal/store"
)

// environment is what go says of itself, as far as a build depends on it.
type environment struct {
	// Hash is over all that `go env` prints.
	Hash                               string
	GOOS, GOARCH, CGO, GoVersion       string
	Goflags                            string
	GOPATH, GOMODCACHE, GOWORK, GOROOT string
}

// volatile are variables that change from shell to shell and that go does not read.
var volatile = []string{"PWD", "OLDPWD", "SHLVL", "_", "COLUMNS", "LINES", "WINDOWID"}

// env is go's own view of the environment. It is asked again when anything has changed
// that go reads it from: the variables, go's files of settings, the go command, and what
// chooses its toolchain.
func (q *Query) env(ctx context.Context) (*environment, error) {
	if err := q.readable(); err != nil {
		return nil, err
	}
	program, err := exec.LookPath("go")
	if err != nil {
		return nil, explain(ctx, "looking for go on PATH", "", gocmd.ErrNoGo)
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%q\n", q.Dir)
	variables := slices.DeleteFunc(slices.Clone(q.Environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(volatile, name) || strings.HasPrefix(name, "GOAT_")
	})
	slices.Sort(variables)
	fmt.Fprintf(sum, "%q\n", variables)
	for _, file := range append(q.Environ.Files(), plan.ModuleFiles(q.Dir, q.Environ.Setting("GOWORK"))...) {
		content(sum, file)
	}
	entry := ""
	if stampProgram(sum, program) {
		entry = q.place("env", sum)
	}
	if kept := readJSON[environment](entry); kept != nil {
		return kept, nil
	}
	out, said, err := gocmd.Listen(ctx, q.Dir, q.Environ, []string{"env", "-json"}, q.Say)
	if err != nil {
		return nil, explain(ctx, "go env", said, err)
	}
	var values map[string]string
	if err := json.Unmarshal(out, &values); err != nil {
		return nil, explain(ctx, "go env", "it prints what is no JSON", err)
	}
	// It names a temporary directory of this very run.
	delete(values, "GOGCCFLAGS")
	all, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	hashed := sha256.Sum256(all)
	env := &environment{
		Hash: hex.EncodeToString(hashed[:]), GOOS: values["GOOS"], GOARCH: values["GOARCH"],
		CGO: values["CGO_ENABLED"], GoVersion: values["GOVERSION"], Goflags: values["GOFLAGS"],
	}
	writeJSON(entry, env)
	return env, nil
}

// stampProgram notes the go command, and reports whether its own file tells that it has
// changed: what only chooses another command may choose otherwise tomorrow.
func stampProgram(sum hash.Hash, program string) bool {
	real, err := filepath.EvalSymlinks(program)
	if err != nil {
		return false
	}
	stamp(sum, real)
	return isFile(filepath.Join(filepath.Dir(filepath.Dir(real)), "VERSION"))
}

// entry is where the answer is kept: named by the build's environment and flags, the
// files that say which modules there are, and the part of every Go file that decides
// about packages. It is empty where the answer cannot be kept.
func (q *Query) entry(ctx context.Context, env *environment) (string, error) {
	if q.Cache == "" {
		return "", nil
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "1 %s %q %q %q %t %t\n", env.Hash, q.Dir, q.Flags, q.Patterns, q.Nested, q.Tests)
	for _, entry := range []string{"GODEBUG", "GOEXPERIMENT"} {
		fmt.Fprintf(sum, "%q\n", q.Environ.Get(entry))
	}
	if q.Overlay != "" {
		content(sum, q.Overlay)
	}
	if file := q.modfile(); file != "" {
		content(sum, file)
		content(sum, strings.TrimSuffix(file, ".mod")+".sum")
	}
	roots := q.roots()
	for _, file := range plan.ModuleFiles(q.Dir, q.Environ.Setting("GOWORK")) {
		content(sum, file)
	}
	for _, root := range roots {
		if err := q.headers(ctx, sum, root); err != nil {
			return "", err
		}
	}
	if len(roots) == 0 || q.Overlay != "" && overlaysGo(q.Overlay) {
		return "", nil
	}
	return q.place("list", sum), nil
}

// overlaysGo reports whether an overlay has Go files, whose text is then not on disk.
func overlaysGo(name string) bool {
	text, err := store.ReadFile(name)
	return err != nil || bytes.Contains(text, []byte(".go\""))
}

// header is what is known of a file by its stat data.
type header struct {
	Stamp string
	Hash  string
}

// headers notes the part of every Go file below root that decides about packages: its
// name, package clause, imports and constraints. Files that have not changed since the
// last time are not read.
func (q *Query) headers(ctx context.Context, sum hash.Hash, root string) error {
	place := sha256.New()
	fmt.Fprintf(place, "%q", root)
	entry := q.place("headers", place)
	known := map[string]header{}
	if kept := readJSON[map[string]header](entry); kept != nil {
		known = *kept
	}
	now, changed := map[string]header{}, false
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && d.IsDir():
			return fs.SkipDir
		case d.IsDir() && path != root && (name == ".git" || name == "vendor"):
			if name == "vendor" {
				content(sum, filepath.Join(path, "modules.txt"))
			}
			return fs.SkipDir
		case name == "go.mod" || name == "go.sum" || name == "go.work":
			content(sum, path)
			return nil
		case !strings.HasSuffix(name, ".go") || name[0] == '_' || name[0] == '.':
			return nil
		}
		info, err := os.Stat(path)
		if err != nil || info.IsDir() {
			return nil
		}
		rel := strings.TrimPrefix(path, root)
		h := known[rel]
		if at := strconv.FormatInt(info.Size(), 36) + " " + strconv.FormatInt(info.ModTime().UnixNano(), 36); h.Stamp != at {
			h, changed = header{at, headerHash(path)}, true
		}
		now[rel] = h
		fmt.Fprintf(sum, "%q %s\n", rel, h.Hash)
		return nil
	})
	if err == nil && (changed || len(now) != len(known)) {
		writeJSON(entry, now)
	}
	return err
}

// headerHash is over what go reads of a file before it compiles it.
func headerHash(path string) string {
	text, err := store.ReadFile(path)
	if err != nil {
		return "unreadable"
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ImportsOnly|parser.ParseComments)
	sum := sha256.New()
	if err != nil {
		sum.Write(text)
		return hex.EncodeToString(sum.Sum(nil)[:8])
	}
	fmt.Fprintln(sum, file.Name.Name)
	for _, group := range file.Comments {
		for _, comment := range group.List {
			if line := comment.Text; strings.HasPrefix(line, "//go:build") || strings.Contains(line, "+build") || strings.Contains(line, "#cgo") {
				fmt.Fprintln(sum, line)
			}
		}
	}
	for _, spec := range file.Imports {
		fmt.Fprintln(sum, spec.Path.Value)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// place is a file of the cache; empty without one.
func (q *Query) place(kind string, sum hash.Hash) string {
	if q.Cache == "" {
		return ""
	}
	return filepath.Join(q.Cache, "builds", kind+"-"+hex.EncodeToString(sum.Sum(nil)[:16])+".json")
}

// content notes a file with what is in it.
func content(sum hash.Hash, path string) {
	text, err := store.ReadFile(path)
	fmt.Fprintf(sum, "%q %t %d\n", path, err == nil, len(text))
	sum.Write(text)
}

// stamp notes a file by its stat data.
func stamp(sum hash.Hash, path string) {
	if info, err := os.Stat(path); err == nil {
		fmt.Fprintf(sum, "%q %d %d\n", path, info.Size(), info.ModTime().UnixNano())
	}
}

// readJSON reads what was kept; nil where nothing was, or where it cannot be read.
func readJSON[T any](name string) *T {
	if name == "" {
		return nil
	}
	value := new(T)
	if json.Unmarshal(store.ReadSealed(name), value) != nil {
		return nil
	}
	return value
}

// writeJSON keeps a value. What cannot be kept is asked for again.
func writeJSON(name string, value any) {
	text, err := json.Marshal(value)
	if err != nil || name == "" || os.MkdirAll(filepath.Dir(name), 0o777) != nil {
		return
	}
	file, err := os.CreateTemp(filepath.Dir(name), ".goat-*")
	if err != nil {
		return
	}
	_, err = file.Write(store.Seal(text))
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil || os.Chmod(file.Name(), 0o644) != nil || os.Rename(file.Name(), name) != nil {
		_ = os.Remove(file.Name())
	}
}
