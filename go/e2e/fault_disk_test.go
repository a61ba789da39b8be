//go:build linux

package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// disk is a small file system of its own.
type disk struct {
	t   *testing.T
	dir string
}

// newDisk mounts one. Only root may, and not in every container.
func newDisk(t *testing.T, size string) *disk {
	t.Helper()
	d := &disk{t, t.TempDir()}
	if err := syscall.Mount("goat-test", d.dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("no tmpfs can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(d.dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return d
}

// fill leaves so many bytes free.
func (d *disk) fill(free int) {
	d.t.Helper()
	file, err := os.Create(filepath.Join(d.dir, "filler"))
	if err != nil {
		d.t.Fatal(err)
	}
	defer file.Close()
	block, size := make([]byte, 4096), int64(0)
	for {
		n, err := file.Write(block)
		size += int64(n)
		if errors.Is(err, syscall.ENOSPC) {
			break
		}
		if err != nil {
			d.t.Fatal(err)
		}
	}
	if err := file.Truncate(max(0, size-int64(free))); err != nil {
		d.t.Fatal(err)
	}
}

func (d *disk) free() {
	d.t.Helper()
	if err := os.Remove(filepath.Join(d.dir, "filler")); err != nil {
		d.t.Fatal(err)
	}
}

// attempt runs a command that may fail, but then with a message, and goat with one of
// what to do.
func (w *workshop) attempt(what string, args ...string) (said string, failed bool) {
	w.Helper()
	stdout, stderr, err := w.command(w.dir, args...)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return stderr, false
	case !errors.As(err, &exit) || exit.ExitCode() <= 0 || stderr == "" || strings.Contains(stderr, "goroutine "):
		w.Fatalf("%s: %v: %v\n%s%s", what, args, err, stdout, stderr)
	}
	lines := strings.Split(strings.TrimRight(stderr, "\n"), "\n")
	for i, line := range lines {
		// A line of goat's that is no summary: the ones of an error have a hint behind them.
		if strings.HasPrefix(line, "goat: ") && !strings.Contains(line, " in 4 packages (base ") && (i+1 == len(lines) || !strings.HasPrefix(lines[i+1], "hint: ")) {
			w.Fatalf("%s: %v: no hint:\n%s", what, args, stderr)
		}
	}
	return stderr, true
}

// TestFullDisk lets the disk run full at every place that goat or go writes to.
func TestFullDisk(t *testing.T) {
	for _, c := range []struct {
		name, variable string
		// fails says that a build without the room cannot work; go itself can do without
		// its cache.
		fails bool
	}{
		{"plans", "GOAT_CACHE", true},
		{"build cache", "GOCACHE", false},
		{"temporary files", "TMPDIR", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorkshop(t)
			d := newDisk(t, "64m")
			if c.variable == "GOCACHE" {
				w.borrow(d.dir)
			}
			before := slices.Clone(w.env)
			full := append(slices.Clone(w.env), c.variable+"="+d.dir)
			w.env = full
			w.right("before")
			for _, free := range []int{0, 24 << 10} {
				w.edit()
				d.fill(free)
				said, failed := w.attempt(c.name, "goat", "--base=main", "build", "-o", filepath.Join(w.bin, "full"), ".")
				if failed && !strings.Contains(strings.ToLower(said), "no space left") || failed != c.fails && c.fails {
					t.Errorf("%d bytes free: goat build says (failed: %v)\n%s", free, failed, said)
				}
				w.treeClean(c.name)
				w.env = before
				w.plainRight(c.name + " (elsewhere)")
				w.env = full
				d.free()
				w.right(c.name)
			}
			if left, _ := os.ReadDir(d.dir); c.variable == "TMPDIR" && len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// borrow fills a build cache with what the module and the runtime need, from the one
// that is used otherwise: compiling the standard library anew would show nothing.
func (w *workshop) borrow(dir string) {
	w.Helper()
	w.run(w.dir, "goat", "--base=main", "build", "-o", filepath.Join(w.bin, "warm"), ".")
	list := w.run(w.dir, "go", "list", "-deps", "-export", "-f", "{{if .Standard}}{{.BuildID}} {{.Export}}{{end}}", ".", "os", "strings", "sync/atomic", "time")
	from := strings.TrimSpace(w.run(w.dir, "go", "env", "GOCACHE"))
	for _, line := range strings.Split(list, "\n") {
		id, object, ok := strings.Cut(line, " ")
		if !ok || object == "" {
			continue
		}
		// The entry of an action is named by its hash, which begins the build id.
		action, _, _ := strings.Cut(id, "/")
		hash, err := base64.RawURLEncoding.DecodeString(action)
		if err != nil || len(hash) == 0 {
			w.Fatalf("%s: %v", id, err)
		}
		entries, err := filepath.Glob(filepath.Join(from, hex.EncodeToString(hash[:1]), hex.EncodeToString(hash)+"*-a"))
		if err != nil || len(entries) == 0 {
			w.Fatalf("no cache entry of %s: %v", id, err)
		}
		for _, name := range append(entries, object) {
			w.copyTo(dir, from, name)
		}
	}
}

func (w *workshop) copyTo(dir, from, name string) {
	w.Helper()
	relative, err := filepath.Rel(from, name)
	if err != nil {
		w.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		w.Fatal(err)
	}
	to := filepath.Join(dir, relative)
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o666); err != nil {
		w.Fatal(err)
	}
}

// TestFullSpool runs a tracked program whose spool has no room: it does its work, says
// one line, and goes on.
func TestFullSpool(t *testing.T) {
	w := newWorkshop(t)
	d := newDisk(t, "64k")
	w.goatRight("before")
	d.fill(0)
	run := exec.Command(filepath.Join(w.bin, "tracked"))
	run.Env = append(w.env, "GOAT_SPOOL="+d.dir)
	var out, errs bytes.Buffer
	run.Stdout, run.Stderr = &out, &errs
	if err := run.Run(); err != nil || out.String() != w.want() {
		t.Fatalf("%v: %q", err, out.String())
	}
	if lines := strings.Count(errs.String(), "\n"); lines != 1 || !strings.Contains(errs.String(), "no space left") {
		t.Errorf("it says\n%s", errs.String())
	}
	d.free()
	if left, err := os.ReadDir(d.dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	w.env = append(w.env, "GOAT_SPOOL="+d.dir)
	w.evidence("after", filepath.Join(w.bin, "tracked"))
}

// TestFullTree has no room in the module itself: the verbs that write there write all
// or nothing.
func TestFullTree(t *testing.T) {
	w := newWorkshop(t)
	d := newDisk(t, "8m")
	moved := filepath.Join(d.dir, "app")
	w.run(w.dir, "git", "clone", "-q", w.root, moved)
	w.root, w.dir = moved, moved
	w.run(w.dir, "git", "branch", "main", "origin/main")
	w.right("before")
	for _, free := range []int{0, 8 << 10, 40 << 10, 120 << 10} {
		for _, verb := range []string{"generate", "track"} {
			before := w.snapshot()
			d.fill(free)
			stdout, stderr, err := w.command(w.dir, "goat", "--base=main", verb)
			d.free()
			if err == nil {
				t.Logf("%s has room in %d bytes", verb, free)
				w.undo(verb)
			} else if !strings.Contains(stderr, "hint: ") || !strings.Contains(strings.ToLower(stderr), "no space left") {
				t.Errorf("%s in %d bytes says\n%s%s", verb, free, stdout, stderr)
			}
			w.same(verb+" on a full disk", before, w.snapshot())
			w.right(verb + " on a full disk")
		}
	}
	// Building writes nothing there.
	d.fill(0)
	w.goatRight("full tree")
	d.free()
}

// undo takes out what a verb has written.
func (w *workshop) undo(verb string) {
	w.Helper()
	if verb == "track" {
		w.run(w.dir, "goat", "clean")
		return
	}
	w.run(w.root, "git", "clean", "-fdq")
}

// TestFullDiskUnderOutput has no room for a report: the old file stays as it was, whole,
// and nothing else is left.
func TestFullDiskUnderOutput(t *testing.T) {
	w := newWorkshop(t)
	d := newDisk(t, "64k")
	w.goatRight("before")
	w.env = append(w.env, "GOAT_SPOOL="+t.TempDir())
	w.run(w.dir, filepath.Join(w.bin, "tracked"))
	spool := strings.TrimPrefix(w.env[len(w.env)-1], "GOAT_SPOOL=")
	old := filepath.Join(d.dir, "report.json")
	w.run(w.dir, "goat", "report", spool, "--output", "json="+old)
	before, err := os.ReadFile(old)
	if err != nil {
		t.Fatal(err)
	}
	for _, free := range []int{0, 4096} {
		d.fill(free)
		stdout, stderr, err := w.command(w.dir, "goat", "report", spool, "--output", "json="+old, "--output", "sarif="+filepath.Join(d.dir, "goat.sarif"))
		d.free()
		if err == nil || !strings.Contains(stderr, "no space left") || !strings.Contains(stderr, "hint: ") {
			t.Errorf("with %d bytes: %v\n%s%s", free, err, stdout, stderr)
		}
		if after, err := os.ReadFile(old); err != nil || !bytes.Equal(before, after) {
			t.Errorf("with %d bytes the old report is %d bytes of %d: %v", free, len(after), len(before), err)
		}
		if left, err := os.ReadDir(d.dir); err != nil || len(left) != 1 {
			t.Errorf("left behind: %v %v", left, err)
		}
	}
}
