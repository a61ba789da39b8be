package toolexec

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goat-trace/goat/go/internal/plan"
)

func TestTakeMarker(t *testing.T) {
	args := strings.Fields("-o x -N -goatmark=abc -l -p main -goatmark=def a.go")
	marker, rest := takeMarker(args)
	if marker != "def" || strings.Join(rest, " ") != "-o x -N -l -p main a.go" {
		t.Errorf("%q %q", marker, rest)
	}
}

// A flag's value that ends in .go is no source file.
func TestSources(t *testing.T) {
	args := strings.Fields("-p github.com/nats-io/nats.go -pack a.go b.go")
	if first := sources(args); first != 3 {
		t.Errorf("sources start at %d", first)
	}
	if first := sources([]string{"-V=full"}); first != 1 {
		t.Errorf("sources start at %d", first)
	}
}

func TestValue(t *testing.T) {
	args := []string{"-o", "x", "-coveragecfg=c", "-race"}
	set(args, "o", "y")
	set(args, "coveragecfg", "d")
	if get(args, "o") != "y" || args[2] != "-coveragecfg=d" || get(args, "p") != "" || !has(args, "race") || has(args, "msan") {
		t.Errorf("%q", args)
	}
}

func TestResponseFiles(t *testing.T) {
	dir := t.TempDir()
	long := []string{"-o", "x", `a\b`, "c\nd", strings.Repeat("e", longest)}
	short, err := shorten("/x/compile", dir, long)
	if err != nil || len(short) != 1 || !strings.HasPrefix(short[0], "@") {
		t.Fatalf("%v, %v", short, err)
	}
	back, err := expand(append([]string{"-first"}, append(short, "last")...))
	if want := append(append([]string{"-first"}, long...), "last"); err != nil || !slices.Equal(back, want) {
		t.Errorf("%.80q, %v", back, err)
	}
	if same, err := shorten("/x/vet", dir, long); err != nil || len(same) != len(long) {
		t.Error("vet reads no response files")
	}
	if _, err := expand([]string{"@" + filepath.Join(dir, "none")}); err == nil {
		t.Error("a response file that is not there")
	}
}

// rewrite maps as the compiler does.
func TestRewrite(t *testing.T) {
	for _, c := range [][3]string{
		{"/w/b1/a.go", "/w/b1=>", "a.go"},
		{"/src/m/a.go", "/src/m=>ex.com/m;/w/b1=>", "ex.com/m/a.go"},
		{"/src/m", "/src/m=>ex.com/m;/w/b1=>", "ex.com/m"},
		{"/src/mm/a.go", "/src/m=>ex.com/m", "/src/mm/a.go"},
		{"/x/a.go", "", "/x/a.go"},
		{"/c/h.go", "/c/h.go=>/src/m/h.go;/c=>x", "/src/m/h.go"},
	} {
		if got := rewrite(filepath.FromSlash(c[0]), filepath.FromSlash(c[1])); got != filepath.FromSlash(c[2]) {
			t.Errorf("rewrite(%s, %s) = %s, want %s", c[0], c[1], got, c[2])
		}
	}
}

func TestSymbolPrefix(t *testing.T) {
	for path, want := range map[string]string{
		"ex.com/m/a":    "ex.com/m/a",
		"ex.com/m.v2":   "ex.com/m%2ev2",
		"gopkg.in/y.v3": "gopkg.in/y%2ev3",
		"ex.com/é":      "ex.com/%c3%a9",
		"main":          "main",
	} {
		if got := symbolPrefix(path); got != want {
			t.Errorf("symbolPrefix(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestArchive(t *testing.T) {
	archive := appendMember([]byte(archiveMagic), "__.PKGDEF", []byte("abc"))
	archive = appendMember(archive, "_go_.o", []byte("head"+objectMagic+"12345678rest"))
	object, err := unsigned(member(archive, "_go_.o"))
	if err != nil || !bytes.Equal(object, []byte("head"+objectMagic+strings.Repeat("\x00", 8)+"rest")) {
		t.Errorf("%q, %v", object, err)
	}
	if member(archive, "goat.o") != nil || len(archive)%2 != 0 {
		t.Error("a member that is not there, or an odd length")
	}
	if _, err := unsigned([]byte("no object")); err == nil {
		t.Error("an unknown object format is an error")
	}
}

func TestSplice(t *testing.T) {
	edits := []plan.Edit{{At: 0, Text: "<", Exact: "["}, {At: 2, Text: "-"}, {At: 3, Text: ">"}}
	if text, ok := splice([]byte("abc"), edits, forms{}); !ok || string(text) != "<ab-c>" {
		t.Errorf("%q", text)
	}
	if text, ok := splice([]byte("abc"), edits, forms{exact: true}); !ok || string(text) != "[ab-c>" {
		t.Errorf("%q", text)
	}
	if _, ok := splice([]byte("ab"), edits, forms{}); ok {
		t.Error("an edit beyond the end does not fit")
	}
}

// The points that the cgo step has put in come out again byte for byte.
func TestWithoutPoints(t *testing.T) {
	original := []byte("x := C.f(1)\ny()\nz()\n")
	file := &plan.File{Edits: []plan.Edit{{At: 12, Text: "p0;", Exact: "if p0;"}, {At: 16, Text: "p1;"}}}
	for _, exact := range []bool{true, false} {
		text, _ := splice(original, file.Edits, forms{exact: exact})
		if plain, all := withoutPoints(text, file); !all || !bytes.Equal(plain, original) {
			t.Errorf("%q, %v", plain, all)
		}
	}
	if _, all := withoutPoints(original, file); all {
		t.Error("there are no points in the original")
	}
}

func TestImportPathOfFiles(t *testing.T) {
	dir := t.TempDir()
	sub := filepath.Join(dir, "cmd", "x")
	if err := os.MkdirAll(sub, 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "go.mod"), "module ex.com/m\n")
	h := &helper{pkg: "command-line-arguments"}
	if got := h.importPath(sub); got != "ex.com/m/cmd/x" {
		t.Errorf("importPath = %q", got)
	}
	if got := h.importPath(dir); got != "ex.com/m" {
		t.Errorf("importPath = %q", got)
	}
	h.pkg = "fmt"
	if h.importPath(sub) != "fmt" {
		t.Error("a package with a path keeps it")
	}
}
