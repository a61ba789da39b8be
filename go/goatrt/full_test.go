//go:build linux

package goatrt_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// mount mounts a small file system of its own for the test.
func mount(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options)
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		t.Skipf("no right to mount a tmpfs: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

func TestFullDiskIsKnownAtStart(t *testing.T) {
	dir := mount(t, "size=32k")
	p := start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir}, "wait")
	line := <-p.first
	p.tell("all=1000")
	if code, stderr := p.end(); code != 0 || strings.Count(stderr, "\n") != 1 || !strings.Contains(line, "no space left on device") {
		t.Errorf("code %d, stderr %q", code, stderr)
	}
	if left := names(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestDiskThatFillsUpLaterLosesNothing(t *testing.T) {
	dir := mount(t, "size=256k")
	p := start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir}, "wait")
	p.tell("hit=1")
	// What is left is taken by somebody else.
	_ = os.WriteFile(filepath.Join(dir, "other"), make([]byte, 1<<20), 0o600)
	p.tell("all=1000")
	if code, stderr := p.end(); code != 0 || stderr != "" {
		t.Errorf("code %d, stderr %q", code, stderr)
	}
	if n := hits(only(t, dir), "svc"); n != 1000 {
		t.Errorf("%d of 1000 hits in the file", n)
	}
}

func TestReadOnlyDisk(t *testing.T) {
	dir := mount(t, "size=256k")
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	p := start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir}, "wait")
	line := <-p.first
	p.tell("all=1000")
	if code, stderr := p.end(); code != 0 || strings.Count(stderr, "\n") != 1 || !strings.Contains(line, "read-only file system") {
		t.Errorf("code %d, stderr %q", code, stderr)
	}
}
