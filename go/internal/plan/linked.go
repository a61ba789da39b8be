package plan

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/goat-trace/goat/go/internal/store"
)

// What the helper has linked into a program, which it notes for the door that
// started the build: only at link is it plain whether the program has net/http.
const (
	// RuntimeServer is the runtime with the HTTP server.
	RuntimeServer = "server"
	// RuntimeSpool is the one that writes the spool only.
	RuntimeSpool = "spool"
	// RuntimeNone says that the runtime does not compile for the program's target.
	RuntimeNone = "none"
)

// Linked is what the helper notes about a program that it has linked.
type Linked struct {
	// Runtime is one of the words above; empty where it is a package of the module.
	Runtime string `json:"runtime"`
	// Degraded are the packages that were compiled without their points.
	Degraded []string `json:"degraded,omitempty"`
	// Panics says that the program records its panics.
	Panics bool `json:"panics,omitempty"`
	// Pprof says that the program can serve profiles of itself.
	Pprof bool `json:"pprof,omitempty"`
	// Overflow says that the linker found no room for a point's call below a
	// //go:nosplit function. The door sees whether plain go finds some.
	Overflow bool `json:"overflow,omitempty"`
}

// NoRoom and NoRoomHint are what to say about it.
const (
	NoRoom     = "a point's call does not fit below a //go:nosplit function"
	NoRoomHint = "build without --exact, or put //goat:ignore before the function that the linker names; `go build` builds without goat"
)

// Program names a linked program: the plan, the key of its hook, and what it is for.
type Program struct{ PlanHash, Key, GOOS, GOARCH string }

func (p Program) note(cache string) string {
	return filepath.Join(cache, "links", p.PlanHash+"-"+p.Key+"-"+p.GOOS+"_"+p.GOARCH)
}

// NoteLinked notes a program; that it cannot be noted costs a line of advice and no
// more.
func NoteLinked(cache string, p Program, l Linked) {
	text, err := json.Marshal(l)
	if err != nil {
		return
	}
	name := p.note(cache)
	if old, err := store.ReadFile(name); err == nil && string(old) == string(text) {
		return
	}
	if os.MkdirAll(filepath.Dir(name), 0o777) == nil {
		_ = os.WriteFile(name, text, 0o666)
	}
}

// ReadLinked is what was noted, nothing if that cannot be read.
func ReadLinked(cache string, p Program) Linked {
	var l Linked
	data, err := store.ReadFile(p.note(cache))
	if err != nil || json.Unmarshal(data, &l) != nil {
		return Linked{}
	}
	return l
}
