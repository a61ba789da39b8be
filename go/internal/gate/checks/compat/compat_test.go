package compat

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/modfile"

	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/settings"
)

func mod(t *testing.T, text string) *modfile.File {
	t.Helper()
	file, err := parse("go.mod", &text, "base")
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func told(found []finding) string {
	var b strings.Builder
	for i := range found {
		fmt.Fprintf(&b, "%s %s\n", found[i].Severity, found[i].String())
	}
	return b.String()
}

func TestModules(t *testing.T) {
	base := mod(t, `module example.com/m
go 1.21
require (
	example.com/up v1.0.0
	example.com/down v1.5.0
	example.com/both v1.0.0
	example.com/gone v1.0.0
	example.com/one v1.0.0
	example.com/masked v1.0.0
)
replace example.com/masked => ../masked
retract v0.9.0
`)
	release := mod(t, `module example.com/m
go 1.23
require (
	example.com/up v1.1.0
	example.com/down v1.4.0
	example.com/both v1.1.0
	example.com/new v0.1.0
	example.com/one v1.0.0
	example.com/one/v2 v2.0.0
	example.com/masked v1.2.0
)
replace example.com/masked => ../masked
replace example.com/new => example.com/fork v0.1.1
`)
	tip := mod(t, `module example.com/m
require (
	example.com/both v1.2.0
	example.com/up v1.0.0
)
`)
	const want = `warning go.mod:6: modules.moved-in-both: example.com/both: v1.0.0 at the fork, v1.2.0 on the base's branch since, v1.1.0 in the release
breaking go.mod:5: modules.downgraded: example.com/down: v1.5.0 -> v1.4.0: fixes and API of the newer version are gone
warning go.mod:12: modules.masked: example.com/masked: v1.0.0 -> v1.2.0 has no effect: it is replaced by ../masked
warning go.mod:13: modules.replaced: example.com/new: replaced by example.com/fork@v0.1.1, which the base does not do
info go.mod: modules.removed: example.com/gone: v1.0.0, no longer required
warning go.mod:9: modules.major-split: example.com/one: several major versions at once: example.com/one, example.com/one/v2
info go.mod:2: modules.go: go: go 1.21 -> 1.23
warning go.mod: modules.unretracted: retract: [v0.9.0, v0.9.0] is no longer retracted
`
	var lines []string
	for _, line := range strings.Split(told(compareModules("go.mod", base, release, tip)), "\n") {
		if !strings.Contains(line, "modules.upgraded") && !strings.Contains(line, "modules.added") {
			lines = append(lines, line)
		}
	}
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if found := compareModules("go.mod", base, base, tip); told(found) != "" {
		t.Errorf("the same file: %s", told(found))
	}
}

func TestRetracted(t *testing.T) {
	cache := t.TempDir()
	dir := filepath.Join(cache, "cache/download/example.com/!up/@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"v1.0.0.mod":      "module example.com/Up\n",
		"v1.2.0.mod":      "module example.com/Up\n\n// loses data\nretract [v1.0.0, v1.1.0]\n",
		"v1.3.0-rc.1.mod": "module example.com/Up\n",
		"v1.2.0.info":     "{}",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := &Check{ModCache: cache}
	base := mod(t, "module m\nrequire example.com/Up v1.0.0\n")
	release := mod(t, "module m\nrequire example.com/Up v1.1.0\n")
	if got, want := told(c.retracted("go.mod", base, release)), "breaking go.mod:2: modules.retracted: example.com/Up: v1.1.0 was retracted: loses data\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := told(c.retracted("go.mod", base, base)); !strings.HasPrefix(got, "warning ") {
		t.Errorf("what the base has, too: %q", got)
	}
	for _, other := range []string{"module m\nrequire example.com/Up v1.2.0\n", "module m\nrequire example.com/unknown v1.0.0\n"} {
		if got := told(c.retracted("go.mod", base, mod(t, other))); got != "" {
			t.Errorf("%s: %s", other, got)
		}
	}
}

func TestBuilt(t *testing.T) {
	info := func(version, dep string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{GoVersion: version, Path: "example.com/m", Deps: []*debug.Module{{Path: "example.com/d", Version: dep}}, Settings: settings}
	}
	old := info("go1.26.8", "v1.2.0", debug.BuildSetting{Key: "CGO_ENABLED", Value: "1"})
	now := info("go1.26rc1", "v1.1.0", debug.BuildSetting{Key: "CGO_ENABLED", Value: "0"}, debug.BuildSetting{Key: "vcs.modified", Value: "true"})
	const want = `warning new: binary.go: go: go1.26.8 -> go1.26rc1
breaking new: binary.downgraded: example.com/d: v1.2.0 -> v1.1.0
warning new: binary.setting: CGO_ENABLED: "1" -> "0"
warning new: binary.dirty: vcs: built from a working tree with changes that no commit has
`
	if got := told(compareBuilt("new", old, now)); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if got := told(compareBuilt("new", old, old)); got != "" {
		t.Errorf("the same binary: %s", got)
	}
}

// TestJudge: a breaking finding fails, unless it is meant; a warning fails where asked.
func TestJudge(t *testing.T) {
	now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	end := func(day int) settings.Date { return settings.Date{End: time.Date(2026, 12, day, 0, 0, 0, 0, time.UTC)} }
	one := finding{ID: "api.object.removed", Severity: breaking, Subject: "example.com/m.F", Message: "removed"}
	one.Place.File = "pkg/f.go"
	for _, c := range []struct {
		severity string
		settings Settings
		want     gate.Verdict
	}{
		{breaking, Settings{Level: breaking}, gate.Fail},
		{warning, Settings{Level: breaking}, gate.Pass},
		{warning, Settings{Level: warning}, gate.Fail},
		{info, Settings{Level: warning}, gate.Pass},
		{breaking, Settings{Level: breaking, Ignore: []Ignore{{ID: "api.object.*", Why: "meant"}}}, gate.Pass},
		{breaking, Settings{Level: breaking, Ignore: []Ignore{{Place: "pkg/**", Why: "meant", Until: end(2)}}}, gate.Pass},
		{breaking, Settings{Level: breaking, Ignore: []Ignore{{Place: "pkg/**", Why: "meant", Until: end(1)}}}, gate.Fail},
		{breaking, Settings{Level: breaking, Ignore: []Ignore{{Place: "pkg/**", Why: "meant", Until: settings.Date{End: now.Add(time.Second)}}}}, gate.Pass},
		{breaking, Settings{Level: breaking, Ignore: []Ignore{{ID: "api.object.type", Why: "meant"}}}, gate.Fail},
		{breaking, Settings{Level: breaking, Ignore: []Ignore{{ID: "api.object.removed", Place: "other/*", Why: "meant"}}}, gate.Fail},
	} {
		one.Severity = c.severity
		var f gate.Finding
		c.settings.judge(&f, "it", "query", []finding{one}, now)
		if f.Verdict() != c.want {
			t.Errorf("%s with %+v: %s, want %s", c.severity, c.settings, f.Verdict(), c.want)
		}
	}
}

func TestSettingsAreRefused(t *testing.T) {
	for _, s := range []Settings{
		{},
		{Binary: Binary{Old: "a"}},
		{OpenAPI: []string{"/etc/passwd"}},
		{OpenAPI: []string{"a/../../b"}},
		{API: []string{"-exec=x"}},
		{Modules: true, Ignore: []Ignore{{Why: "all"}}},
		{Modules: true, Ignore: []Ignore{{ID: "modules.downgraded"}}},
	} {
		if err := s.Validate(); err == nil {
			t.Errorf("%+v is taken", s)
		}
	}
	s := Settings{OpenAPI: []string{"./api/*.yaml"}}
	if err := s.Validate(); err != nil || s.OpenAPI[0] != "api/*.yaml" {
		t.Errorf("%v, %v", err, s.OpenAPI)
	}
}
