//go:build unix

package spool_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/goat-trace/goat/go/internal/spool"
)

// Where everybody may write, only some are believed.
func TestFilesOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs the right to give files away")
	}
	const victim, other = 4321, 4322
	dir := t.TempDir()
	for name, owner := range map[string]int{"goat-a-1.spool": victim, "goat-a-2.spool": other, "goat-a-3.spool": 0} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, formatOne(), 0o644), os.Chown(path, owner, owner)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(dir, victim, victim); err != nil {
		t.Fatal(err)
	}
	for mode, foreign := range map[os.FileMode]int{0o755: 0, 0o777 | os.ModeSticky: 1} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		results, err := spool.ReadDir(dir)
		if err != nil || len(results) != 3 {
			t.Fatalf("%v %v", results, err)
		}
		refused := 0
		for _, r := range results {
			if errors.Is(r.Err, spool.ErrForeign) && filepath.Base(r.Path) == "goat-a-2.spool" && r.File == nil {
				refused++
			} else if r.Err != nil {
				t.Errorf("%s: %v", r.Path, r.Err)
			}
		}
		if refused != foreign {
			t.Errorf("mode %v: %d files refused, want %d", mode, refused, foreign)
		}
	}
	if _, err := spool.Read(filepath.Join(dir, "goat-a-2.spool")); err != nil {
		t.Errorf("a file that was named: %v", err)
	}
}
