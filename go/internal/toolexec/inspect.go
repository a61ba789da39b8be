package toolexec

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/goat-trace/goat/go/internal/plan"
)

// Ground is what a helper without --plan works with: the plan that `goat generate`
// has left, else the module to plan. Where both are empty there is nothing of the
// user's to build.
type Ground struct{ Plan, Module string }

// Locate finds the ground of a go command that is run in dir.
func Locate(dir, gowork string) (Ground, error) {
	generated, err := plan.GeneratedIn(dir)
	if err != nil {
		return Ground{}, &problem{what: err.Error(), hint: "remove it, or make it anew as its owner: `goat generate`"}
	}
	if generated != "" {
		return Ground{Plan: generated}, nil
	}
	return Ground{Module: plan.ModuleDir(dir, gowork)}, nil
}

// Changed are those of a package's files that a build with this plan would refuse,
// because they are not those that the plan was made for. overlay is the build's
// overlay file, if it has one.
func Changed(planDir, overlay, importPath string, files []string) ([]string, error) {
	hashes, err := plan.ReadHashes(planDir, importPath)
	if err != nil || hashes == nil && !hasPlanned(planDir, importPath) {
		return nil, err
	}
	units, err := unitsOf(files, os.DevNull)
	if err != nil {
		return nil, err
	}
	c := &compilation{helper: &helper{plan: planDir, overlay: overlay}, units: units}
	return c.changed(hashes)
}

// Program is a program that a build in bare mode would link.
type Program struct {
	// Packages are the import paths of all that it links.
	Packages []string
	// GOOS, GOARCH and GOROOT are the build's.
	GOOS, GOARCH, GOROOT string
	// Runtime returns the source files of the runtime package.
	Runtime func(importPath, packageName string, with ...string) (map[string][]byte, error)
}

// Refused is why bare mode would not link the program; nil if it would.
func (p Program) Refused() error {
	l := &linking{
		helper: &helper{opts: Options{Runtime: p.Runtime}}, archives: map[string]string{}, goos: p.GOOS, goarch: p.GOARCH,
	}
	l.tool = filepath.Join(p.GOROOT, "pkg", "tool", p.GOOS+"_"+p.GOARCH, "link")
	for _, path := range p.Packages {
		l.archives[path] = path
	}
	core, _, err := l.runtimePackages()
	if err != nil {
		return err
	}
	supplied, err := l.supplies(core)
	if err != nil {
		return err
	}
	for _, s := range supplied {
		l.archives[s.path] = s.path
	}
	if missing := l.missing(core); len(missing) > 0 {
		return lackingProblem(missing)
	}
	return nil
}

// IsHelper finds goat's helper in the words of a -toolexec command: the words of the
// user's own before it, and goat's behind `toolexec`.
func IsHelper(words []string, executable string) (before, behind []string, ok bool) {
	for i := 0; i+1 < len(words); i++ {
		name := strings.TrimSuffix(filepath.Base(words[i]), ".exe")
		if words[i+1] == "toolexec" && (words[i] == executable || name == "goat" || name == LongName) {
			return words[:i], words[i+2:], true
		}
	}
	return nil, nil, false
}
