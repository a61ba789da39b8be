package toolexec

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/goat-trace/goat/go/internal/plan"
)

func TestClause(t *testing.T) {
	for text, want := range map[string]string{
		"package a\n": "a",
		"\ufeff// package b\n\n/*\npackage c\n*/ package /* d */ a; import \"x\"\n": "a",
		"//go:build ignore\r\n\r\npackage main\r\n":                                 "main",
		"":               "",
		"import \"a\"\n": "",
		"package\n":      "",
	} {
		if got := clause([]byte(text)); got != want {
			t.Errorf("clause(%q) is %q, want %q", text, got, want)
		}
	}
}

// What the hook and the tests say is not asked: the document is about the others.
func TestSamePackage(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"goat_main.go": "package main\n", "a_test.go": "package a_test\n", "a.go": "package a\n", "bad.go": "func\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		doc   string
		files []string
		want  bool
	}{
		{"a", []string{"goat_main.go", "a_test.go", "a.go"}, true},
		{"main", []string{"goat_main.go", "a_test.go", "a.go"}, false},
		{"main", []string{"bad.go"}, true},
		{"main", []string{"gone.go", "a.go"}, false},
		{"main", nil, true},
	} {
		for i := range c.files {
			c.files[i] = filepath.Join(dir, c.files[i])
		}
		units, err := unitsOf(c.files, os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		if got := samePackage(units, &plan.Package{Name: c.doc}); got != c.want {
			t.Errorf("document of %s, files %v: %v", c.doc, c.files, got)
		}
	}
}
