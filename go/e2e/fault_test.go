//go:build linux

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// workshop is a module whose builds are disturbed. Whatever happens to one, a plain
// build and a goat build afterwards are right, the tree is as it was, and nothing is
// left behind.
type workshop struct {
	*session
	tmp, cache, bin string
	// value is what the program prints; every edit gives it another one.
	value int
}

const workshopPackages = 4

// A test waits this long for something that takes milliseconds on a busy machine.
const patience = time.Minute

// newWorkshop makes the module; flags are those of the goat build that is asked after.
func newWorkshop(t *testing.T) *workshop {
	t.Helper()
	c := &testCase{header: map[string][]string{}, trees: map[string]map[string][]byte{"base": workshopTree(0), "release": workshopTree(1)}}
	w := &workshop{session: look(t).newSession(t, c), tmp: t.TempDir(), cache: t.TempDir(), bin: t.TempDir(), value: 1}
	w.env = append(w.env, "TMPDIR="+w.tmp, "GOAT_CACHE="+w.cache, "GOFLAGS=-buildvcs=false", "GOAT_SPOOL=")
	return w
}

// workshopTree is the module in which every package says value.
func workshopTree(value int) map[string][]byte {
	tree := map[string][]byte{"go.mod": []byte("module example.com/app\n\ngo 1.23\n")}
	imports, sum := "", ""
	for i := range workshopPackages {
		next := ""
		if i > 0 {
			next = fmt.Sprintf("import \"example.com/app/p%d\"\n\n", i-1)
		}
		text := fmt.Sprintf("package p%d\n\n%s// F says it.\nfunc F() int {\n\tn := %d\n", i, next, value)
		if i > 0 {
			text += fmt.Sprintf("\tn += p%d.F()\n", i-1)
		}
		tree[fmt.Sprintf("p%d/p.go", i)] = []byte(text + "\treturn n\n}\n")
		imports += fmt.Sprintf("\t\"example.com/app/p%d\"\n", i)
		sum += fmt.Sprintf(", p%d.F()", i)
	}
	tree["main.go"] = []byte("package main\n\nimport (\n\t\"fmt\"\n\n" + imports + ")\n\nfunc main() { fmt.Println(\"values\"" + sum + ") }\n")
	tree["p0/p_test.go"] = []byte("package p0\n\nimport \"testing\"\n\nfunc TestF(t *testing.T) {\n\tif F() == 0 {\n\t\tt.Fatal()\n\t}\n}\n")
	return tree
}

// edit changes every package, so that there is something to compile.
func (w *workshop) edit() {
	w.Helper()
	w.value++
	for name, text := range workshopTree(w.value) {
		if err := os.WriteFile(filepath.Join(w.root, name), text, 0o666); err != nil {
			w.Fatal(err)
		}
	}
}

// want is what the program prints.
func (w *workshop) want() string {
	text := "values"
	for i := range workshopPackages {
		text += " " + strconv.Itoa(w.value*(i+1))
	}
	return text + "\n"
}

// right checks everything that must hold after a disturbance. leftovers are patterns
// of what may lie in the directory for temporary files.
func (w *workshop) right(what string, leftovers ...string) {
	w.Helper()
	w.plainRight(what)
	w.goatRight(what)
	w.clean(what, leftovers...)
}

// plainRight builds with plain go.
func (w *workshop) plainRight(what string) {
	w.Helper()
	plain := filepath.Join(w.bin, "plain")
	w.run(w.dir, "go", "build", "-o", plain, ".")
	if got := w.run(w.dir, plain); got != w.want() {
		w.Fatalf("%s: the plain program says %q, want %q", what, got, w.want())
	}
	if text, err := os.ReadFile(plain); err != nil || bytes.Contains(text, []byte("goat_acc")) || bytes.Contains(text, []byte("goat/rt")) {
		w.Fatalf("%s: the plain program holds a trace of goat (%v)", what, err)
	}
}

// goatRight builds with goat: every point is there and hit.
func (w *workshop) goatRight(what string) {
	w.Helper()
	tracked := filepath.Join(w.bin, "tracked")
	w.run(w.dir, "goat", "--base=main", "build", "-o", tracked, ".")
	w.evidence(what, tracked)
}

