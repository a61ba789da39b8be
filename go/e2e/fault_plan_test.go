//go:build linux

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// damage is a wrapper of the user's own: it runs behind the helper, and so at a moment
// at which the helper has read what it needs for the first package.
const damage = `#!/bin/sh
case "$1" in
*/compile)
	if [ "$2" != -V=full ] && mkdir "$STATE" 2>/dev/null; then
		%s
	fi ;;
esac
exec "$@"
`

// TestPlanDamagedDuringBuild takes the plan away, or a part of it, while go builds: the
// build is right or says what to type, and the next one makes the plan whole.
func TestPlanDamagedDuringBuild(t *testing.T) {
	for name, command := range map[string]string{
		"gone":           `rm -r "$GOAT_CACHE/plans"`,
		"without index":  `rm "$GOAT_CACHE"/plans/*/index.json`,
		"half an index":  `for f in "$GOAT_CACHE"/plans/*/index.json; do head -c 100 "$f" >"$f.x"; mv "$f.x" "$f"; done`,
		"half documents": `for f in "$GOAT_CACHE"/plans/*/p/*.json; do head -c 100 "$f" >"$f.x"; mv "$f.x" "$f"; done`,
		"empty shards":   `for f in "$GOAT_CACHE"/plans/*/s/*.json; do : >"$f"; done`,
		"whole cache":    `rm -r "$GOAT_CACHE"/*`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorkshop(t)
			tool := filepath.Join(w.bin, "damage")
			if err := os.WriteFile(tool, []byte(fmt.Sprintf(damage, command)), 0o777); err != nil {
				t.Fatal(err)
			}
			w.env = append(w.env, "STATE="+filepath.Join(w.bin, "state"))
			out := filepath.Join(w.bin, "tracked")
			said, failed := w.attempt(name, "goat", "--base=main", "build", "-toolexec="+tool, "-o", out, ".")
			if !failed {
				w.evidence(name, out)
			} else if !strings.Contains(said, "goat build") {
				t.Errorf("it says\n%s", said)
			}
			if _, err := os.Stat(filepath.Join(w.bin, "state")); err != nil {
				t.Fatal("nothing was damaged")
			}
			w.right(name)
		})
	}
}

// TestHalfCleanedCache removes and truncates what goat keeps between builds, one part
// after the other.
func TestHalfCleanedCache(t *testing.T) {
	w := newWorkshop(t)
	w.right("before")
	var files []string
	for name := range snapshotOf(t, w.cache) {
		files = append(files, name)
	}
	parts := map[string]bool{}
	for _, name := range files {
		parts[strings.Split(filepath.ToSlash(name), "/")[0]] = true
	}
	for _, part := range []string{"plans", "files", "runtime", "memo"} {
		if !parts[part] {
			t.Errorf("the cache has no %s, only %v: this test is out of date", part, parts)
		}
	}
	for part := range parts {
		if err := os.RemoveAll(filepath.Join(w.cache, part)); err != nil {
			t.Fatal(err)
		}
		w.goatRight("without " + part)
	}
	for part := range parts {
		for name := range snapshotOf(t, w.cache) {
			if strings.HasPrefix(name, part) {
				if err := os.Truncate(filepath.Join(w.cache, name), 7); err != nil {
					t.Fatal(err)
				}
			}
		}
		// Another value of a flag, so that go links again.
		w.run(w.dir, "goat", "--base=main", "build", "-ldflags=-X=main.part="+part, "-o", filepath.Join(w.bin, "tracked"), ".")
		w.evidence("truncated "+part, filepath.Join(w.bin, "tracked"))
	}
	w.right("after")
}

func snapshotOf(t *testing.T, dir string) map[string]file {
	return (&session{T: t, root: dir}).snapshot()
}

