//go:build linux

package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSecurityDamagedCache fills every file of goat's cache with NUL bytes and leaves
// its length: the next build is right, and so are those after it.
func TestSecurityDamagedCache(t *testing.T) {
	w := newWorkshop(t)
	w.right("before")
	damaged := 0
	for name := range snapshotOf(t, w.cache) {
		path := filepath.Join(w.cache, name)
		info, err := os.Lstat(path)
		if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
			continue
		}
		if err := os.WriteFile(path, bytes.Repeat([]byte{0}, int(info.Size())), 0o600); err != nil {
			t.Fatal(err)
		}
		damaged++
	}
	if damaged == 0 {
		t.Fatal("nothing was damaged")
	}
	w.goatRight("NUL bytes")
	w.right("after")
}

// TestSecurityForeignJournal has a journal and originals of another user in a repository.
func TestSecurityForeignJournal(t *testing.T) {
	w, home := shared(t)
	state := filepath.Join(w.root, ".git", "goat")
	if err := os.MkdirAll(state, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"lock": "", "journal": "- - L2V0Yy9wYXNzd2Q=\n"} {
		if err := os.WriteFile(filepath.Join(state, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	before := w.snapshot()
	for _, verb := range []string{"plan", "build", "clean", "track"} {
		said, _ := w.asNobody(home, "goat", "--base=main", verb)
		if strings.Contains(said, "passwd") {
			t.Errorf("%s: %s", verb, said)
		}
		w.same(verb, before, w.snapshot())
	}
	if _, err := os.Stat(filepath.Join(state, "journal")); err != nil {
		t.Error(err)
	}
}
