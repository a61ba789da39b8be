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

func TestForeign(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"app/go.mod":             "module ex.com/app\n",
		"app/vendor/modules.txt": "# ex.com/lib v1.0.0\n## explicit; go 1.21\nex.com/lib\nex.com/lib/sub\n",
		// Before Go 1.17 the copy had its go.mod.
		"app/vendor/ex.com/lib/go.mod":  "module ex.com/lib\n",
		"app/vendor/ex.com/fork/go.mod": "module ex.com/fork\n",
		"vendor/checkout/go.mod":        "module ex.com/checkout\n",
	} {
		name = filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		cache, file string
		want        bool
	}{
		{"go/pkg/mod", "app/main.go", false},
		{"go/pkg/mod", "app/vendor/ex.com/lib/a.go", true},
		{"go/pkg/mod", "app/vendor/ex.com/lib/sub/a.go", true},
		{"go/pkg/mod", "app/vendor/ex.com/fork/a.go", false},
		{"go/pkg/mod", "vendor/checkout/a.go", false},
		{"go/pkg/mod", "vendor/checkout/vendor/a.go", false},
		{"go/pkg/mod", "go/pkg/mod/ex.com/lib@v1.0.0/a.go", true},
		{"go/pkg/mod", "go/pkg/mod/ex.com/old@v0.0.0-20150101000000-0123456789ab/sub/a.go", true},
		{"go/pkg/mod", "go/pkg/mod/ex.com/v2@v2.0.0+incompatible/a.go", true},
		{"go/pkg/mod", "go/pkg/mod/checkout/a.go", false},
		{"go/pkg/mod", "other/pkg/mod/checkout@v1.0.0/a.go", false},
		{"go/pkg/mod", "go/pkg/mods/lib@v1.0.0/a.go", false},
		{"cache", "cache/ex.com/lib@v1.0.0/a.go", true},
		{"", "cache/ex.com/lib@v1.0.0/a.go", true},
		{"", "jobs/build@2/a.go", false},
	} {
		cache := ""
		if c.cache != "" {
			cache = filepath.Join(root, filepath.FromSlash(c.cache))
		}
		t.Setenv("GOMODCACHE", cache)
		if got := foreign(filepath.Join(root, filepath.FromSlash(c.file))); got != c.want {
			t.Errorf("%s with GOMODCACHE=%s: %v", c.file, c.cache, got)
		}
	}
}
