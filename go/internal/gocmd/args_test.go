package gocmd

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func parse(t *testing.T, verb, line, goflags string) *Args {
	t.Helper()
	words, err := Split(line)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Parse(verb, "/w", words, goflags)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Flags that meet goat's are taken out wherever go would read them, and nowhere else.
func TestParse(t *testing.T) {
	for _, c := range []struct {
		verb, line, flags, rest, packages, gcflags string
	}{
		{"build", "-o x -gcflags all=-N ./a ./b", "-o x", "./a ./b", "./a ./b", "all=-N"},
		{"build", "--gcflags=-l -v", "-v", "", "", "-l"},
		{"build", "-ldflags -gcflags=x ./a", "-ldflags -gcflags=x", "./a", "./a", ""},
		{"build", "a.go b.go", "", "a.go b.go", "a.go b.go", ""},
		{"build", "./a -gcflags=x", "", "./a -gcflags=x", "./a -gcflags=x", ""},
		{"build", "-gcflags=-N -- ./a", "--", "./a", "./a", "-N"},
		{"build", "-o -- main.go", "-o --", "main.go", "main.go", ""},
		{"build", "-- -gcflags=x", "--", "-gcflags=x", "-gcflags=x", ""},
		{"run", "-- a.go b.go -- c", "--", "a.go b.go -- c", "a.go b.go", ""},
		{"run", "--", "--", "", "", ""},
		{"test", "-vet off ./a", "-vet off", "./a", "./a", ""},
		{"test", "./a -email me@x.org", "", "./a -email me@x.org", "./a", ""},
		{"test", "./a -email me@x.org -gcflags=-N", "", "./a -email me@x.org", "./a", "-N"},
		{"test", "./a -email=x b -gcflags=-N", "", "./a -email=x b -gcflags=-N", "./a", ""},
		{"test", "-email ./a -gcflags=-N", "-email ./a", "", "", "-N"},
		{"test", "./a -v ./b -gcflags=-N", "", "./a -v ./b -gcflags=-N", "./a", ""},
		{"test", "./a ./b -count 1 -- -gcflags=-N", "", "./a ./b -count 1 -- -gcflags=-N", "./a ./b", ""},
		{"test", "./a -test.gcflags -gcflags=-N", "", "./a -test.gcflags", "./a", "-N"},
		{"test", "a_test.go -gcflags -N", "", "a_test.go", "a_test.go", "-N"},
		{"run", "-race ./a -gcflags=x -o y", "-race", "./a -gcflags=x -o y", "./a", ""},
		{"run", "a.go b.go c -x", "", "a.go b.go c -x", "a.go b.go", ""},
		{"test", "./a -gcflags=-N -run X ./b", "", "./a -run X ./b", "./a", "-N"},
		{"test", "-run X ./a -args -gcflags=x", "-run X", "./a -args -gcflags=x", "./a", ""},
		{"test", "-test.run X -overlay=o ./a", "-test.run X", "./a", "./a", ""},
	} {
		a := parse(t, c.verb, c.line, "")
		got := []string{strings.Join(a.Flags, " "), strings.Join(a.Rest, " "), strings.Join(a.Gcflags, " ")}
		if want := []string{c.flags, c.rest, c.gcflags}; !slices.Equal(got, want) {
			t.Errorf("go %s %s: flags, rest, gcflags %q, want %q", c.verb, c.line, got, want)
		}
		if packages := strings.Join(a.Packages, " "); c.packages != packages {
			t.Errorf("go %s %s: packages %q, want %q", c.verb, c.line, packages, c.packages)
		}
	}
}

func TestParseDirectoryAndGoflags(t *testing.T) {
	a := parse(t, "build", "-overlay o.json -linkshared .", "-gcflags=all=-l -tags=x '-toolexec=a b'")
	if a.Overlay != "o.json" || !a.Linkshared || a.Toolexec != "a b" {
		t.Errorf("%+v", a)
	}
	if a.Value("tags") != "x" || len(a.Typed()) != 0 || len(a.Gcflags) != 1 {
		t.Errorf("GOFLAGS are read, and not repeated: %+v", a)
	}
	if !parse(t, "install", "example.com/tool@latest", "").Versioned() || parse(t, "install", "./a@b", "").Versioned() {
		t.Error("Versioned is for import paths with a version")
	}
	if parse(t, "run", "v@1/p.go", "").Versioned() || parse(t, "test", "./a -email me@x.org", "").Versioned() {
		t.Error("files and a program's arguments are none")
	}
}

// -C is a change of directory, which the system makes.
func TestChdir(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{"deep/in", "deep/m"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"link": "deep/in", "here": "."} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	here := filepath.Join(dir, "here")
	for value, want := range map[string]string{
		"deep/in": filepath.Join(dir, "deep/in"), "link/../m": filepath.Join(dir, "deep/m"), "link": filepath.Join(dir, "deep/in"),
		dir + "/link": filepath.Join(dir, "deep/in"), ".": here, "..": filepath.Dir(dir), "nowhere": "", "": "",
	} {
		a, err := Parse("build", here, []string{"-C", value, "-v"}, "")
		if (err != nil) != (want == "") || err == nil && (a.Dir != want || len(a.Flags) != 1) {
			t.Errorf("-C %s: %+v, %v, want %s", value, a, err, want)
		}
	}
}

// The last value that matches a package is the one that go gives it.
func TestEffective(t *testing.T) {
	leaf := Package{ImportPath: "ex.com/m/leaf", Dir: "/w/leaf", ModuleDir: "/w", Work: true}
	for _, c := range []struct {
		line string
		want []string
	}{
		{"./...", nil},
		{"-gcflags=all=-N -gcflags=-l ./other", []string{"-N"}},
		{"-gcflags=all=-N -gcflags=-l ./leaf", []string{"-l"}},
		{"-gcflags=all=-N -gcflags=-l ./...", []string{"-l"}},
		{"-gcflags=-l -gcflags=all=-N ./...", []string{"-N"}},
		{"'-gcflags=ex.com/m/...=-N -l' .", []string{"-N", "-l"}},
		{"-gcflags=ex.com/m/leaf=-m -gcflags=std=-N .", []string{"-m"}},
		{"-gcflags=./leaf=-m .", []string{"-m"}},
		{"-gcflags=./...=-m .", []string{"-m"}},
		{"-gcflags=../...=-m .", []string{"-m"}},
		{"-gcflags=./leaf=-m -gcflags= ./leaf", []string{}},
		{"-gcflags=ex.com/m/lea...=-m .", []string{"-m"}},
		{"-gcflags=ex.com/m/leaf/...=-m .", []string{"-m"}},
		{"-gcflags=ex.com/other/...=-m .", nil},
		{"-gcflags=work=-m .", []string{"-m"}},
		{"-gcflags=tool=-m .", nil},
		{"-gcflags=-m work", []string{"-m"}},
		{"-gcflags=-m tool", nil},
		{"-gcflags=/w/leaf=-m .", nil},
		{"-gcflags=-m /w/leaf/", []string{"-m"}},
		{"-gcflags=-m /w/...", []string{"-m"}},
		{"-gcflags=-m ./.../", []string{"-m"}},
		{"-gcflags=-m ex.com/m/leaf/", []string{"-m"}},
	} {
		got, err := parse(t, "build", c.line, "").Effective(leaf)
		if err != nil || len(got) != len(c.want) || len(got) > 0 && !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %q, %v, want %q", c.line, got, err, c.want)
		}
	}
}

