package compat

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"runtime/debug"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gate"
)

// binaries compares what two binaries were built of: what really runs, whatever go.mod
// says.
func (c *Check) binaries(_ context.Context, f *gate.Finding) error {
	old, err := c.built(c.Binary.Old)
	if err != nil {
		return err
	}
	now, err := c.built(c.Binary.New)
	if err != nil {
		return err
	}
	what := c.Binary.Old + " and " + c.Binary.New
	c.judge(f, "build information", "go version -m "+what, compareBuilt(c.Binary.New, old, now), c.Now())
	return nil
}

func (c *Check) built(name string) (*debug.BuildInfo, error) {
	info, err := buildinfo.ReadFile(c.Path(name))
	if err != nil {
		reason := err.Error()
		if at := strings.LastIndex(reason, ": "); at >= 0 {
			reason = reason[at+2:]
		}
		return nil, &goat.Error{
			Code: goat.CodeUnreadable, Message: name + ": no build information: " + reason, Path: name,
			Hint: "name a binary that the go command built, unpacked (no upx) and with its own build information",
		}
	}
	return info, nil
}

// compareBuilt gives the differences of two binaries.
func compareBuilt(name string, old, now *debug.BuildInfo) []finding {
	var found []finding
	add := func(id, severity, subject, format string, args ...any) {
		one := finding{ID: "binary." + id, Severity: severity, Subject: subject, Message: fmt.Sprintf(format, args...)}
		one.Place.File = name
		found = append(found, one)
	}
	if old.Main.Path != now.Main.Path || old.Path != now.Path {
		add("program", warning, now.Path, "another program: %s before", old.Path)
	}
	if old.GoVersion != now.GoVersion {
		severity := info
		if semver.Compare(goSemver(old.GoVersion), goSemver(now.GoVersion)) > 0 {
			severity = warning
		}
		add("go", severity, "go", "%s -> %s", old.GoVersion, now.GoVersion)
	}
	was, is := deps(old), deps(now)
	for _, path := range sorted(is) {
		before, had := was[path]
		after := is[path]
		switch {
		case !had:
			add("added", info, path, "%s, not in the old binary", after)
		case before == after:
		case semver.IsValid(before) && semver.IsValid(after) && semver.Compare(before, after) > 0:
			add("downgraded", breaking, path, "%s -> %s", before, after)
		case semver.IsValid(before) && semver.IsValid(after):
			add("upgraded", info, path, "%s -> %s", before, after)
		default:
			add("replaced", warning, path, "%s -> %s", before, after)
		}
	}
	for _, path := range sorted(was) {
		if _, still := is[path]; !still {
			add("removed", info, path, "%s, not in the new binary", was[path])
		}
	}
	set, before := setting(now), setting(old)
	for _, key := range []string{"GOOS", "GOARCH", "GOAMD64", "GOARM64", "CGO_ENABLED", "-tags", "-race", "-buildmode", "-gcflags", "GOEXPERIMENT", "GOFIPS140"} {
		if set[key] != before[key] {
			add("setting", warning, key, "%q -> %q", before[key], set[key])
		}
	}
	if set["vcs.modified"] == "true" {
		add("dirty", warning, "vcs", "built from a working tree with changes that no commit has")
	}
	return found
}

// deps are the modules of a binary with the versions that were compiled.
func deps(built *debug.BuildInfo) map[string]string {
	all := map[string]string{}
	for _, d := range built.Deps {
		version := d.Version
		if d.Replace != nil {
			version = strings.TrimSuffix(d.Replace.Path+"@"+d.Replace.Version, "@")
		}
		all[d.Path] = version
	}
	return all
}

func setting(built *debug.BuildInfo) map[string]string {
	all := map[string]string{}
	for _, s := range built.Settings {
		all[s.Key] = s.Value
	}
	return all
}

// goSemver is a Go version as semver compares it.
func goSemver(version string) string {
	plain, _, _ := strings.Cut(strings.TrimPrefix(version, "go"), " ")
	for _, pre := range []string{"rc", "beta"} {
		if at := strings.Index(plain, pre); at > 0 {
			plain = plain[:at] + "-" + pre + "." + plain[at+len(pre):]
		}
	}
	return "v" + plain
}
