package compat

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/contract"
)

// modules compares the requirements of every go.mod. What the base's branch did since the
// release left it is looked at, too: both may have moved the same module.
func (c *Check) modules(ctx context.Context, f *gate.Finding) error {
	files, err := c.files(ctx, "go.mod", "**/go.mod")
	if err != nil {
		return err
	}
	tips, err := c.tips(ctx)
	if err != nil {
		return err
	}
	query := "go.mod, " + contract.Sides(files)
	looked := 0
	for i := range files.Files {
		pair := &files.Files[i]
		if pair.Problem != "" {
			return fmt.Errorf("%s: %s", pair.Path, pair.Problem)
		}
		if strings.Contains("/"+pair.Path, "/testdata/") || strings.Contains("/"+pair.Path, "/vendor/") {
			continue
		}
		base, err := parse(pair.Path, pair.Base, "base")
		if err != nil {
			return err
		}
		release, err := parse(pair.Path, pair.Release, "release")
		if err != nil {
			return err
		}
		looked++
		if base == nil || release == nil {
			continue
		}
		tip, err := parse(pair.Path, tips[pair.Path], "base")
		if err != nil {
			return err
		}
		found := append(compareModules(pair.Path, base, release, tip), c.retracted(pair.Path, base, release)...)
		c.judge(f, pair.Path, query, found, c.Now())
	}
	if looked == 0 {
		f.Add(gate.Reason{Verdict: gate.Error, Message: "there is no go.mod in base or release", Query: query})
	}
	return nil
}

// tips are the go.mod files at the end of the base's branch.
func (c *Check) tips(ctx context.Context) (map[string]*string, error) {
	options := c.Options
	options.Base, options.Range, options.Patterns = c.base(), goat.RangeDirect, []string{"go.mod", "**/go.mod"}
	files, err := goat.ReadFiles(ctx, options)
	if err != nil {
		return nil, err
	}
	tips := map[string]*string{}
	for i := range files.Files {
		tips[files.Files[i].Path] = files.Files[i].Base
	}
	return tips, nil
}

func parse(name string, text *string, side string) (*modfile.File, error) {
	if text == nil {
		return nil, nil
	}
	file, err := modfile.Parse(name, []byte(*text), nil)
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return nil, &goat.Error{Code: goat.CodeUnreadable, Message: first + " (in the " + side + ")", Hint: "`go mod edit -fmt` says what is wrong with it"}
	}
	return file, nil
}

// requirement is what a go.mod says of a module.
type requirement struct {
	version string
	line    int
	replace *modfile.Replace
}

// requirements are the modules of a file by path, replacements applied.
func requirements(file *modfile.File) map[string]requirement {
	all := map[string]requirement{}
	if file == nil {
		return all
	}
	for _, r := range file.Require {
		one := requirement{version: r.Mod.Version, line: r.Syntax.Start.Line}
		for _, replace := range file.Replace {
			if replace.Old.Path == r.Mod.Path && (replace.Old.Version == "" || replace.Old.Version == r.Mod.Version) {
				one.replace = replace
			}
		}
		all[r.Mod.Path] = one
	}
	return all
}

// compareModules gives the differences of one go.mod. tip is the end of the base's branch.
func compareModules(name string, base, release, tip *modfile.File) []finding {
	was, is, moved := requirements(base), requirements(release), requirements(tip)
	var found []finding
	add := func(id, severity, subject string, line int, format string, args ...any) {
		one := finding{ID: "modules." + id, Severity: severity, Subject: subject, Message: fmt.Sprintf(format, args...)}
		one.Place.File, one.Place.Line = name, line
		found = append(found, one)
	}
	for _, path := range sorted(is) {
		now := is[path]
		old, had := was[path]
		switch {
		case !had:
			add("added", info, path, now.line, "required at %s, not in the base", now.version)
		case semver.Compare(old.version, now.version) < 0:
			add("upgraded", info, path, now.line, "%s -> %s", old.version, now.version)
		case semver.Compare(old.version, now.version) > 0:
			add("downgraded", breaking, path, now.line, "%s -> %s: fixes and API of the newer version are gone", old.version, now.version)
		}
		if at, on := moved[path]; on && had && at.version != old.version && now.version != old.version && at.version != now.version {
			add("moved-in-both", warning, path, now.line, "%s at the fork, %s on the base's branch since, %s in the release", old.version, at.version, now.version)
		}
		if r := now.replace; r != nil {
			what := target(r)
			switch {
			case old.replace == nil || target(old.replace) != what:
				add("replaced", warning, path, r.Syntax.Start.Line, "replaced by %s, which the base does not do", what)
			case had && old.version != now.version:
				add("masked", warning, path, r.Syntax.Start.Line, "%s -> %s has no effect: it is replaced by %s", old.version, now.version, what)
			}
		} else if old.replace != nil {
			add("unreplaced", warning, path, now.line, "no longer replaced by %s", target(old.replace))
		}
	}
	for _, path := range sorted(was) {
		if _, still := is[path]; !still {
			add("removed", info, path, 0, "%s, no longer required", was[path].version)
		}
	}
	majors(was, is, add)
	if release.Go != nil && (base.Go == nil || base.Go.Version != release.Go.Version) {
		before := "none"
		if base.Go != nil {
			before = base.Go.Version
		}
		add("go", info, "go", release.Go.Syntax.Start.Line, "go %s -> %s", before, release.Go.Version)
	}
	for _, r := range base.Retract {
		if !slices.ContainsFunc(release.Retract, func(n *modfile.Retract) bool { return n.VersionInterval == r.VersionInterval }) {
			add("unretracted", warning, "retract", 0, "[%s, %s] is no longer retracted", r.Low, r.High)
		}
	}
	return found
}

// majors names modules of which the release holds several major versions and the base
// only one: types of the one are none of the other.
func majors(was, is map[string]requirement, add func(id, severity, subject string, line int, format string, args ...any)) {
	group := func(all map[string]requirement) map[string][]string {
		groups := map[string][]string{}
		for _, path := range sorted(all) {
			prefix, _, ok := module.SplitPathVersion(path)
			if ok {
				groups[prefix] = append(groups[prefix], path)
			}
		}
		return groups
	}
	before, after := group(was), group(is)
	for _, prefix := range sorted(after) {
		if now := after[prefix]; len(now) > 1 && len(before[prefix]) < len(now) {
			last := now[len(now)-1]
			add("major-split", warning, prefix, is[last].line, "several major versions at once: %s", strings.Join(now, ", "))
		}
	}
}

func target(r *modfile.Replace) string {
	return strings.TrimSuffix(r.New.Path+"@"+r.New.Version, "@")
}

func sorted[V any](all map[string]V) []string {
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
