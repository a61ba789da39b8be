package plan_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goat-trace/goat/go/internal/plan"
	"github.com/goat-trace/goat/go/internal/plan/plantest"
)

func makePlan(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":       "module ex.com/m\n",
		"a/a.go":       "package a\n\nfunc A() {\n\tprintln() //+\n}\n",
		"b/b.go":       "package b\n",
		"a/a_test.go":  "package a\n",
		"cmd/main.go":  "package main\n\nfunc main() {}\n",
		"a/x_test.go":  "package a_test\n",
		"cmd/other.go": "package main\n",
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := plantest.Write(root, t.TempDir(), plantest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestRead(t *testing.T) {
	dir := makePlan(t)
	index, err := plan.ReadIndex(dir)
	if err != nil || len(index.Packages) != 1 || len(index.Mains) != 1 || len(index.Tests) != 1 {
		t.Fatalf("%+v, %v", index, err)
	}
	if index.Tests[0].Internal != "a" || index.Tests[0].External != "a_test" {
		t.Errorf("%+v", index.Tests[0])
	}
	doc, err := plan.ReadPackage(dir, "ex.com/m/a")
	if err != nil || doc.File("a.go") == nil || doc.File("b.go") != nil || doc.Symbol != "goat_acc_"+doc.Marker {
		t.Errorf("%+v, %v", doc, err)
	}
	edits, err := plan.ReadEdits(dir, "ex.com/m/a")
	if err != nil || len(edits.Points) != 0 || len(doc.Points) == 0 {
		t.Errorf("%+v, %v", edits, err)
	}
	if doc.Points = nil; !reflect.DeepEqual(edits, doc) {
		t.Errorf("%+v instead of %+v", edits, doc)
	}
	hashes, err := plan.ReadHashes(dir, "ex.com/m/b")
	if err != nil || !plan.SameHash(hashes["b.go"], plan.HashBytes([]byte("package b\n"))) {
		t.Errorf("%v, %v", hashes, err)
	}
	if !plan.Exists(dir) || plan.Exists(t.TempDir()) {
		t.Error("Exists")
	}
}

func TestReadWhatIsNotThere(t *testing.T) {
	dir := makePlan(t)
	if _, err := plan.ReadPackage(dir, "ex.com/m/b"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a package without points: %v", err)
	}
	if hashes, err := plan.ReadHashes(dir, "fmt"); hashes != nil || err != nil {
		t.Errorf("a package outside the plan: %v, %v", hashes, err)
	}
}

// Another goat's plan is refused before anything else of it is read.
func TestReadAnotherFormat(t *testing.T) {
	dir := makePlan(t)
	for _, name := range []string{"index.json", plan.DocName("ex.com/m/a"), plan.ShardName("ex.com/m/a")} {
		text := []byte(`{"format": 2, "packages": 7, "modules": "x"}`)
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	_, index := plan.ReadIndex(dir)
	_, doc := plan.ReadPackage(dir, "ex.com/m/a")
	_, hashes := plan.ReadHashes(dir, "ex.com/m/a")
	for _, err := range []error{index, doc, hashes} {
		if !errors.Is(err, plan.ErrFormat) || !strings.Contains(err.Error(), "rebuild with the same goat") {
			t.Errorf("%v", err)
		}
	}
}

func TestModulePath(t *testing.T) {
	for text, want := range map[string]string{
		"module ex.com/m\n":                    "ex.com/m",
		"// c\nmodule \"ex.com/m\" // x\n":     "ex.com/m",
		"modules x\n\nmodule\tex.com/m\r\n":    "ex.com/m",
		"go 1.21\n":                            "",
		"require x v1\nmodule `ex.com/m/v2`\n": "ex.com/m/v2",
	} {
		if got := plan.ModulePath(text); got != want {
			t.Errorf("ModulePath(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestSameHash(t *testing.T) {
	if !plan.SameHash("sha256:ab", "ab") || plan.SameHash("ab", "cd") || plan.SameHash("", "ab") {
		t.Error("SameHash")
	}
}

func TestModuleDir(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"w/go.work":   "go 1.21\n\nuse (\n\t./gone\n\t./a // first\n)\nuse \"./b\"\n",
		"w/a/go.mod":  "module a\n",
		"w/b/go.mod":  "module b\n",
		"w/b/c/c.go":  "package c\n",
		"w/none/x.go": "package x\n",
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range [][3]string{
		{"w/b/c", "", "w/b"},
		{"w", "", "w/a"},
		{"w/none", "auto", "w/a"},
		{"w", "off", ""},
		{".", filepath.Join(root, "w", "go.work"), "w/a"},
	} {
		want := ""
		if c[2] != "" {
			want = filepath.Join(root, c[2])
		}
		if got := plan.ModuleDir(filepath.Join(root, c[0]), c[1]); got != want {
			t.Errorf("ModuleDir(%s, %q) = %s, want %s", c[0], c[1], got, want)
		}
	}
	for _, c := range [][3]string{
		{"w/b/c", "", "w/gone w/a w/b"},
		{"w/b/c", "off", "w/b"},
		{"w/none", "off", ""},
		{".", filepath.Join(root, "w", "go.work"), "w/gone w/a w/b"},
	} {
		var want []string
		for _, dir := range strings.Fields(c[2]) {
			want = append(want, filepath.Join(root, dir))
		}
		if got := plan.MainModules(filepath.Join(root, c[0]), c[1]); !slices.Equal(got, want) {
			t.Errorf("MainModules(%s, %q) = %s, want %s", c[0], c[1], got, want)
		}
	}
}

func TestEditIn(t *testing.T) {
	for _, c := range []struct {
		edit plan.Edit
		want [4]string // by exact and free: neither, exact, free, both
	}{
		{plan.Edit{Text: "t"}, [4]string{"t", "t", "t", "t"}},
		{plan.Edit{Text: "t", Exact: "e"}, [4]string{"t", "e", "t", "e"}},
		{plan.Edit{Text: "t", Free: "f"}, [4]string{"t", "t", "f", "f"}},
		{plan.Edit{Text: "t", Exact: "e", Free: "f", FreeExact: "x"}, [4]string{"t", "e", "f", "x"}},
	} {
		for i, want := range c.want {
			if got := c.edit.In(i%2 == 1, i/2 == 1); got != want {
				t.Errorf("%+v exact %v free %v: %q, want %q", c.edit, i%2 == 1, i/2 == 1, got, want)
			}
		}
	}
}