// evidence runs a program and looks whether all points are in it, and hit.
func (w *workshop) evidence(what, program string) {
	w.Helper()
	spool := w.TempDir()
	run := exec.Command(program)
	run.Env = append(w.env[:len(w.env):len(w.env)], "GOAT_SPOOL="+spool)
	if got, err := run.Output(); err != nil || string(got) != w.want() {
		w.Fatalf("%s: the tracked program says %q (%v), want %q", what, got, err, w.want())
	}
	var report struct {
		Summary struct{ Points, Hit int }
		Points  []struct{ File string }
	}
	if err := json.Unmarshal([]byte(w.run(w.dir, "goat", "report", "--format=json", spool)), &report); err != nil {
		w.Fatal(err)
	}
	files := map[string]bool{}
	for _, p := range report.Points {
		files[p.File] = true
	}
	if s := report.Summary; s.Hit != s.Points || len(files) != workshopPackages {
		w.Fatalf("%s: %d of %d points hit in %d files, want all in %d", what, s.Hit, s.Points, len(files), workshopPackages)
	}
}

// clean checks that tree and temporary files are as they were.
func (w *workshop) clean(what string, leftovers ...string) {
	w.Helper()
	w.treeClean(what)
	entries, err := os.ReadDir(w.tmp)
	if err != nil {
		w.Fatal(err)
	}
	for _, entry := range entries {
		known := slices.ContainsFunc(leftovers, func(pattern string) bool {
			ok, _ := filepath.Match(pattern, entry.Name())
			return ok
		})
		if !known {
			w.Fatalf("%s: left in TMPDIR: %s", what, entry.Name())
		}
		if err := os.RemoveAll(filepath.Join(w.tmp, entry.Name())); err != nil {
			w.Fatal(err)
		}
	}
}

// treeClean checks that git sees nothing but the edits.
func (w *workshop) treeClean(what string) {
	w.Helper()
	for _, line := range strings.Split(strings.TrimRight(w.run(w.root, "git", "status", "--porcelain", "--ignored"), "\n"), "\n") {
		if line != "" && !strings.HasPrefix(line, " M p") {
			w.Fatalf("%s: git status says %q", what, line)
		}
	}
}

// disturbed is a command that runs in a process group of its own.
type disturbed struct {
	cmd   *exec.Cmd
	out   bytes.Buffer
	ended chan struct{}
}

func (w *workshop) start(args ...string) *disturbed {
	w.Helper()
	path := args[0]
	if path == "goat" {
		path = w.goat()
	}
	d := &disturbed{cmd: exec.Command(path, args[1:]...), ended: make(chan struct{})}
	d.cmd.Dir, d.cmd.Env = w.dir, w.env
	d.cmd.Stdout, d.cmd.Stderr = &d.out, &d.out
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := d.cmd.Start(); err != nil {
		w.Fatal(err)
	}
	go func() { _ = d.cmd.Wait(); close(d.ended) }()
	return d
}

// members are the processes of the group that run a program and have the text in their
// command line.
func (d *disturbed) members(program, text string) []int {
	names, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	var found []int
	for _, name := range names {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err != nil || pid == d.cmd.Process.Pid {
			continue
		}
		line, err := os.ReadFile(name)
		if err != nil || !strings.Contains(strings.ReplaceAll(string(line), "\x00", " "), text) {
			continue
		}
		comm, _ := os.ReadFile(filepath.Join(filepath.Dir(name), "comm"))
		if program != "" && strings.TrimSpace(string(comm)) != program {
			continue
		}
		if group, err := syscall.Getpgid(pid); err == nil && group == d.cmd.Process.Pid {
			found = append(found, pid)
		}
	}
	return found
}

