package rtsource_test

import (
	"go/ast"
	"go/build/constraint"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/goat-trace/goat/go/internal/hook"
	"github.com/goat-trace/goat/go/internal/rtsource"
)

// allowed is what the core may import: nothing that a program with os lacks.
var allowed = map[string]bool{
	"unsafe": true, "sync": true, "sync/atomic": true, "os": true, "syscall": true,
	"time": true, "strconv": true, "strings": true, "errors": true,
}

// allowedServer is what the server may import besides: all of it is linked with net/http.
var allowedServer = map[string]bool{
	"crypto/subtle": true, "io": true, "log": true, "net": true, "net/http": true, "net/url": true,
	"path": true, "path/filepath": true, "sort": true,
	"bufio": true, "encoding/binary": true, "net/textproto": true, "unicode/utf8": true, "example.com/m/goat": true,
}

func files(t *testing.T, importPath, name string) map[string][]byte {
	t.Helper()
	files, err := rtsource.Files(importPath, name)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestFilesAreComplete(t *testing.T) {
	got := files(t, "example.com/m/goat", "")
	want := 0
	for _, dir := range []string{".", "server"} {
		entries, err := os.ReadDir(filepath.Join("../../goatrt", dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			name := entry.Name()
			if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || name == "source.go" {
				continue
			}
			want++
			if got[path.Join(dir, name)] == nil {
				t.Errorf("%s is missing", path.Join(dir, name))
			}
		}
	}
	if len(got) != want {
		t.Errorf("%d files, want %d", len(got), want)
	}
}

// allowedPprof is what serving profiles may import besides.
var allowedPprof = map[string]bool{
	"bytes": true, "compress/gzip": true, "context": true, "crypto/hmac": true, "crypto/sha256": true, "encoding/hex": true, "io": true,
	"net/http": true, "runtime": true, "runtime/debug": true, "runtime/pprof": true, "example.com/m/goat": true, "example.com/m/goat/server": true,
}

func TestFilesSuitTheirPlace(t *testing.T) {
	all, err := rtsource.Files("example.com/m/goat", "tracer", hook.PprofDir)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range all {
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		dir := path.Dir(name)
		server, profiles := dir == "server", dir == "pprof"
		if want := map[string]string{".": "tracer"}[dir]; file.Name.Name != want && file.Name.Name != dir {
			t.Errorf("%s: package %s, want %s", name, file.Name.Name, want)
		}
		if !ast.IsGenerated(file) {
			t.Errorf("%s has no generated-file mark", name)
		}
		if !needsGo121(string(text)) {
			t.Errorf("%s: no //go:build go1.21", name)
		}
		if pretty, err := format.Source(text); err != nil || string(pretty) != string(text) {
			t.Errorf("%s is not formatted (%v)", name, err)
		}
		for _, spec := range file.Imports {
			from, _ := strconv.Unquote(spec.Path.Value)
			if !allowed[from] && !(server && allowedServer[from]) && !(profiles && allowedPprof[from]) {
				t.Errorf("%s imports %s", name, from)
			}
		}
	}
}

// needsGo121 finds the build constraint and asks whether it demands go1.21.
func needsGo121(text string) bool {
	for _, line := range strings.Split(text, "\n") {
		if expr, err := constraint.Parse(line); err == nil {
			return constraint.GoVersion(expr) == "go1.21"
		}
	}
	return false
}

func TestFilesRefuse(t *testing.T) {
	for _, c := range [][2]string{{"", "goat"}, {`a"b`, "goat"}, {"a b", "goat"}, {"a", "1goat"}, {"a", "func"}, {"a", "_"}, {"a", "main"}, {"a", "a-b"}} {
		if _, err := rtsource.Files(c[0], c[1]); err == nil {
			t.Errorf("Files(%q, %q) gives files", c[0], c[1])
		}
	}
}

func TestHash(t *testing.T) {
	a, err := rtsource.Hash()
	if err != nil || len(a) != 16 {
		t.Fatalf("%q, %v", a, err)
	}
	if b, _ := rtsource.Hash(); a != b {
		t.Errorf("%s, then %s", a, b)
	}
}
