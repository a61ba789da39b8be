// Package self says which goat this is: version, commit and date of the program, or of
// the module where another program imports it.
package self

import (
	"runtime/debug"
	"sync"
)

// Module is the path of goat's Go module.
const Module = "github.com/goat-trace/goat/go"

// The linker sets these (scripts/build), and a release writes them into its module
// (released.go). They are variables for both.
var (
	// version is that of the Rust workspace, too; a test holds them together.
	version = "0.1.0"
	commit  string
	date    string
)

// Version is goat's version, without a leading v.
func Version() string { return version }

// Commit is what goat was built from, "-dirty" behind it where the sources had been
// edited; empty if nobody noted it.
func Commit() string {
	if commit != "" {
		return commit
	}
	return stamped().commit
}

// Date is the commit's, in RFC 3339; empty if nobody noted it.
func Date() string {
	if commit != "" {
		return date
	}
	return stamped().date
}

type stamp struct{ commit, date string }

// stamped is what the go command noted. In a program that imports goat that is the
// program's own commit, which says nothing about goat.
var stamped = sync.OnceValue(func() stamp {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Path != Module {
		return stamp{}
	}
	var s stamp
	edited := false
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			s.commit = setting.Value
		case "vcs.time":
			s.date = setting.Value
		case "vcs.modified":
			edited = setting.Value == "true"
		}
	}
	if edited && s.commit != "" {
		s.commit += "-dirty"
	}
	return s
})
