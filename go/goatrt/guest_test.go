//go:build linux

package goatrt_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goat-trace/goat/go/internal/spool"
)

// What cannot be written is written when it can be, not at the end only.
func TestAFailedWriteIsTriedAgain(t *testing.T) {
	for _, mode := range []string{"exe", "c-shared"} {
		dir := t.TempDir()
		p := start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir, "TEST_MODE=" + mode, "GOAT_WINDOW=0"}, "wait")
		p.tell("hit=1")
		p.tell("limit=512")
		p.tell("all=100")
		if n := hits(only(t, dir), "svc"); n != 1 {
			t.Errorf("%s: %d hits beyond the limit of the file's size", mode, n)
		}
		p.tell("limit=0")
		eventually(t, "the hits are in the file", func() bool { return hits(only(t, dir), "svc") == 100 })
		_ = p.cmd.Process.Kill()
		if _, stderr := p.end(); stderr != "" {
			t.Errorf("%s: stderr %q", mode, stderr)
		}
	}
}

// Beyond the limit on file sizes the system would send a signal.
func TestAFileThatMayNotBecomeLargeEnough(t *testing.T) {
	dir := t.TempDir()
	p := start(t, "/bin/sh", []string{"GOAT_SPOOL=" + dir}, "-c", "ulimit -f 1; exec "+build(t, "")+" hit=1")
	if code, stderr := p.end(); code != 0 || !strings.Contains(stderr, "no spool: ") || !strings.Contains(stderr, "file too large") {
		t.Errorf("code %d, stderr %q", code, stderr)
	}
	if left := names(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Nobody reads standard error, and the pipe is full: the program runs and ends.
func TestAFullStandardErrorHoldsNothingUp(t *testing.T) {
	var pipe [2]int
	if err := syscall.Pipe2(pipe[:], syscall.O_NONBLOCK|syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	writer := os.NewFile(uintptr(pipe[1]), "pipe")
	defer os.NewFile(uintptr(pipe[0]), "pipe").Close()
	defer writer.Close()
	for chunk := make([]byte, 4096); ; {
		if _, err := syscall.Write(pipe[1], chunk); err != nil {
			break
		}
	}
	// The program is given a description of its own, which blocks.
	blocking, err := os.OpenFile("/proc/self/fd/"+strconv.Itoa(pipe[1]), os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer blocking.Close()
	_ = syscall.SetNonblock(int(blocking.Fd()), false)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, environment := range [][]string{{"GOAT_SPOOL=" + file}, {"GOAT_ADDR=nonsense"}} {
		cmd := exec.Command(build(t, "with_server"), "hit=1", "exit=3")
		cmd.Env = append(cleanEnv(), environment...)
		cmd.Stderr = blocking
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			_ = cmd.Wait()
			close(ended)
		}()
		select {
		case <-ended:
			if code := cmd.ProcessState.ExitCode(); code != 3 {
				t.Errorf("code %d", code)
			}
		case <-time.After(time.Minute):
			_ = cmd.Process.Kill()
			t.Fatal("the program hangs")
		}
	}
}

// Set-user-id programs do not obey their caller's environment.
func TestSetUserID(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs the right to make set-user-id programs")
	}
	const owner, caller = 4321, 4322
	dir, err := os.MkdirTemp("/tmp", "goatrt")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	program, spools := filepath.Join(dir, "program"), filepath.Join(dir, "spools")
	text, err := os.ReadFile(build(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.Chmod(dir, 0o755), os.Mkdir(spools, 0o777), os.Chmod(spools, 0o777), os.WriteFile(program, text, 0o755),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	run := func() int {
		t.Helper()
		cmd := exec.Command(program, "hit=1")
		cmd.Dir, cmd.Env = dir, append(cleanEnv(), "GOAT_SPOOL="+spools)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: caller, Gid: caller}}
		if out, err := cmd.CombinedOutput(); err != nil || len(out) != 0 {
			t.Fatalf("%v %s", err, out)
		}
		return len(names(t, spools))
	}
	if n := run(); n != 1 {
		t.Fatalf("%d files by a program without the bit", n)
	}
	if err := os.Chown(program, owner, owner); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(program, 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	if n := run(); n != 1 {
		t.Errorf("a set-user-id program wrote a spool")
	}
}

// Another user's files count for nothing when the oldest are removed.
func TestForgedStartTimesRemoveNothing(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs the right to give files away")
	}
	dir := t.TempDir()
	environment := []string{"GOAT_SPOOL=" + dir, "GOAT_SPOOL_KEEP=3"}
	start(t, build(t, ""), environment, "hit=1").end()
	mine := names(t, dir)[0]
	text, err := os.ReadFile(filepath.Join(dir, mine))
	if err != nil {
		t.Fatal(err)
	}
	text[95] = 0x7f // far in the future
	for i := 0; i < 5; i++ {
		name := filepath.Join(dir, "goat-app-000000000000000"+strconv.Itoa(i)+".spool")
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(name, 4322, 4322); err != nil {
			t.Fatal(err)
		}
	}
	start(t, build(t, ""), environment, "hit=1").end()
	if left := strings.Join(names(t, dir), " "); !strings.Contains(left, mine) || len(names(t, dir)) != 7 {
		t.Errorf("left: %s", left)
	}
}

// A child that was forked without exec keeps the descriptor and not the life.
func TestALockThatAChildKeeps(t *testing.T) {
	dir := t.TempDir()
	p := start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir}, "wait")
	p.tell("hit=1")
	if f := only(t, dir); f.Live != spool.Alive {
		t.Errorf("while it runs: %s", f.Live)
	}
	// This process takes the place of the child: it holds the lock that is inherited.
	file, err := os.Open(filepath.Join(dir, names(t, dir)[0]))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	_ = p.cmd.Process.Kill()
	p.end()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if f := only(t, dir); f.Live != spool.Unknown {
		t.Errorf("after its end, with a lock left: %s", f.Live)
	}
}
