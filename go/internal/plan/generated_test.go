package plan_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/goat-trace/goat/go/internal/plan"
)

// TestSecurityGenerated has plans of `goat generate` where they are not to be believed.
func TestSecurityGenerated(t *testing.T) {
	write := func(path string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("{}"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	above := t.TempDir()
	module := filepath.Join(above, "repo", "sub")
	inner := filepath.Join(module, "cmd")
	write(filepath.Join(module, "go.mod"))
	write(filepath.Join(inner, "main.go"))
	expect := func(what, want string, fails bool) {
		t.Helper()
		if got, err := plan.GeneratedIn(inner); got != want || (err != nil) != fails {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
	write(filepath.Join(above, ".goat", "index.json"))
	expect("above the module", "", false)
	if err := os.Mkdir(filepath.Join(above, "repo", ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	expect("above the repository", "", false)
	root := filepath.Join(above, "repo", ".goat")
	write(filepath.Join(root, "index.json"))
	expect("the repository's root", root, false)
	own := filepath.Join(module, ".goat")
	write(filepath.Join(own, "index.json"))
	expect("the module's root", own, false)

	if err := os.Chmod(own, 0o777); err != nil {
		t.Fatal(err)
	}
	expect("everybody may write it", "", true)
	if err := os.Chmod(own, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(own, own+"2"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(own+"2", own); err != nil {
		t.Fatal(err)
	}
	expect("a link", "", true)
	if os.Geteuid() != 0 {
		return
	}
	if err := os.Remove(own); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(own+"2", own); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(filepath.Join(own, "index.json"), 65534, 65534); err != nil {
		t.Fatal(err)
	}
	expect("another user's", "", true)
	// Who owns the module may say what is built of it.
	if err := os.Chown(filepath.Join(module, "go.mod"), 65534, 65534); err != nil {
		t.Fatal(err)
	}
	expect("the module's owner's", own, false)
}

// TestSecurityDamagedDocuments changes documents without changing their length.
func TestSecurityDamagedDocuments(t *testing.T) {
	for name, read := range map[string]func(dir string) error{
		"index.json": func(dir string) error { _, err := plan.ReadIndex(dir); return err },
		plan.DocName("ex.com/m/a"): func(dir string) error {
			_, err := plan.ReadPackage(dir, "ex.com/m/a")
			_, edits := plan.ReadEdits(dir, "ex.com/m/a")
			if (err == nil) != (edits == nil) {
				t.Errorf("%v, without the points %v", err, edits)
			}
			return err
		},
		plan.ShardName("ex.com/m/a"): func(dir string) error { _, err := plan.ReadHashes(dir, "ex.com/m/a"); return err },
	} {
		dir := makePlan(t)
		if err := read(dir); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; at < len(text); at += 7 {
			for _, to := range []byte{0, text[at] ^ 1} {
				damaged := append([]byte(nil), text...)
				damaged[at] = to
				if err := os.WriteFile(path, damaged, 0o644); err != nil {
					t.Fatal(err)
				}
				if read(dir) == nil {
					t.Fatalf("%s: byte %d is believed", name, at)
				}
			}
		}
	}
}
