//go:build linux

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const nobody = 65534

// needRoot skips what only root can arrange.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to become another user")
	}
}

// asNobody runs a command as a user who owns nothing but home.
func (w *workshop) asNobody(home string, args ...string) (said string, code int) {
	w.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	if args[0] == "goat" {
		cmd.Path, cmd.Err = w.goat(), nil
	}
	cmd.Dir = w.dir
	cmd.Env = append(w.env[:len(w.env):len(w.env)], "HOME="+home, "GOAT_CACHE="+filepath.Join(home, "cache"), "TMPDIR="+home, "GIT_CONFIG_GLOBAL="+filepath.Join(home, ".gitconfig"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		w.Fatal(err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// shared is a workshop that another user can reach, with a home for him and a build
// cache that is his.
func shared(t *testing.T) (w *workshop, home string) {
	t.Helper()
	needRoot(t)
	w = newWorkshop(t)
	home = t.TempDir()
	for _, dir := range []string{w.root, home, w.bin, filepath.Dir(w.goat())} {
		open(t, dir)
	}
	gocache := t.TempDir()
	w.borrow(gocache)
	give(t, gocache)
	give(t, home)
	w.env = append(w.env, "GOCACHE="+gocache)
	if said, code := w.asNobody(home, "goat", "version"); code != 0 {
		t.Skipf("another user cannot run this goat: %s", said)
	}
	if said, code := w.asNobody(home, "go", "version"); code != 0 {
		t.Skipf("another user cannot run go: %s", said)
	}
	return w, home
}

// open lets others into a directory, if it is a temporary one.
func open(t *testing.T, dir string) {
	t.Helper()
	for at := dir; at != "/" && at != os.TempDir(); at = filepath.Dir(at) {
		if !strings.HasPrefix(dir, os.TempDir()) {
			return
		}
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// give makes another user the owner of a directory.
func give(t *testing.T, dir string) {
	t.Helper()
	open(t, dir)
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, nobody, nobody)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestOtherUsersRepository builds what belongs to somebody else.
func TestOtherUsersRepository(t *testing.T) {
	w, home := shared(t)
	out := filepath.Join(home, "tracked")
	said, code := w.asNobody(home, "goat", "--base=main", "build", "-o", out, ".")
	if code != 4 || !strings.Contains(said, "hint: ") || !strings.Contains(said, "safe.directory") {
		t.Errorf("exit code %d:\n%s", code, said)
	}
	said, code = w.asNobody(home, "goat", "doctor")
	if code != 1 || !strings.Contains(said, "safe.directory") {
		t.Errorf("doctor: exit code %d:\n%s", code, said)
	}
	// What the hint says helps. The tree cannot be written: a build does not mind.
	text := "[safe]\n\tdirectory = " + w.root + "\n"
	if err := os.WriteFile(filepath.Join(home, ".gitconfig"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if said, code = w.asNobody(home, "goat", "--base=main", "build", "-o", out, "."); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, said)
	}
	w.evidence("another user", out)
	before := w.snapshot()
	for _, verb := range []string{"generate", "track", "init"} {
		said, code = w.asNobody(home, "goat", "--base=main", verb)
		if code != 4 || !strings.Contains(said, "hint: ") || !strings.Contains(strings.ToLower(said), "permission denied") {
			t.Errorf("%s: exit code %d:\n%s", verb, code, said)
		}
		w.same(verb, before, w.snapshot())
	}
	// A source that cannot be read is go's to refuse, and a line of the account.
	if err := os.Chmod(filepath.Join(w.root, "p0", "p.go"), 0); err != nil {
		t.Fatal(err)
	}
	if said, code = w.asNobody(home, "goat", "--base=main", "plan", "--explain"); code != 0 || !strings.Contains(said, "unreadable") {
		t.Errorf("plan: exit code %d:\n%s", code, said)
	}
	plain, plainCode := w.asNobody(home, "go", "build", "-o", out, ".")
	said, code = w.asNobody(home, "goat", "-q", "--base=main", "build", "-o", out, ".")
	if code != plainCode || said != plain {
		t.Errorf("exit code %d, plain go's is %d:\n%s\nplain go says\n%s", code, plainCode, said, plain)
	}
	if err := os.Chmod(filepath.Join(w.root, "p0", "p.go"), 0o644); err != nil {
		t.Fatal(err)
	}
	w.right("after")
}

// TestForbiddenCaches takes the right to write away from each cache, for another user,
// and for all on a read-only file system.
func TestForbiddenCaches(t *testing.T) {
	w, home := shared(t)
	text := "[safe]\n\tdirectory = *\n"
	if err := os.WriteFile(filepath.Join(home, ".gitconfig"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(home, "cache"), 0o755); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(home, "tracked")
	said, code := w.asNobody(home, "goat", "--base=main", "build", "-o", out, ".")
	if code != 4 || !strings.Contains(said, "hint: set GOAT_CACHE") {
		t.Errorf("exit code %d:\n%s", code, said)
	}
	if said, code = w.asNobody(home, "goat", "doctor"); code != 1 || !strings.Contains(said, "fail  cache") {
		t.Errorf("doctor: exit code %d:\n%s", code, said)
	}
	give(t, filepath.Join(home, "cache"))
	if said, code = w.asNobody(home, "goat", "--base=main", "build", "-o", out, "."); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, said)
	}
	w.evidence("a cache of one's own", out)
}

// TestReadOnlyCache has goat's cache on a file system that has become read-only, with
// the plan in it.
func TestReadOnlyCache(t *testing.T) {
	w := newWorkshop(t)
	d := newDisk(t, "64m")
	w.env = append(w.env, "GOAT_CACHE="+d.dir)
	w.right("before")
	w.edit()
	script := w.run(w.dir, "goat", "--base=main", "env")
	if err := syscall.Mount("goat-test", d.dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skipf("no file system can be made read-only here: %v", err)
	}
	out := filepath.Join(w.bin, "tracked")
	// The plan that stands is all that the helper needs.
	w.run(w.dir, "sh", "-c", script+"\ngo build -o "+out+" .")
	w.evidence("read-only cache", out)
	w.edit()
	if said, failed := w.attempt("read-only", "goat", "--base=main", "build", "-o", out, "."); !failed || !strings.Contains(said, "hint: set GOAT_CACHE") {
		t.Errorf("failed: %v\n%s", failed, said)
	}
	w.plainRight("read-only cache")
	if err := syscall.Mount("goat-test", d.dir, "tmpfs", syscall.MS_REMOUNT, ""); err != nil {
		t.Fatal(err)
	}
	w.right("after")
}
