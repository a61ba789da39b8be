package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
)

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// module makes a directory with a go.mod, and a goat.yaml unless yaml is empty.
func module(t *testing.T, yaml string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.com/m\n")
	if yaml != "" {
		write(t, filepath.Join(dir, "goat.yaml"), yaml)
	}
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestDefaults(t *testing.T) {
	dir := module(t, "")
	got, err := config.Resolve(dir, nil, environment())
	if err != nil {
		t.Fatal(err)
	}
	want := &config.Settings{Dir: dir, Range: "merge-base", Precision: 2, Granularity: "patch", Server: "auto"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestFlagBeatsEnvironmentBeatsFile(t *testing.T) {
	dir := module(t, "oldBranch: file\ngranularity: line\ndiffPrecision: 3\nverbose: true\n")
	env := environment("GOAT_BASE", "env", "GOAT_GRANULARITY", "scope", "GOAT_NO_COLOR", "1", "GOAT_EXACT", "no")
	flags := config.Flags{"base": "flag", "exact": "true"}
	s, err := config.Resolve(dir, flags, env)
	if err != nil {
		t.Fatal(err)
	}
	if s.Base != "flag" || s.Granularity != "scope" || s.Precision != 3 || !s.Exact || !s.Verbose || !s.NoColor {
		t.Errorf("got %+v", s)
	}
	s, err = config.Resolve(dir, nil, environment("GOAT_BASE", ""))
	if err != nil || s.Base != "file" {
		t.Errorf("an empty variable must count as unset: %+v, %v", s, err)
	}
}

func TestEveryFlagHasItsVariable(t *testing.T) {
	if got := config.EnvName("no-color"); got != "GOAT_NO_COLOR" {
		t.Errorf("got %s", got)
	}
	s, err := config.Resolve(module(t, ""), nil, environment(
		"GOAT_BASE", "b", "GOAT_RELEASE", "r", "GOAT_RANGE", "direct", "GOAT_PRECISION", "1", "GOAT_GRANULARITY", "func",
		"GOAT_FORMAT", "json", "GOAT_EXACT", "1", "GOAT_SERVER", "off", "GOAT_DEPS", "1", "GOAT_VERBOSE", "1",
		"GOAT_QUIET", "1", "NO_COLOR", "x"))
	if err != nil {
		t.Fatal(err)
	}
	want := &config.Settings{
		Dir: s.Dir, Base: "b", Release: "r", Range: "direct", Precision: 1, Granularity: "func", Format: "json",
		Exact: true, Server: "off", Deps: true, Verbose: true, Quiet: true, NoColor: true,
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got %+v, want %+v", s, want)
	}
}

func TestOldBranch(t *testing.T) {
	for yaml, want := range map[string]string{
		"appName: x\n": "", "oldBranch: \"\"\n": "HEAD", "oldBranch:\n": "HEAD", "oldBranch: INIT\n": "INIT", "oldBranch: 1.10\n": "1.10",
	} {
		s, err := config.Resolve(module(t, yaml), nil, environment())
		if err != nil || s.Base != want {
			t.Errorf("%q: got %+v, %v, want base %q", yaml, s, err, want)
		}
	}
}

func TestFileIsFoundUpToTheModule(t *testing.T) {
	outer := module(t, "appName: outer\n")
	inner := filepath.Join(outer, "inner")
	write(t, filepath.Join(inner, "go.mod"), "module example.com/inner\n")
	deep := filepath.Join(outer, "a", "b")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := config.Find(deep); got != filepath.Join(outer, "goat.yaml") {
		t.Errorf("below the module: %q", got)
	}
	if got := config.Find(inner); got != "" {
		t.Errorf("another module's file was taken: %q", got)
	}
	write(t, filepath.Join(outer, "a", "goat.yaml"), "appName: nearer\n")
	s, err := config.Resolve(deep, nil, environment())
	if err != nil || s.File.AppName != "nearer" {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestNamedFileIsTakenFromTheDirectory(t *testing.T) {
	dir := module(t, "appName: default\n")
	write(t, filepath.Join(dir, "other.yaml"), "appName: other\n")
	s, err := config.Resolve(dir, nil, environment("GOAT_CONFIG", "other.yaml"))
	if err != nil || s.File.AppName != "other" || s.ConfigPath != filepath.Join(dir, "other.yaml") {
		t.Errorf("got %+v, %v", s, err)
	}
}

// bad are values from flags, variables and files, with the exact messages.
var bad = []struct {
	name, yaml    string
	flags         config.Flags
	env           []string
	code          goat.Code
	message, hint string
}{
	{name: "flag", flags: config.Flags{"granularity": "pach"}, code: goat.CodeUsage,
		message: `--granularity: "pach" is not one of line, patch, scope or func`, hint: `did you mean "patch"?`},
	{name: "variable", env: []string{"GOAT_PRECISION", "7"}, code: goat.CodeUsage,
		message: `GOAT_PRECISION: "7" is not one of 1, 2 or 3`, hint: `use one of 1, 2 or 3`},
	{name: "switch", env: []string{"GOAT_EXACT", "perhaps"}, code: goat.CodeUsage,
		message: `GOAT_EXACT: "perhaps" is neither true nor false`, hint: `use 1 or 0`},
	{name: "empty flag", flags: config.Flags{"range": ""}, code: goat.CodeUsage,
		message: `--range: "" is not one of merge-base or direct`, hint: `use one of merge-base or direct`},
	{name: "no file", env: []string{"GOAT_CONFIG", "none.yaml"}, code: goat.CodeBadConfig,
		message: `the configuration file cannot be read: no such file or directory`, hint: "`goat init` writes one"},
	{name: "not YAML", yaml: "a: b\n  c: [\n", code: goat.CodeBadConfig,
		message: `goat.yaml is not YAML: line 2: mapping values are not allowed in this context`,
		hint:    "correct that line, or write a new file with `goat init --force`"},
	{name: "unknown key", yaml: "appName: a\ngranularty: line\n", code: goat.CodeBadConfig,
		message: `goat.yaml:2: unknown key "granularty"`, hint: `did you mean "granularity"?`},
	{name: "strange key", yaml: "zzz: 1\n", code: goat.CodeBadConfig,
		message: `goat.yaml:1: unknown key "zzz"`, hint: "`goat help config` lists the keys and their values"},
	{name: "twice", yaml: "threads: 1\nrace: true\nthreads: 2\n", code: goat.CodeBadConfig,
		message: `goat.yaml:3: key "threads" stands twice, first on line 1`, hint: "`goat help config` lists the keys and their values"},
	{name: "bad word", yaml: "\ngranularity: lines\n", code: goat.CodeBadConfig,
		message: `goat.yaml:2: granularity: "lines" is not one of line, patch, scope or func`, hint: `did you mean "line"?`},
	{name: "bad precision", yaml: "diffPrecision: two\n", code: goat.CodeBadConfig,
		message: `goat.yaml:1: diffPrecision: "two" is not one of 1, 2 or 3`, hint: `use one of 1, 2 or 3`},
	{name: "list for text", yaml: "appName: [a]\n", code: goat.CodeBadConfig,
		message: `goat.yaml:1: appName must be a text, not a list`, hint: "`goat help config` lists the keys and their values"},
	{name: "mapping for list", yaml: "ignores: {a: b}\n", code: goat.CodeBadConfig,
		message: `goat.yaml:1: ignores must be a list of texts, not a mapping`, hint: "`goat help config` lists the keys and their values"},
	{name: "list of lists", yaml: "ignores:\n  - a\n  - [b]\n", code: goat.CodeBadConfig,
		message: `goat.yaml:3: ignores must be a list of texts, not of a list`, hint: "`goat help config` lists the keys and their values"},
	{name: "text for number", yaml: "threads: many\n", code: goat.CodeBadConfig,
		message: `goat.yaml:1: threads must be a whole number, not "many"`, hint: "`goat help config` lists the keys and their values"},
	{name: "text for switch", yaml: "race: perhaps\n", code: goat.CodeBadConfig,
		message: `goat.yaml:1: race must be true or false, not "perhaps"`, hint: "`goat help config` lists the keys and their values"},
	{name: "not a mapping", yaml: "- a\n", code: goat.CodeBadConfig,
		message: `goat.yaml:1: the file must hold keys with values, not a list`, hint: "`goat help config` lists the keys and their values"},
}

func TestBadInput(t *testing.T) {
	for _, c := range bad {
		_, err := config.Resolve(module(t, c.yaml), c.flags, environment(c.env...))
		var e *goat.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: got %v", c.name, err)
			continue
		}
		if e.Code != c.code || e.Error() != c.message || e.Hint != c.hint {
			t.Errorf("%s: got %s, %q, %q", c.name, e.Code, e.Error(), e.Hint)
		}
	}
}

func TestEveryKeyIsAccepted(t *testing.T) {
	var yaml strings.Builder
	values := map[string]string{
		"ignores": "[a, b]", "mainEntries": "'*'", "granularity": "func", "diffPrecision": "1", "dataType": "count",
		"skipNestedModules": "false", "verbose": "yes", "threads": "4", "race": "true", "printerConfigMode": "[useSpaces]",
		"printerConfigTabwidth": "8", "printerConfigIndent": "0",
	}
	for _, key := range config.Keys {
		value := values[key]
		if value == "" {
			value = "text"
		}
		yaml.WriteString(key + ": " + value + "\n")
		if config.Comment(key) == "" {
			t.Errorf("%s is not explained", key)
		}
	}
	f, err := config.Parse("goat.yaml", []byte(yaml.String()))
	if err != nil {
		t.Fatal(err)
	}
	if f.Threads != 4 || !f.Race || f.DataType != "count" || *f.SkipNestedModules || len(f.Ignores) != 2 || f.MainEntries[0] != "*" {
		t.Errorf("got %+v", f)
	}
}

func TestNothingIsNoError(t *testing.T) {
	for _, yaml := range []string{"", "# only a comment\n", "---\n", "null\n", "ignores:\n", "ignores: []\n"} {
		if f, err := config.Parse("goat.yaml", []byte(yaml)); err != nil || len(f.Ignores) != 0 {
			t.Errorf("%q: %+v, %v", yaml, f, err)
		}
	}
}

func TestAnchorsAreFollowed(t *testing.T) {
	f, err := config.Parse("goat.yaml", []byte("appName: &n shop\ngoatPackageName: *n\n"))
	if err != nil || f.GoatPackageName != "shop" {
		t.Errorf("%+v, %v", f, err)
	}
}

// What defects E25 and E26 of GOAT 1.0 were made of comes back as it was given.
func TestMarshalIsReadBackAsItWas(t *testing.T) {
	skip := false
	for _, text := range []string{
		"1.0.0+build.5", "R&D", "*.pb.go", "1.10", "true", "null", "~", "- a", "a: b", "#x", " lead", "two\nlines", "'q'", `"q"`, "ä€😀", "{}", "%x", "@x", "`x`", "",
	} {
		old := text
		want := &config.File{
			AppName: text, AppVersion: text, OldBranch: &old, NewBranch: text, Granularity: "line", DiffPrecision: 3,
			DataType: "count", SkipNestedModules: &skip, GoatPackageName: text, GoatPackageAlias: text, GoatPackagePath: text,
			Verbose: true, Threads: 3, Race: true, PrinterConfigTab: 8, PrinterConfigIndent: 1,
		}
		if text != "" {
			want.Ignores, want.MainEntries, want.PrinterConfigMode = []string{text, "b"}, []string{text}, []string{text}
		}
		yaml, err := want.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		got, err := config.Parse("goat.yaml", yaml)
		if err != nil {
			t.Fatalf("%q: %v\n%s", text, err, yaml)
		}
		if text == "" {
			head := "HEAD" // an empty oldBranch means HEAD and is written so
			want.OldBranch = &head
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\ngot  %+v\nwant %+v\n%s", text, got, want, yaml)
		}
		for _, key := range config.Keys {
			if !strings.Contains(string(yaml), "# "+config.Comment(key)+"\n"+key+":") {
				t.Errorf("%s has no comment", key)
			}
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"build", "test", "run", "plan"}
	for given, want := range map[string]string{"biuld": "build", "paln": "plan", "PLAN": "plan", "tset": "test", "x": "", "zebra": "", "rnu": "run"} {
		if got := config.Nearest(given, words); got != want {
			t.Errorf("%s: got %q, want %q", given, got, want)
		}
	}
}
