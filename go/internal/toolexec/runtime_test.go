package toolexec

import (
	"strings"
	"testing"

	"github.com/goat-trace/goat/go/internal/rtsource"
)

// The table's start function runs the initialisers of variables, and nothing else:
// an init function of the runtime would never run.
func TestRuntimeHasNoInitFunctions(t *testing.T) {
	files, err := rtsource.Files("goat/rt", "")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if strings.Contains(string(text), "\nfunc init()") {
			t.Errorf("%s has an init function, which a runtime added at link never runs", name)
		}
	}
}

// The files for another system are left out.
func TestPick(t *testing.T) {
	l := &linking{mainText: []byte("!<arch>\n\ngo object windows arm64 go1.26.8\n")}
	p := l.pick("goat/rt", "", map[string][]byte{
		"a.go":          []byte("//go:build go1.21\n\npackage rt\n"),
		"a_windows.go":  []byte("package rt\n"),
		"a_linux.go":    []byte("package rt\n"),
		"b.go":          []byte("//go:build unix\n\npackage rt\n"),
		"server/srv.go": []byte("package server\n"),
	})
	if strings.Join(p.names(), " ") != "a.go a_windows.go" {
		t.Errorf("picked %v", p.names())
	}
}
