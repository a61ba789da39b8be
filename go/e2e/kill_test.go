package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestKill kills goat track and goat clean at random moments. After one further
// command that plans, the tree is instrumented as a whole or not at all, and clean
// gives it back. GOAT_KILLS says how often (default 20).
func TestKill(t *testing.T) {
	m := look(t)
	kills := 20
	if value := os.Getenv("GOAT_KILLS"); value != "" {
		var err error
		if kills, err = strconv.Atoi(value); err != nil {
			t.Fatal(err)
		}
	}
	s := m.newSession(t, manyFiles(60))
	plain := s.snapshot()
	took := s.timed("track")
	marked := s.snapshot()
	s.run(s.dir, "goat", "clean")
	s.same("clean", plain, s.snapshot())
	halves, done := 0, 0
	for i := range kills {
		verb := []string{"track", "clean"}[i%2]
		if verb == "clean" {
			s.run(s.dir, s.verb("track")...)
		}
		s.killed(verb, took)
		if now := s.snapshot(); !maps.Equal(now, plain) && !maps.Equal(now, marked) {
			halves++
		}
		s.run(s.dir, s.verb("plan")...)
		switch now := s.snapshot(); {
		case maps.Equal(now, plain):
		case maps.Equal(now, marked):
			done++
		default:
			s.same(fmt.Sprintf("%s killed, run %d", verb, i), plain, now)
			t.FailNow()
		}
		s.run(s.dir, "goat", "clean")
		s.same("clean after a kill", plain, s.snapshot())
	}
	t.Logf("%d kills: %d left a tree half written, %d trees were marked in the end", kills, halves, done)
}

// manyFiles is a case with this many changed packages.
func manyFiles(n int) *testCase {
	c := &testCase{header: map[string][]string{}, trees: map[string]map[string][]byte{"base": {}, "release": {}}}
	for tree, value := range map[string]string{"base": "1", "release": "2"} {
		c.trees[tree]["go.mod"] = []byte("module example.com/app\n\ngo 1.23\n")
		c.trees[tree]["main.go"] = []byte("package main\n\nfunc main() { println(" + value + ") }\n")
		for i := range n {
			text := fmt.Sprintf("package p%d\n\n// F counts.\nfunc F() int { return %s }\n", i, value)
			c.trees[tree][fmt.Sprintf("p%d/p.go", i)] = []byte(text)
		}
	}
	return c
}

// timed runs a verb and says how long it took.
func (s *session) timed(verb string) time.Duration {
	s.Helper()
	began := time.Now()
	s.run(s.dir, s.verb(verb)...)
	return time.Since(began)
}

// killed starts a verb and kills it at a random moment of its usual time, more often
// in the part where it writes.
func (s *session) killed(verb string, usual time.Duration) {
	s.Helper()
	words := s.verb(verb)
	if verb == "clean" {
		words = []string{"goat", "clean"}
	}
	cmd := exec.Command(s.goat(), words[1:]...)
	cmd.Dir, cmd.Env = s.dir, s.env
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	journal := filepath.Join(s.root, ".git", "goat", "journal")
	after := time.Duration(rand.Int64N(int64(usual) * 5 / 4))
	if rand.IntN(3) > 0 {
		// The moment after the journal has been written.
		ended := make(chan struct{})
		go func() { _ = cmd.Wait(); close(ended) }()
		for {
			if _, err := os.Lstat(journal); err == nil {
				break
			}
			select {
			case <-ended:
				return
			default:
			}
		}
		_ = cmd.Process.Kill()
		<-ended
		return
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	_ = cmd.Wait()
	timer.Stop()
}

// TestCleanFromAnywhere cleans from a directory below and from a second worktree.
func TestCleanFromAnywhere(t *testing.T) {
	m := look(t)
	s := m.newSession(t, manyFiles(2))
	second := filepath.Join(t.TempDir(), "second")
	s.run(s.root, "git", "worktree", "add", "-q", "--detach", second)
	s.root, s.dir = second, filepath.Join(second, "p1")
	before := s.snapshot()
	s.run(s.dir, s.verb("track")...)
	if state := strings.TrimSpace(s.run(s.dir, "git", "rev-parse", "--git-dir")); !exists(filepath.Join(state, "goat", "lock")) {
		t.Errorf("no journal directory in %s", state)
	}
	s.run(s.dir, "go", "build", "-o", t.TempDir()+"/", "../...")
	s.run(s.dir, "goat", "clean")
	s.same("clean", before, s.snapshot())
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// TestUntouchedFiles checks that track and clean write what they change and no more.
func TestUntouchedFiles(t *testing.T) {
	m := look(t)
	c := manyFiles(3)
	c.trees["release"]["p1/p.go"] = c.trees["base"]["p1/p.go"]
	s := m.newSession(t, c)
	old := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	for name := range s.snapshot() {
		if err := os.Chtimes(filepath.Join(s.root, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	s.run(s.dir, s.verb("track")...)
	s.run(s.dir, s.verb("track")...)
	s.run(s.dir, "goat", "clean")
	for _, name := range []string{"go.mod", "p1/p.go"} {
		info, err := os.Stat(filepath.Join(s.root, name))
		if err != nil || !info.ModTime().Equal(old) {
			t.Errorf("%s was written: %v %v", name, info.ModTime(), err)
		}
	}
}
