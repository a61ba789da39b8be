package doors

import (
	"context"
	"fmt"
	"path/filepath"
	"sort"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gocmd"
)

// Requirer says what the base required; it is [goat.Requirements] outside tests.
type Requirer func(ctx context.Context, options goat.Options) (*goat.BaseRequirements, error)

// Upgrades finds the modules of a build whose version is not that of the base.
type Upgrades struct {
	// Environ is the user's environment, Dir where go works.
	Environ gocmd.Environ
	Dir     string
	// Flags are go's flags that decide which packages there are.
	Flags []string
	// Tests takes the modules that only tests need, too.
	Tests        bool
	Requirements Requirer
}

// Find returns the upgraded modules, by path, with the directories of both versions,
// and the packages of them that the build compiles. A module whose versions cannot be
// had is among them, with the reason. go.mod and go.sum stay as they are.
func (u Upgrades) Find(ctx context.Context, options goat.Options) ([]goat.Dependency, []goat.Package, error) {
	base, err := u.Requirements(ctx, options)
	if err != nil {
		return nil, nil, err
	}
	build, err := u.modules(ctx)
	if err != nil {
		return nil, nil, err
	}
	required := map[string][]goat.Required{}
	for _, r := range base.Modules {
		required[r.Path] = append(required[r.Path], r)
	}
	found := []upgrade{}
	packages := []goat.Package{}
	for _, m := range build.modules {
		dep, differs := m.compare(required[m.Path])
		if !differs {
			continue
		}
		found = append(found, dep)
		packages = append(packages, m.packages...)
	}
	store := moduleStore{Upgrades: u, sums: base.Sums, mains: build.mains}
	if err := store.fill(ctx, found); err != nil {
		return nil, nil, err
	}
	deps := make([]goat.Dependency, 0, len(found))
	for i := range found {
		deps = append(deps, found[i].Dependency)
	}
	sort.Slice(deps, func(i, j int) bool { return deps[i].Path < deps[j].Path })
	return deps, packages, nil
}

// moduleVersion names the files of a module.
type moduleVersion struct{ path, version string }

func (m moduleVersion) String() string { return m.path + "@" + m.version }

// upgrade is a module with two versions, before their files are found.
type upgrade struct {
	goat.Dependency
	old, new moduleVersion
}

// compare looks for what the base had in place of a module. What has no version, and
// what the base did not name, is not guessed: it is said.
func (m *buildModule) compare(required []goat.Required) (upgrade, bool) {
	now := moduleVersion{m.Path, m.Version}
	up := upgrade{Dependency: goat.Dependency{Path: m.Path, NewVersion: m.Version}}
	if m.Replace != nil {
		now = moduleVersion{m.Replace.Path, m.Replace.Version}
		up.NewPath, up.NewVersion = now.path, now.version
	}
	if len(required) == 0 {
		up.Problem = "it is new: the base's go.mod does not name it"
		return up, now.version != ""
	}
	before := moduleVersion{required[0].Path, required[0].Version}
	if required[0].NewPath != "" {
		before = moduleVersion{required[0].NewPath, required[0].NewVersion}
	}
	up.OldVersion = before.version
	switch {
	case len(required) > 1:
		up.Problem = fmt.Sprintf("the base's go.mod files do not agree on its version (%s, %s)", required[0].Version, required[1].Version)
	case before == now || before.version == "" && now.version == "":
		return up, false
	case now.version == "":
		up.Problem = "a directory takes its place, which has no version (inside the repository it is tracked as one's own code)"
	case before.version == "":
		up.Problem = "in the base a directory took its place, which has no version"
	}
	up.old, up.new = before, now
	up.NewDir, up.VendorDir = m.Dir, m.vendor
	return up, true
}

// upgrades finds the upgraded modules for a plan; nil if nobody asked for them. What
// goes wrong is said: the build goes on without them.
func (d *door) upgrades(ctx context.Context, options goat.Options) []goat.Dependency {
	if !d.Settings.Deps || d.Requirements == nil {
		return nil
	}
	if d.Verb == "generate" {
		d.say("--deps is left out: the written plan is about this repository's modules only; `goat build --deps` tracks the upgraded ones")
		return nil
	}
	find := Upgrades{
		Environ: d.userEnviron(), Dir: d.args.Dir, Flags: d.args.Module(),
		Tests: d.Verb == "test", Requirements: d.Requirements,
	}
	deps, _, err := find.Find(ctx, options)
	if err != nil {
		d.say("--deps is left out: upgraded modules are not tracked: %v", err)
		return nil
	}
	return deps
}

// sayUntracked names the upgraded modules that are not tracked.
func (d *door) sayUntracked(others []goat.Other) {
	asked := map[string]bool{}
	for i := range d.deps {
		asked[d.deps[i].Path] = true
	}
	for _, o := range others {
		if o.Kind == "module" && asked[o.Path] && strings.HasPrefix(o.Note, "not tracked") {
			d.say("--deps: %s %s", o.Path, o.Note)
		}
	}
}

// depOf returns the upgraded module that a directory of the plan belongs to, where the
// module lies, and where the directory does.
func (d *door) depOf(dir string) (dep *goat.Dependency, root, path string) {
	for i := range d.deps {
		dep := &d.deps[i]
		name := moduleVersion{dep.Path, dep.NewVersion}
		if dep.NewPath != "" {
			name.path = dep.NewPath
		}
		if dep.Problem != "" || !within(dir, name.String()) {
			continue
		}
		root := dep.NewDir
		if dep.VendorDir != "" {
			root = dep.VendorDir
		}
		return dep, root, filepath.Join(root, filepath.FromSlash(strings.TrimPrefix(dir, name.String())))
	}
	return nil, "", ""
}