// gone waits until no process of the group is left.
func (w *workshop) gone(d *disturbed) {
	w.Helper()
	deadline := time.Now().Add(patience)
	for {
		select {
		case <-d.ended:
		case <-time.After(patience):
			w.Fatalf("%v does not end", d.cmd.Args)
		}
		if err := syscall.Kill(-d.cmd.Process.Pid, 0); errors.Is(err, syscall.ESRCH) {
			return
		}
		if time.Now().After(deadline) {
			w.Fatalf("%v leaves processes behind: %v", d.cmd.Args, d.members("", ""))
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// number is an integer from the environment.
func number(t *testing.T, name string, fallback int) int {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		return fallback
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// victim is whom a signal is for: a process by program and command line; without a
// program the command itself, and as "group" all of them, as by Ctrl-C on a terminal.
type victim struct{ name, program, text string }

var victims = []victim{{name: "the command"}, {name: "the group"}, {"go", "go", ""}, {"the helper", "goat", "toolexec"}}

// strike sends the signal to the victim as soon as it is there, and says whom it was
// sent to.
func (d *disturbed) strike(v victim, signal syscall.Signal, r *rand.Rand) string {
	target := d.cmd.Process.Pid
	if v.name == "the group" {
		target = -target
	}
	for v.program != "" {
		if pids := d.members(v.program, v.text); len(pids) > 0 {
			target = pids[r.IntN(len(pids))]
			break
		}
		select {
		case <-d.ended:
			return "nobody"
		case <-time.After(time.Millisecond):
		}
	}
	_ = syscall.Kill(target, signal)
	return v.name
}

// TestKilledBuilds ends builds at random moments, by SIGINT and SIGKILL, of goat, of
// go, of a helper and of all together. GOAT_FAULTS says how often (default 10),
// GOAT_FAULT_SEED repeats a run as far as the machine lets it.
func TestKilledBuilds(t *testing.T) {
	w := newWorkshop(t)
	seed := number(t, "GOAT_FAULT_SEED", int(time.Now().UnixNano()%1_000_000))
	r := rand.New(rand.NewPCG(uint64(seed), 1))
	began := time.Now()
	w.right("before all")
	usual := time.Since(began) / 2
	doors := [][]string{
		{"goat", "--base=main", "build", "-o", filepath.Join(w.bin, "killed"), "."},
		{"goat", "--base=main", "test", "./..."},
		{"sh", "-c", `eval "$(` + w.goat() + ` --base=main env)" && go build -o ` + filepath.Join(w.bin, "killed") + ` .`},
		{"go", "build", "-toolexec", w.goat() + " toolexec", "-o", filepath.Join(w.bin, "killed"), "."},
		{"goat", "--base=main", "generate"},
	}
	w.env = append(w.env, "GOAT_BASE=main")
	count := map[string]int{}
	for round := range number(t, "GOAT_FAULTS", 10) {
		door := doors[round%len(doors)]
		v, signal := victims[r.IntN(len(victims))], []syscall.Signal{syscall.SIGINT, syscall.SIGKILL}[r.IntN(2)]
		after := time.Duration(r.Int64N(int64(usual))) * 3 / 4
		if door[len(door)-1] == "generate" {
			v, after = victims[r.IntN(2)], after/10
		}
		w.edit()
		d := w.start(door...)
		hit := "nobody"
		select {
		case <-d.ended:
		case <-time.After(after):
			hit = d.strike(v, signal, r)
		}
		count[fmt.Sprintf("%v of %s", signal, hit)]++
		w.gone(d)
		what := fmt.Sprintf("seed %d, round %d: %v of %s after %v in %v", seed, round, signal, hit, after, door[:min(3, len(door))])
		if door[len(door)-1] == "generate" {
			w.generated(what)
		}
		var leftovers []string
		if hit != "nobody" && hit != "the helper" && (hit != "the command" || door[0] != "goat" || signal == syscall.SIGINT) {
			// The signal has reached go. What it leaves then is go's own: go build does not
			// even clear up after Ctrl-C.
			leftovers = []string{"go-build*", "go-link-*", "args*"}
		}
		w.right(what, leftovers...)
	}
	t.Logf("seed %d: %v", seed, count)
}

// generated checks a tree in which `goat generate` was killed: plain go builds it, goat
// does, and generating again makes it whole. Then it takes out what was generated.
func (w *workshop) generated(what string) {
	w.Helper()
	plain := filepath.Join(w.bin, "plain")
	w.run(w.dir, "go", "build", "-o", plain, ".")
	if got := w.run(w.dir, plain); got != w.want() {
		w.Fatalf("%s: the plain program says %q, want %q", what, got, w.want())
	}
	w.goatRight(what)
	w.run(w.dir, "goat", "--base=main", "generate")
	if entries, _ := filepath.Glob(filepath.Join(w.root, ".goat", "*")); len(entries) != 4 {
		w.Fatalf("%s: .goat holds %v", what, entries)
	}
	w.run(w.root, "git", "clean", "-fdq")
}
