package golist

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gocmd"
)

// project writes files below a directory of their own.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		write(t, filepath.Join(root, name), text)
	}
	return root
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// asked is a go command on PATH that notes each time it is asked for a list.
func asked(t *testing.T) (count func() int) {
	t.Helper()
	dir := t.TempDir()
	real, err := gocmd.Output(context.Background(), dir, os.Environ(), []string{"env", "GOROOT"})
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "log")
	program := filepath.Join(dir, "bin", "go")
	write(t, program, "#!/bin/sh\ncase $1 in list) echo x >> '"+log+"';; esac\nexec '"+strings.TrimSpace(string(real))+"/bin/go' \"$@\"\n")
	if err := os.Chmod(program, 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Dir(program)+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return func() int {
		text, _ := os.ReadFile(log)
		return strings.Count(string(text), "x")
	}
}

func TestAnswerIsKeptUntilSomethingChangesIt(t *testing.T) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("the go command is wrapped in a shell script")
	}
	root := project(t, map[string]string{
		"go.mod":       "module example.com/m\n\ngo 1.23\n",
		"a.go":         "package m\n\nfunc A() int { return 1 }\n",
		"a_special.go": "//go:build special\n\npackage m\n",
		"p/p.go":       "package p\n",
	})
	count := asked(t)
	cache := t.TempDir()
	env := gocmd.Environ(os.Environ()).With("GOFLAGS", "").With("GOENV", "off")
	ask := func(env gocmd.Environ) *goat.Build {
		t.Helper()
		q := Query{Dir: root, Environ: env, Cache: cache, Patterns: []string{"."}}
		build, err := q.Build(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return build
	}
	file := func(b *goat.Build, name string) bool {
		return len(b.Packages) > 0 && slices.Contains(b.Packages[0].GoFiles, name)
	}
	if b := ask(env); !file(b, "a.go") || file(b, "a_special.go") || len(b.Packages) != 1 {
		t.Fatalf("%+v", b)
	}
	first := count()
	same := func(what string, env gocmd.Environ) {
		t.Helper()
		ask(env)
		if now := count(); now != first {
			t.Errorf("%s asks go again", what)
		}
	}
	anew := func(what string, env gocmd.Environ) {
		t.Helper()
		ask(env)
		now := count()
		if now == first {
			t.Errorf("%s asks go nothing", what)
		}
		first = now
	}
	same("nothing new", env)
	same("another directory of the shell", env.With("PWD", "/").With("OLDPWD", "/tmp"))
	write(t, filepath.Join(root, "a.go"), "package m\n\nfunc A() int { return 2 + 2 }\n")
	same("an edit of a body", env)
	write(t, filepath.Join(root, "a.go"), "package m\n\nimport \"example.com/m/p\"\n\nvar _ = p.P\n")
	anew("an import", env)
	anew("a new file", func() gocmd.Environ { write(t, filepath.Join(root, "b.go"), "package m\n"); return env }())
	for _, variable := range []string{"GOAMD64=v3", "GOEXPERIMENT=fieldtrack", "CGO_ENABLED=0", "GOFLAGS=-tags=special", "GOFIPS140=latest", "GOOS=windows"} {
		name, value, _ := strings.Cut(variable, "=")
		anew(variable, env.With(name, value))
	}
	settings := filepath.Join(t.TempDir(), "env")
	write(t, settings, "GOARCH=arm64\n")
	anew("a file of settings", env.With("GOENV", settings))
	write(t, settings, "GOARCH=386\n")
	if b := ask(env.With("GOENV", settings)); b.GOARCH != "386" {
		t.Errorf("GOARCH is %s after the file of settings has changed", b.GOARCH)
	}
}

func TestFilesAreTheirPackage(t *testing.T) {
	root := project(t, map[string]string{
		"go.mod":      "module example.com/m\n\ngo 1.23\n",
		"cmd/main.go": "package main\n\nimport _ \"example.com/m/_x\"\n\nfunc main() {}\n",
		"_x/x.go":     "package x\n",
	})
	q := Query{Dir: root, Environ: gocmd.Environ(os.Environ()).With("GOFLAGS", ""), Patterns: []string{"cmd/main.go"}}
	build, err := q.Build(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, p := range build.Packages {
		paths = append(paths, p.ImportPath)
	}
	if want := []string{"example.com/m/_x", "example.com/m/cmd"}; !slices.Equal(paths, want) {
		t.Errorf("%s, want %s", paths, want)
	}
}
