package script

import (
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// A test waits this long for something that takes milliseconds on a busy machine.
const patience = 60 * time.Second

// process is a program that a script started and that runs beside it.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}

	mu      sync.Mutex
	output  []byte
	changed chan struct{}
}

// Write keeps what the program says and wakes who waits for it.
func (p *process) Write(data []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.output = append(p.output, data...)
	close(p.changed)
	p.changed = make(chan struct{})
	return len(data), nil
}

func (p *process) said() ([]byte, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output, p.changed
}

var _ io.Writer = (*process)(nil)

var processes sync.Map // script work directory + name -> *process

func processKey(ts *testscript.TestScript, name string) string {
	return ts.Getenv("WORK") + "\x00" + name
}

func find(ts *testscript.TestScript, name string) *process {
	p, ok := processes.Load(processKey(ts, name))
	if !ok {
		ts.Fatalf("no process %s", name)
	}
	return p.(*process)
}

// start NAME COMMAND...
func cmdStart(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start name command...")
	}
	path := args[1]
	if filepath.Base(path) != path {
		path = ts.MkAbs(path)
	}
	p := &process{cmd: exec.Command(path, args[2:]...), done: make(chan struct{}), changed: make(chan struct{})}
	p.cmd.Dir = ts.MkAbs(".")
	p.cmd.Env = Environ(ts)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	ts.Check(p.cmd.Start())
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	processes.Store(processKey(ts, args[0]), p)
	ts.Defer(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
	})
}

// Environ is the script's environment as far as programs need it.
func Environ(ts *testscript.TestScript) []string {
	env := []string{}
	for _, name := range []string{
		"PATH", "HOME", "TMPDIR", "WORK", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOENV", "GOFLAGS", "GOTOOLCHAIN",
		"GOAT_CACHE", "GOAT_ADDR", "GOAT_PORT", "GOAT_SPOOL", "GOAT_STARTUP", "GOAT_TOKEN", "GOAT_OFF", "GOAT_LANE", "GOAT_WINDOW",
		"GOAT_PPROF", "GOAT_PPROF_LABELS", "GOAT_PPROF_KEY",
	} {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// await NAME REGEXP [VARIABLE]: until the process has said it; the variable gets
// the first group.
func cmdAwait(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: await name regexp [variable]")
	}
	p, pattern := find(ts, args[0]), regexp.MustCompile(args[1])
	timeout := time.After(patience)
	for ended := false; ; {
		output, changed := p.said()
		if match := pattern.FindSubmatch(output); match != nil {
			if len(args) == 3 {
				ts.Setenv(args[2], string(match[1]))
			}
			return
		}
		if ended {
			ts.Fatalf("%s ended without %q:\n%s", args[0], args[1], output)
		}
		select {
		case <-changed:
		case <-p.done:
			ended = true
		case <-timeout:
			ts.Fatalf("%s did not say %q:\n%s", args[0], args[1], output)
		}
	}
}

// halt NAME [SIGNAL]: ends the process (SIGTERM) and prints how it ended. It is not called
// stop: testscript has that itself, and it ends the script.
func cmdHalt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: halt name [kill|int|term|quit]")
	}
	p, signal := find(ts, args[0]), syscall.SIGTERM
	if len(args) == 2 {
		signal = map[string]syscall.Signal{"kill": syscall.SIGKILL, "int": syscall.SIGINT, "term": syscall.SIGTERM, "quit": syscall.SIGQUIT}[args[1]]
	}
	ts.Check(p.cmd.Process.Signal(signal))
	cmdEnd(ts, neg, args[:1])
}

// end NAME: waits until the process is gone, and prints what it said.
func cmdEnd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: end name")
	}
	p := find(ts, args[0])
	select {
	case <-p.done:
	case <-time.After(patience):
		ts.Fatalf("%s does not end", args[0])
	}
	output, _ := p.said()
	_, err := ts.Stdout().Write(output)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s\n", p.cmd.ProcessState)
}
