package plan

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/goat-trace/goat/go/internal/store"
)

// GeneratedDir is where `goat generate` puts the plan, in the module's root.
const GeneratedDir = ".goat"

var hashPattern = regexp.MustCompile(`^[0-9a-f]{16}$`)

// IsHash reports whether text is the hash of a plan, and so the name of its directory.
func IsHash(text string) bool { return hashPattern.MatchString(text) }

// GeneratedIn finds the plan of `goat generate` for a go command that is run in dir: in
// the module's root, or above it in the repository. What lies higher up is nobody's to
// build with, and so is a plan of another owner than the module's: what it inserts gets
// compiled. In the module's own root such a plan is an error, elsewhere there is none.
func GeneratedIn(dir string) (string, error) {
	mod := above(dir, "go.mod")
	if mod == "" {
		mod = above(dir, "go.work")
	}
	if mod == "" {
		return "", nil
	}
	root, top := filepath.Dir(mod), repository(mod)
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		candidate := filepath.Join(at, GeneratedDir)
		if Exists(candidate) {
			whose := untrusted(candidate, mod)
			if whose == "" {
				return candidate, nil
			}
			if at == root {
				return "", fmt.Errorf("the plan in %s is not used: %s", candidate, whose)
			}
		}
		if at == top || at == filepath.Dir(at) {
			return "", nil
		}
	}
}

// repository is the directory down from which a plan may lie: that of the .git above the
// go.mod, else its own.
func repository(mod string) string {
	for at := filepath.Dir(mod); at != filepath.Dir(at); at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return at
		}
	}
	return filepath.Dir(mod)
}

// untrusted says why a plan directory is not for this build; empty if it is.
func untrusted(dir, mod string) string {
	for _, path := range []string{dir, filepath.Join(dir, "index.json"), filepath.Join(dir, "p"), filepath.Join(dir, "s")} {
		if _, err := os.Lstat(path); err == nil && !store.AsTrusted(path, mod) {
			return path + " is a link, or belongs to another user than " + mod + ", or everybody may write it"
		}
	}
	return ""
}
