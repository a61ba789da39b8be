package plan

import (
	"os"
	"path/filepath"
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

func linkedName(cache, planHash, key string) string {
	return filepath.Join(cache, "links", planHash+"-"+key)
}

// NoteLinked notes the runtime of a program; that it cannot be noted costs a line
// of advice and no more.
func NoteLinked(cache, planHash, key, kind string) {
	if LinkedRuntime(cache, planHash, key) == kind {
		return
	}
	name := linkedName(cache, planHash, key)
	if os.MkdirAll(filepath.Dir(name), 0o777) == nil {
		_ = os.WriteFile(name, []byte(kind), 0o666)
	}
}

// LinkedRuntime is what was noted, empty if nothing was.
func LinkedRuntime(cache, planHash, key string) string {
	data, err := os.ReadFile(linkedName(cache, planHash, key))
	if err != nil {
		return ""
	}
	return string(data)
}
