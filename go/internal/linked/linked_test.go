package linked

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

const libSource = `package lib

import "os"

type S struct{ n int }

//go:noinline
func (s *S) Kept() int { return s.n }

func (s *S) Dropped() int { return s.n + 1 }

//go:noinline
func (s S) Value() int { return s.n + 2 }

func Inlined(n int) int { return n*3 + len(names) }

var names = os.Args

func Generic[T any](values []T) (n int) {
	for range values {
		n++
	}
	return n
}

func Unused[T any](values []T) int { return len(values) }

func Dead() int { return 1 }

func Literal() func() int {
	names = append(names, "y")
	return func() int { return len(names) }
}

func init() { names = append(names, "x") }
`

const mainSource = `package main

import (
	"fmt"

	"example.com/app.v2/lib"
)

func main() {
	s := &lib.S{}
	fmt.Println(s.Kept(), s.Value(), lib.Inlined(len(fmt.Sprint())), lib.Generic([]int{1}), lib.Literal()())
}

func never() {}
`

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"go.mod":        "module example.com/app.v2\n\ngo 1.21\n",
		"lib/lib.go":    libSource,
		"cmd/x/main.go": mainSource,
	})
	for _, target := range []struct{ goos, goarch, flags string }{
		{runtime.GOOS, runtime.GOARCH, "-buildmode=pie"},
		{"linux", "386", "-ldflags=-s -w"},
		{"darwin", "arm64", "-ldflags=-s"},
		{"windows", "amd64", "-ldflags=-s -w"},
	} {
		t.Run(target.goos+"/"+target.goarch+" "+target.flags, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x")
			cmd := exec.Command("go", "build", "-o", path, target.flags, "-tags=one,two", "./cmd/x")
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "GOOS="+target.goos, "GOARCH="+target.goarch, "CGO_ENABLED=0", "GOFLAGS=")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			binary, err := Read(path)
			if err != nil {
				t.Fatal(err)
			}
			if binary.GOOS != target.goos || binary.GOARCH != target.goarch || binary.Cgo || !slices.Equal(binary.Tags, []string{"one", "two"}) {
				t.Errorf("build: %s/%s cgo=%v tags=%v", binary.GOOS, binary.GOARCH, binary.Cgo, binary.Tags)
			}
			lib, main := functionsOf(binary, "example.com/app.v2/lib"), functionsOf(binary, "example.com/app.v2/cmd/x")
			for _, name := range []string{"(*S).Kept", "S.Value", "Inlined", "Generic", "Literal", "init"} {
				if !slices.Contains(lib, name) {
					t.Errorf("%s is in the binary, not in %v", name, lib)
				}
			}
			for _, name := range []string{"(*S).Dropped", "Dead", "Unused"} {
				if slices.Contains(lib, name) {
					t.Errorf("%s is not in the binary, but in %v", name, lib)
				}
			}
			if !slices.Contains(main, "main") || slices.Contains(main, "never") {
				t.Errorf("main package: %v", main)
			}
		})
	}
}

func functionsOf(binary *Binary, path string) []string {
	for _, p := range binary.Packages {
		if p.ImportPath == path {
			return p.Functions
		}
	}
	return nil
}

func TestReadRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(path, []byte("no program, but long enough to look at"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); err == nil {
		t.Error("a text was read as a binary")
	}
	if _, err := Read(path + "-missing"); err == nil {
		t.Error("a missing file was read")
	}
}

func TestSplit(t *testing.T) {
	for name, want := range map[string][]string{
		"example.com/a/b.(*S).Do":               {"example.com/a/b", "(*S).Do"},
		"example.com/a/b.(*S[...]).Do.func1":    {"example.com/a/b", "(*S).Do"},
		"example.com/a/b.F[go.shape.int].func2": {"example.com/a/b", "F", "F.func2"},
		"gopkg.in/yaml%2ev3.F-range1":           {"gopkg.in/yaml.v3", "F"},
		"example.com/a.T.M-fm":                  {"example.com/a", "T", "T.M"},
		"main.init.0":                           {"main", "init", "init.0"},
		"example.com/a.glob..func1":             {"example.com/a", "glob"},
		"type:.eq.example.com/a.T":              {""},
		"go:buildid":                            {""},
		"plain":                                 {""},
		"example.com/a.F[example.com/b/c.T]":    {"example.com/a", "F"},
	} {
		path, functions := split(name)
		if got := append([]string{path}, functions...); !slices.Equal(got, want) {
			t.Errorf("split(%q) = %q, want %q", name, got, want)
		}
	}
}
