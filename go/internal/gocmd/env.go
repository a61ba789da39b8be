package gocmd

import (
	"os"
	"os/exec"
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
// env` has put away), else that of the files that go reads its settings from.
func (e Environ) Goflags() string {
	flags, ok := e.Lookup(SavedGoflags)
	if !ok {
		flags = e.Get("GOFLAGS")
	}
	if flags == "" {
		flags, _ = e.fileSetting("GOFLAGS")
	}
	return flags
}

// Effective is the GOFLAGS that the go command itself would see, with what `goat env`
// has put there, and where it is from: "environment", the path of the file, or ""
// where there is none.
func (e Environ) Effective() (flags, from string) {
	if flags = e.Get("GOFLAGS"); flags != "" {
		return flags, "environment"
	}
	return e.fileSetting("GOFLAGS")
}

// Setting is a variable of the go command: from the environment or its files.
func (e Environ) Setting(name string) string {
	value := e.Get(name)
	if value == "" {
		value, _ = e.fileSetting(name)
	}
	return value
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

// Files are those that the go command reads its settings from, what counts first: the
// one that `go env -w` writes, and the one that its distribution brings along.
func (e Environ) Files() []string {
	var files []string
	switch file := e.Get("GOENV"); file {
	case "off":
	case "":
		if dir, err := os.UserConfigDir(); err == nil {
			files = append(files, filepath.Join(dir, "go", "env"))
		}
	default:
		files = append(files, file)
	}
	if root := e.goroot(files); root != "" {
		files = append(files, filepath.Join(root, "go.env"))
	}
	return files
}

// goroot is where the go command on PATH finds its own files; "" where that cannot be
// told without running it.
func (e Environ) goroot(files []string) string {
	if root := e.Get("GOROOT"); root != "" {
		return root
	}
	for _, file := range files {
		if root, ok := settingIn(file, "GOROOT"); ok && root != "" {
			return root
		}
	}
	program, err := exec.LookPath("go")
	if err == nil {
		program, err = filepath.EvalSymlinks(program)
	}
	if err != nil {
		return ""
	}
	return filepath.Dir(filepath.Dir(program))
}

// fileSetting reads one variable from the go command's own files, and says which has it.
func (e Environ) fileSetting(name string) (value, from string) {
	for _, file := range e.Files() {
		if value, ok := settingIn(file, name); ok {
			return value, file
		}
	}
	return "", ""
}

func settingIn(file, name string) (value string, ok bool) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", false
	}
	for _, line := range strings.Split(string(data), "\n") {
		if text, found := strings.CutPrefix(line, name+"="); found {
			value, ok = strings.TrimSuffix(text, "\r"), true
		}
	}
	return value, ok
}
