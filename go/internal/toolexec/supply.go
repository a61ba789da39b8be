package toolexec

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// suppliable are the standard packages that the runtime imports, that a program
// with fmt or os may lack, and that need no initialisation: they can be compiled
// at link like the runtime itself.
var suppliable = []string{"strings"}

// supply compiles what the program lacks of suppliable. The build doors never need
// it, for their hook imports what the runtime needs; in bare mode it cannot.
func (l *linking) supply(core *runtimePackage) error {
	packages, err := l.supplies(core)
	if err != nil {
		return err
	}
	for _, p := range packages {
		file, err := l.compileRuntime(p)
		if err != nil {
			return err
		}
		l.archives[p.path] = file
		l.supplied = append(l.supplied, p.path)
	}
	return nil
}

// supplies are the packages that can be added to the program for the runtime's sake.
func (l *linking) supplies(core *runtimePackage) ([]*runtimePackage, error) {
	var packages []*runtimePackage
	for _, need := range core.imports {
		if l.archives[need] != "" || !slices.Contains(suppliable, need) {
			continue
		}
		p, err := l.standard(need)
		if err != nil {
			return nil, err
		}
		if l.complete(p) {
			packages = append(packages, p)
		}
	}
	return packages, nil
}

// standard reads a package of the standard library for this target.
func (l *linking) standard(name string) (*runtimePackage, error) {
	dir := filepath.Join(l.goroot(), "src", filepath.FromSlash(name))
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		if files[entry.Name()], err = os.ReadFile(filepath.Join(dir, entry.Name())); err != nil {
			return nil, err
		}
	}
	p := l.pick(name, "", files)
	p.standard = true
	return p, p.finish()
}

// goroot is the Go tree that the linker belongs to.
func (l *linking) goroot() string {
	if dir := os.Getenv("GOROOT"); dir != "" {
		return dir
	}
	// GOROOT/pkg/tool/GOOS_GOARCH/link
	return filepath.Join(filepath.Dir(l.tool), "..", "..", "..")
}
