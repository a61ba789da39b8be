package compat

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/goat-trace/goat/go/internal/gocmd"
)

// The two ways in which the builds are sabotaged, to prove that a script notices.
const (
	// passthrough runs the tools as go asked, without the helper.
	passthrough = "passthrough"
	// unmarked runs the helper, but no package carries its marker.
	unmarked = "unmarked"
)

// realGo is the variable that tells the false go command where the real one is.
const realGo = "GOAT_COMPAT_REAL_GO"

// setSabotage puts a false go first in PATH. It is this test binary, and so are
// the two tools that stand in for the helper.
func (b *bench) setSabotage(env *testscript.Env, bin string) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	env.Setenv(envSabotage, b.sabotage)
	env.Setenv(realGo, filepath.Join(b.goroot, "bin", "go"))
	for _, name := range []string{"go", passthrough, unmarked} {
		if err := os.Symlink(exe, filepath.Join(bin, name)); err != nil {
			return err
		}
	}
	return nil
}

// sabotage is what the test binary does under another name.
func sabotage(args []string) bool {
	mode, path := os.Getenv(envSabotage), os.Getenv(realGo)
	if mode == "" || path == "" {
		return false
	}
	switch name := filepath.Base(args[0]); name {
	case "go":
		become(append([]string{path}, sabotaged(args[1:], mode, args[0])...))
	case passthrough, unmarked:
		become(withoutMarker(args[1:]))
	default:
		return false
	}
	return true
}

// become runs a command in our place.
func become(line []string) {
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if flags := os.Getenv("GOFLAGS"); flags != "" && filepath.Base(line[0]) == "go" {
		if words, err := gocmd.Split(flags); err == nil {
			mode, exe := os.Getenv(envSabotage), os.Args[0]
			if text, err := gocmd.Join(sabotaged(words, mode, exe)); err == nil {
				cmd.Env = append(os.Environ(), "GOFLAGS="+text)
			}
		}
	}
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		os.Exit(max(exit.ExitCode(), 1))
	case err != nil:
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	os.Exit(0)
}

// marker is goat's flag in a value of -gcflags.
var marker = regexp.MustCompile(`-goatmark=[0-9a-zA-Z]+`)

// sabotaged puts the stand-in into the go command's arguments. The markers change,
// too: what is compiled here must never be found under the true ones.
func sabotaged(args []string, mode, exe string) []string {
	args = slices.Clone(args)
	for i, arg := range args {
		args[i] = marker.ReplaceAllString(arg, "${0}"+mode)
		prefix := ""
		switch {
		case strings.HasPrefix(arg, "-toolexec="), strings.HasPrefix(arg, "--toolexec="):
			prefix = arg[:strings.IndexByte(arg, '=')+1]
		case i == 0 || args[i-1] != "-toolexec":
			continue
		}
		args[i] = prefix + standIn(strings.TrimPrefix(arg, prefix), mode, exe)
	}
	return args
}

// standIn is the command in place of a -toolexec that runs goat.
func standIn(value, mode, exe string) string {
	words, err := gocmd.Split(value)
	if err != nil || len(words) < 2 || words[1] != "toolexec" {
		return value
	}
	tool := filepath.Join(filepath.Dir(exe), mode)
	if filepath.Base(exe) == exe {
		if path, err := exec.LookPath(mode); err == nil {
			tool = path
		}
	}
	if mode == passthrough {
		words = []string{tool}
	} else {
		words = append([]string{tool}, words...)
	}
	text, err := gocmd.Join(words)
	if err != nil {
		return value
	}
	return text
}

// withoutMarker drops the flag that only goat's helper knows.
func withoutMarker(args []string) []string {
	return slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return strings.HasPrefix(arg, "-goatmark") })
}
