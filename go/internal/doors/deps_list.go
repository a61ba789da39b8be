package doors

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gocmd"
)

// buildModules is what a build takes from other modules.
type buildModules struct {
	// mains are the directories of the main modules.
	mains   []string
	modules []*buildModule
}

// buildModule is a module of the build as go list prints it.
type buildModule struct {
	Path, Version, Dir string
	Main               bool
	Replace            *struct{ Path, Version string }

	// vendor is where its copy lies, in a build from vendor.
	vendor   string
	packages []goat.Package
}

// modules lists the modules whose packages the main modules' packages need. This, and
// not the module graph, because it asks for no more than a build has.
func (u Upgrades) modules(ctx context.Context) (*buildModules, error) {
	out, err := u.goList(ctx, "-m", "-f", "{{.Dir}}")
	if err != nil {
		return nil, err
	}
	found := &buildModules{mains: strings.Split(strings.TrimSpace(strings.ReplaceAll(string(out), "\r", "")), "\n")}
	args := []string{"-e", "-deps", "-json=ImportPath,Dir,GoFiles,CgoFiles,IgnoredGoFiles,ForTest,Module"}
	if u.Tests {
		args = append(args, "-test")
	}
	for _, dir := range found.mains {
		args = append(args, dir+string(filepath.Separator)+"...")
	}
	if out, err = u.goList(ctx, args...); err != nil {
		return nil, err
	}
	return found, found.read(out)
}

func (u Upgrades) goList(ctx context.Context, args ...string) ([]byte, error) {
	line := append([]string{"list"}, u.Flags...)
	out, err := gocmd.Output(ctx, u.Dir, u.Environ, append(line, args...))
	if err == nil {
		return out, nil
	}
	e := &goat.Error{Code: goat.CodeToolchain, Message: "go list cannot name the modules of the build", Hint: "`go list -deps ./...` shows what is wrong"}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if text, _, _ := strings.Cut(string(bytes.TrimSpace(exit.Stderr)), "\n"); text != "" {
			e.Message += ": " + text
		}
		return nil, e
	}
	return nil, e.Wrap(err)
}

// read decodes go list's answer.
func (b *buildModules) read(answer []byte) error {
	known := map[string]*buildModule{}
	decoder := json.NewDecoder(bytes.NewReader(answer))
	for {
		var p struct {
			goat.Package
			ForTest string
			Module  *buildModule
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		if p.Module == nil || p.Module.Main || p.ForTest != "" || p.Dir == "" {
			continue
		}
		m := known[p.Module.Path]
		if m == nil {
			m = p.Module
			known[m.Path] = m
			b.modules = append(b.modules, m)
		}
		m.place(&p.Package)
		m.packages = append(m.packages, p.Package)
	}
	sort.Slice(b.modules, func(i, j int) bool { return b.modules[i].Path < b.modules[j].Path })
	return nil
}

// place notes where a module's copy lies if it is not its own directory.
func (m *buildModule) place(p *goat.Package) {
	below := filepath.FromSlash(strings.TrimPrefix(p.ImportPath, m.Path))
	dir, ok := strings.CutSuffix(p.Dir, below)
	if ok && m.vendor == "" && filepath.Clean(dir) != filepath.Clean(m.Dir) {
		m.vendor = filepath.Clean(dir)
	}
}
