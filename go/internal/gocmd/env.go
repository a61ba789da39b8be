package gocmd

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// SavedGoflags is the environment variable in which `goat env` keeps the user's
// own GOFLAGS, so that it can be given back and never be merged twice.
const SavedGoflags = "GOAT_GOFLAGS"

// Environ is a process environment; the last entry of a name wins, as in exec.Cmd.
type Environ []string

// Lookup returns the value of a variable.
func (e Environ) Lookup(name string) (string, bool) {
	for i := len(e) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(e[i], name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// Get is Lookup, empty for a variable that is not set.
func (e Environ) Get(name string) string {
	value, _ := e.Lookup(name)
	return value
}

// With returns a copy in which name is set to value.
func (e Environ) With(name, value string) Environ {
	return append(e.Without(name), name+"="+value)
}

// Without returns a copy in which name is not set.
func (e Environ) Without(name string) Environ {
	kept := make(Environ, 0, len(e)+1)
	for _, entry := range e {
		if !strings.HasPrefix(entry, name+"=") {
			kept = append(kept, entry)
		}
	}
	return kept
}

// Goflags returns the user's own GOFLAGS: that of the environment (or what `goat
// env` has put away), else that of the file that `go env -w` writes.
func (e Environ) Goflags() string {
	if saved, ok := e.Lookup(SavedGoflags); ok {
		if saved != "" {
			return saved
		}
		return e.fileSetting("GOFLAGS")
	}
	if flags := e.Get("GOFLAGS"); flags != "" {
		return flags
	}
	return e.fileSetting("GOFLAGS")
}

// Effective is the GOFLAGS that the go command itself would see, with what `goat env`
// has put there, and where it is from: "environment", the path of go's own file, or ""
// where there is none.
func (e Environ) Effective() (flags, from string) {
	if flags = e.Get("GOFLAGS"); flags != "" {
		return flags, "environment"
	}
	if flags = e.fileSetting("GOFLAGS"); flags != "" {
		return flags, e.envFile()
	}
	return "", ""
}

// Setting is a variable of the go command: from the environment or its file.
func (e Environ) Setting(name string) string {
	if value := e.Get(name); value != "" {
		return value
	}
	return e.fileSetting(name)
}

// Target is what go builds for.
func (e Environ) Target() (goos, goarch string) {
	goos, goarch = e.Setting("GOOS"), e.Setting("GOARCH")
	if goos == "" {
		goos = runtime.GOOS
	}
	if goarch == "" {
		goarch = runtime.GOARCH
	}
	return goos, goarch
}

// envFile is the go command's own environment file; "" where there is none.
func (e Environ) envFile() string {
	file := e.Get("GOENV")
	if file == "off" {
		return ""
	}
	if file == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return ""
		}
		file = filepath.Join(dir, "go", "env")
	}
	return file
}

// fileSetting reads one variable from the go command's own environment file.
func (e Environ) fileSetting(name string) string {
	data, err := os.ReadFile(e.envFile())
	if err != nil {
		return ""
	}
	for _, line := range strings.Split(string(data), "\n") {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			return strings.TrimSuffix(value, "\r")
		}
	}
	return ""
}