// TestTwoGoats has two goats at work in one module.
func TestTwoGoats(t *testing.T) {
	w := newWorkshop(t)
	// One generates, the other builds.
	older := filepath.Join(w.bin, "older", "goat")
	build := exec.Command("go", "build", "-ldflags=-X github.com/goat-trace/goat/go/internal/self.version=0.0.9", "-o", older, "./cmd/goat")
	build.Dir, build.Env = "..", append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w.run(w.dir, "goat", "--base=main", "generate")
	mixed := func(what string, command ...string) {
		said, failed := w.attempt(what, command...)
		if !failed || !strings.Contains(said, "two goat versions in one build: the plan is by 0.1.0") || !strings.Contains(said, "the helper is 0.0.9") {
			t.Errorf("%s: failed: %v\n%s", what, failed, said)
		}
	}
	mixed("generated", "go", "build", "-toolexec="+older+" toolexec", "-o", filepath.Join(w.bin, "mixed"), ".")
	script := strings.ReplaceAll(w.run(w.dir, "goat", "--base=main", "env"), w.goat()+" toolexec", older+" toolexec")
	mixed("env", "sh", "-c", script+"\ngo build -o "+filepath.Join(w.bin, "mixed")+" .")
	said, _, err := w.command(w.dir, "goat", "doctor", "-toolexec="+older+" toolexec")
	if err == nil || !strings.Contains(said, "(two-goats)") {
		t.Errorf("doctor: %v\n%s", err, said)
	}
	w.run(w.root, "git", "clean", "-fdq")
	w.right("generated")
	other := w.otherGoat()
	// Both build at once, with one cache, after every edit.
	for round := range 2 {
		w.edit()
		var wait sync.WaitGroup
		failures := make([]string, 4)
		for i := range failures {
			wait.Add(1)
			go func() {
				defer wait.Done()
				goat := []string{w.goat(), other}[i%2]
				_, stderr, err := w.command(w.dir, goat, "--base=main", "build", "-o", filepath.Join(w.bin, fmt.Sprint("at-once-", i)), ".")
				if err != nil {
					failures[i] = err.Error() + "\n" + stderr
				}
			}()
		}
		wait.Wait()
		for i, failure := range failures {
			if failure != "" {
				t.Fatal(failure)
			}
			w.evidence(fmt.Sprint("round ", round), filepath.Join(w.bin, fmt.Sprint("at-once-", i)))
		}
		w.right("two goats at once")
	}
}

// TestGenerateAtOnce has several generate into one module: the result is that of one.
func TestGenerateAtOnce(t *testing.T) {
	w := newWorkshop(t)
	w.run(w.dir, "goat", "--base=main", "generate")
	alone := w.snapshot()
	w.run(w.root, "git", "clean", "-fdq")
	for range 3 {
		failures := make([]string, 4)
		var wait sync.WaitGroup
		for i := range failures {
			wait.Add(1)
			go func() {
				defer wait.Done()
				if _, stderr, err := w.command(w.dir, "goat", "--base=main", "generate"); err != nil {
					failures[i] = err.Error() + "\n" + stderr
				}
			}()
		}
		wait.Wait()
		for _, failure := range failures {
			if failure != "" {
				t.Error(failure)
			}
		}
		w.same("generated at once", alone, w.snapshot())
	}
	w.plainRight("generated at once")
}

// otherGoat is a copy of goat that calls another commit its own.
func (w *workshop) otherGoat() string {
	w.Helper()
	var version struct{ Commit string }
	if err := json.Unmarshal([]byte(w.run(w.dir, "goat", "version", "--format=json")), &version); err != nil {
		w.Fatal(err)
	}
	text, err := os.ReadFile(w.goat())
	if err != nil {
		w.Fatal(err)
	}
	if len(version.Commit) < 40 || !bytes.Contains(text, []byte(version.Commit)) {
		w.Skip("this goat does not know its commit (scripts/build tells it)")
	}
	text = bytes.ReplaceAll(text, []byte(version.Commit), []byte(strings.Repeat("e", len(version.Commit))))
	path := filepath.Join(w.bin, "other", "goat")
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o777); err != nil {
		w.Fatal(err)
	}
	return path
}

// TestFileTimes gives the sources times that say nothing: content decides, as in go.
func TestFileTimes(t *testing.T) {
	w := newWorkshop(t)
	for _, when := range []time.Time{time.Unix(0, 0), time.Date(2199, 1, 2, 3, 4, 5, 0, time.UTC)} {
		for range 2 {
			w.edit()
			w.age(w.root, when)
			w.right(when.String())
		}
		// The plan of a moment, and then an edit that neither size nor time tells of.
		env := w.run(w.dir, "goat", "--base=main", "env")
		script := filepath.Join(w.bin, "env.sh")
		if err := os.WriteFile(script, []byte(env), 0o666); err != nil {
			t.Fatal(err)
		}
		w.edit()
		w.age(w.root, when)
		said, failed := w.attempt("edit", "sh", "-c", ". "+script+" && go build -o "+filepath.Join(w.bin, "stale")+" .")
		if !failed || !strings.Contains(said, "changed since the plan") {
			t.Errorf("failed: %v\n%s", failed, said)
		}
		// The cache, too.
		w.age(w.cache, when)
		w.right("an aged cache")
	}
}

// age gives all files below dir a time.
func (w *workshop) age(dir string, when time.Time) {
	w.Helper()
	for name := range snapshotOf(w.T, dir) {
		if err := os.Chtimes(filepath.Join(dir, name), when, when); err != nil {
			w.Fatal(err)
		}
	}
}