// Patterns with dots do not reach into testdata, hidden directories, other modules.
func TestAsked(t *testing.T) {
	for _, c := range []struct {
		dir, module, pattern string
		want                 bool
	}{
		{"/w/a", "/w", "./...", true},
		{"/w", "/w", "./...", true},
		{"/w", "/w", "", true},
		{"/w/a", "/w", "", false},
		{"/w/a/testdata/b", "/w", "./...", false},
		{"/w/_a", "/w", "./...", false},
		{"/w/sub/a", "/w/sub", "./...", false},
		{"/w/a", "/w", "ex.com/m/a", true},
		{"/w/a", "/w", "./b", false},
		{"/v", "/v", "./...", false},
		{"/v", "/v", "../...", false},
		{"/w/testdata/a", "/w", "ex.com/m/...", false},
		{"/w/a", "/w", "work", false},
	} {
		a := parse(t, "build", c.pattern, "")
		p := Package{ImportPath: "ex.com/m/a", Dir: filepath.FromSlash(c.dir), ModuleDir: filepath.FromSlash(c.module)}
		if got := a.Asked(p); got != c.want {
			t.Errorf("%q asks for %s: %v, want %v", c.pattern, c.dir, got, c.want)
		}
	}
}

func TestSplitJoin(t *testing.T) {
	for _, words := range [][]string{nil, {"a"}, {"a b", "c"}, {`it's`, `say "x y"`}, {"", "-x=1"}, {"'"}, {`"`}} {
		text, err := Join(words)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Split(text)
		if err != nil || !slices.Equal(got, words) {
			t.Errorf("%q -> %q -> %q, %v", words, text, got, err)
		}
	}
	if _, err := Join([]string{`a '"`}); err == nil {
		t.Error("both quotes cannot be written")
	}
	if _, err := Split("'a"); err == nil {
		t.Error("an open quote is an error")
	}
}

func TestGoflags(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "env")
	if err := os.WriteFile(filepath.Join(dir, "go.env"), []byte("# theirs\nGOFLAGS=-d\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		env  Environ
		want string
	}{
		{Environ{"GOFLAGS=-a", "GOFLAGS=-b"}, "-b"},
		{Environ{"GOFLAGS=-b", SavedGoflags + "=-c"}, "-c"},
		{Environ{"GOFLAGS=-b", SavedGoflags + "=", "GOENV=off"}, ""},
		{Environ{"GOENV=" + file, "GOROOT=" + dir}, "-d"},
		{Environ{"GOENV=off", "GOROOT=" + dir}, "-d"},
		{Environ{"GOENV=off", "GOROOT=" + file}, ""},
	} {
		if got := c.env.Goflags(); got != c.want {
			t.Errorf("%q: %q, want %q", c.env, got, c.want)
		}
	}
}
