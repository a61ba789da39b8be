//go:build linux

package e2e

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// foreign is a system other than this one, and what runs its programs here.
type foreign struct {
	goos, goarch string
	// runners are commands that may stand in front of the program; the first that is there.
	runners []string
	// path is what the program calls a directory of this machine.
	path   func(string) string
	env    []string
	suffix string
	// prepare makes the home that the runner wants.
	prepare func(t *testing.T, f foreign, runner, home string)
}

var foreigners = []foreign{
	{goos: "linux", goarch: "arm64", runners: []string{"qemu-aarch64-static", "qemu-aarch64"}, path: func(dir string) string { return dir }},
	{
		goos: "windows", goarch: "amd64", runners: []string{"wine64", "wine", "/usr/lib/wine/wine64"}, suffix: ".exe",
		path:    func(dir string) string { return "Z:" + strings.ReplaceAll(dir, "/", `\`) },
		env:     []string{"WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=;bcryptprimitives=n"},
		prepare: prepareWine,
	},
}

// runner is the command, or "" where this machine has none; a run that was asked for fails then.
func (f foreign) runner(t *testing.T) string {
	t.Helper()
	for _, name := range f.runners {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("nothing here runs programs of %s/%s: scripts/tools --install %s", f.goos, f.goarch, f.runners[0])
	return ""
}

// TestForeign runs instrumented programs of other systems: server, counters, spool, a kill,
// an ordinary end, os.Exit, and several at once in one spool directory.
func TestForeign(t *testing.T) {
	if os.Getenv("GOAT_FOREIGN") == "" {
		t.Skip("GOAT_FOREIGN is not set (make foreign sets it)")
	}
	for _, f := range foreigners {
		t.Run(f.goos+"-"+f.goarch, func(t *testing.T) {
			runner := f.runner(t)
			w := newWorkshop(t)
			if err := os.WriteFile(filepath.Join(w.root, "main.go"), []byte(servingProgram), 0o644); err != nil {
				t.Fatal(err)
			}
			w.env = append(w.env, "CGO_ENABLED=0", "GOOS="+f.goos, "GOARCH="+f.goarch)
			app := filepath.Join(t.TempDir(), "app"+f.suffix)
			w.run(w.dir, "goat", "--base=main", "build", "-o", app, ".")
			home := t.TempDir()
			if f.prepare != nil {
				f.prepare(t, f, runner, home)
			}
			for _, end := range []string{"exit", "kill"} {
				t.Run(end, func(t *testing.T) {
					spool := t.TempDir()
					p := f.start(t, runner, app, spool, home)
					for _, path := range []string{"/healthz", "/metrics", "/track"} {
						p.get(t, path)
					}
					p.end(t, end == "kill")
					left(t, w, spool, 1, end == "exit")
				})
			}
			t.Run("together", func(t *testing.T) { f.together(t, w, runner, app, home) })
			t.Run("os.Exit", func(t *testing.T) { f.exits(t, w, runner, home) })
		})
	}
}

// left holds a report of spools against what the processes did.
func left(t *testing.T, w *workshop, spool string, processes int, orderly bool) {
	t.Helper()
	var report struct {
		Instances []struct {
			State string
			Ended *struct{ Orderly bool }
		}
		Summary struct{ Points, Hit int }
	}
	text := w.run(w.dir, "goat", "report", spool, "--format", "json")
	if err := json.Unmarshal([]byte(text), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Instances) != processes || report.Summary.Hit == 0 {
		t.Fatalf("%d processes instead of %d, or no hit:\n%s", len(report.Instances), processes, text)
	}
	for _, in := range report.Instances {
		if in.State != "ended" && orderly || in.Ended != nil && in.Ended.Orderly != orderly {
			t.Errorf("a process is %s, %+v:\n%s", in.State, in.Ended, text)
		}
	}
}

// together: nobody takes away the spool of a process that lives, and that of one that was
// killed goes when its turn comes: its lock died with it.
func (f foreign) together(t *testing.T, w *workshop, runner, app, home string) {
	spool := t.TempDir()
	count := func() int {
		files, err := filepath.Glob(filepath.Join(spool, "*.spool"))
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	start := func() *process { return f.start(t, runner, app, spool, home, "GOAT_SPOOL_KEEP=1") }
	one, two := start(), start()
	two.get(t, "/healthz")
	if got := count(); got != 2 {
		t.Errorf("%d spools of two processes that live", got)
	}
	one.end(t, true)
	two.end(t, true)
	// Under wine the lock of a process that was killed is free when wine's server has seen
	// its end, which may take longer than the next process lives.
	got := 0
	for range 10 {
		start().end(t, false)
		if got = count(); got == 1 {
			break
		}
	}
	if got != 1 {
		t.Errorf("%d spools where one is to be kept, and nobody else lives", got)
	}
	left(t, w, spool, 1, true)
}

const exitingProgram = `package main

import "os"

var steps int

func last() {
	steps++
}

func main() {
	last()
	os.Exit(3)
}
`

// exits: what ran just before os.Exit is in the spool, and the exit code is the program's.
func (f foreign) exits(t *testing.T, w *workshop, runner, home string) {
	if err := os.WriteFile(filepath.Join(w.root, "main.go"), []byte(exitingProgram), 0o644); err != nil {
		t.Fatal(err)
	}
	app, spool := filepath.Join(t.TempDir(), "exits"+f.suffix), t.TempDir()
	w.run(w.dir, "goat", "--base=main", "build", "-o", app, ".")
	command := exec.Command(runner, app)
	command.Env = f.environment(home, spool)
	var ended *exec.ExitError
	if out, err := command.CombinedOutput(); !errors.As(err, &ended) || ended.ExitCode() != 3 {
		t.Fatalf("the program ends with %v\n%s", err, out)
	}
	report := w.run(w.dir, "goat", "report", spool)
	if !regexp.MustCompile(`\n(\d+) of (\d+) points ran\n$`).MatchString(report) || strings.Contains(report, "  no\n") {
		t.Errorf("not all of it ran:\n%s", report)
	}
	left(t, w, spool, 1, true)
}

func (f foreign) environment(home, spool string, more ...string) []string {
	env := append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "GOAT_SPOOL=" + f.path(spool), "GOAT_ADDR=127.0.0.1:0"}, f.env...)
	return append(env, more...)
}

// prepareWine makes a prefix. Debian's wine 8 lacks bcryptprimitives.dll, without which no
// program of Go 1.21 or newer starts: one whose only export forwards to an older function.
func prepareWine(t *testing.T, f foreign, runner, home string) {
	t.Helper()
	env := append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + home}, f.env...)
	wine := func(name string, args ...string) error {
		command := exec.Command(name, args...)
		command.Env = env
		return command.Run()
	}
	if err := wine(runner, "wineboot.exe", "--init"); err != nil {
		t.Fatalf("wine makes no prefix: %v", err)
	}
	t.Cleanup(func() {
		for _, name := range []string{"/usr/lib/wine/wineserver", "wineserver"} {
			if wine(name, "-k") == nil {
				_ = wine(name, "-w")
				return
			}
		}
	})
	system := filepath.Join(home, ".wine/drive_c/windows/system32")
	if _, err := os.Stat(filepath.Join(system, "bcryptprimitives.dll")); err == nil {
		return
	}
	dll := forwarder("bcryptprimitives.dll", "ProcessPrng", "ADVAPI32.SystemFunction036")
	if err := os.WriteFile(filepath.Join(system, "bcryptprimitives.dll"), dll, 0o755); err != nil {
		t.Fatal(err)
	}
}

// forwarder is a DLL for amd64 that holds nothing but one export, which is another's.
func forwarder(name, export, target string) []byte {
	const at, page = 0x1000, 0x200
	le := binary.LittleEndian
	words := func(b []byte, values ...uint32) []byte {
		for _, v := range values {
			b = le.AppendUint32(b, v)
		}
		return b
	}
	// The directory (40 bytes), the tables of addresses, names and ordinals, the texts.
	names := uint32(at + 40 + 4 + 4 + 4)
	exports := names + uint32(len(name)) + 1
	targets := exports + uint32(len(export)) + 1
	section := words(nil, 0, 0, 0, names, 1, 1, 1, at+40, at+44, at+48, targets, exports, 0)
	section = append(section, name+"\x00"+export+"\x00"+target+"\x00"...)
	size := uint32(len(section))
	section = append(section, make([]byte, page-len(section))...)

	head := append([]byte("MZ"), make([]byte, 58)...)
	head = append(words(head, 64), "PE\x00\x00"...)
	head = le.AppendUint16(head, 0x8664) // amd64
	head = le.AppendUint16(head, 1)      // sections
	head = words(head, 0, 0, 0)
	head = le.AppendUint16(head, 240)    // size of what follows
	head = le.AppendUint16(head, 0x2022) // a DLL
	head = le.AppendUint16(head, 0x20b)  // PE32+
	head = append(head, 0, 0)
	head = words(head, 0, page, 0, 0, 0)
	head = le.AppendUint64(head, 0x180000000)
	head = words(head, at, page, 6, 0, 6, 0, 2*at, page, 0)
	head = le.AppendUint16(head, 2)
	head = le.AppendUint16(head, 0x140)
	for _, reserve := range []uint64{0x100000, 0x1000, 0x100000, 0x1000} {
		head = le.AppendUint64(head, reserve)
	}
	head = words(head, 0, 16, at, size)
	head = append(head, make([]byte, 15*8)...)
	head = append(head, ".edata\x00\x00"...)
	head = words(head, size, at, page, page, 0, 0, 0, 0x40000040)
	return append(append(head, make([]byte, page-len(head))...), section...)
}

// process is a program of another system that listens.
type process struct {
	command *exec.Cmd
	address string
	input   io.Closer
	rest    *bufio.Scanner
	out     *strings.Builder
	words   *strings.Builder
}

func (f foreign) start(t *testing.T, runner, app, spool, home string, env ...string) *process {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(stop)
	p := &process{command: exec.CommandContext(ctx, runner, app), out: &strings.Builder{}, words: &strings.Builder{}}
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.command.Cancel = func() error { return syscall.Kill(-p.command.Process.Pid, syscall.SIGKILL) }
	p.command.Env = f.environment(home, spool, env...)
	var err error
	if p.input, err = p.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	p.command.Stdout = p.out
	said, err := p.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	p.rest = bufio.NewScanner(io.TeeReader(said, p.words))
	for p.address == "" && p.rest.Scan() {
		if match := listening.FindStringSubmatch(p.rest.Text()); match != nil {
			p.address = "http://" + match[1]
		}
	}
	if p.address == "" {
		t.Fatalf("the program names no address:\n%s", p.words)
	}
	return p
}

func (p *process) get(t *testing.T, path string) {
	t.Helper()
	client := http.Client{Timeout: 30 * time.Second}
	response, err := client.Get(p.address + path)
	if err != nil {
		t.Fatalf("%v\n%s", err, p.words)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("%s: %s", path, response.Status)
	}
}

// end closes the program's input, after which it ends by itself, or kills it.
func (p *process) end(t *testing.T, kill bool) {
	t.Helper()
	if kill {
		if err := syscall.Kill(-p.command.Process.Pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	_ = p.input.Close()
	for p.rest.Scan() {
		continue
	}
	err := p.command.Wait()
	if (err != nil) != kill || !kill && strings.TrimSpace(p.out.String()) != "release" {
		t.Errorf("the program says %q, %v\n%s", p.out, err, p.words)
	}
}
