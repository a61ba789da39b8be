package goatrt_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/goat-trace/goat/go/internal/hook"
	"github.com/goat-trace/goat/go/internal/rtsource"
	"github.com/goat-trace/goat/go/internal/spool"
)

// The tests of this file run testdata/program: a module of its own with packages
// in the shape that instrumentation gives them, a hook, and a copy of the
// runtime as rtsource hands it out.

var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "goatrt"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

var (
	laying sync.Once
	layErr error

	building sync.Mutex
	built    = map[string]string{}
)

// layOut writes the module once.
func layOut() {
	layErr = func() error {
		dir := filepath.Join(scratch, "program")
		if err := os.CopyFS(dir, os.DirFS("testdata/program")); err != nil {
			return err
		}
		files, err := rtsource.Files("example.com/app/goat", "goat", hook.PprofDir)
		if err != nil {
			return err
		}
		for name, text := range files {
			path := filepath.Join(dir, "goat", filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(path, text, 0o644); err != nil {
				return err
			}
		}
		return nil
	}()
}

// build returns the program built with some tags and flags.
func build(t *testing.T, tags string, flags ...string) string {
	t.Helper()
	laying.Do(layOut)
	if layErr != nil {
		t.Fatal(layErr)
	}
	building.Lock()
	defer building.Unlock()
	key := tags + strings.Join(flags, " ")
	if path := built[key]; path != "" {
		return path
	}
	path := filepath.Join(scratch, fmt.Sprintf("bin%d", len(built)))
	// Only package runtime may name the function that registers exit hooks; goat's
	// helper does so from an object of its own.
	args := append([]string{"build", "-ldflags=-checklinkname=0", "-tags=" + tags, "-o", path}, flags...)
	cmd := exec.Command("go", append(args, ".")...)
	cmd.Dir = filepath.Join(scratch, "program")
	// As users build: a compiler experiment of these tests makes other code.
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "GOEXPERIMENT=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	built[key] = path
	return path
}

// program is one run.
type program struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout *bufio.Reader
	stdin  io.WriteCloser
	stderr *bytes.Buffer
	first  chan string // the first line of standard error
	read   chan struct{}
}

// start runs the program with environment variables and arguments.
func start(t *testing.T, binary string, environment []string, args ...string) *program {
	t.Helper()
	return startWith(t, func(*exec.Cmd) {}, binary, environment, args...)
}

// startWith is start, and lets the command be changed before.
func startWith(t *testing.T, change func(*exec.Cmd), binary string, environment []string, args ...string) *program {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Dir = t.TempDir()
	change(cmd)
	cmd.Env = append(cleanEnv(), environment...)
	p := &program{t: t, cmd: cmd, stderr: &bytes.Buffer{}, first: make(chan string, 1), read: make(chan struct{})}
	p.stdin, _ = cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	p.stdout = bufio.NewReader(out)
	errs, _ := cmd.StderrPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.readErrors(errs)
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return p
}

// cleanEnv is the environment without what would configure the runtime. A busy
// machine must not end the startup phase.
func cleanEnv() []string {
	env := []string{"GOAT_STARTUP=1h"}
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "GOAT_") && !strings.HasPrefix(pair, "TEST_") {
			env = append(env, pair)
		}
	}
	return env
}

func (p *program) readErrors(r io.Reader) {
	defer close(p.read)
	defer close(p.first)
	lines := bufio.NewReader(r)
	for n := 0; ; n++ {
		line, err := lines.ReadString('\n')
		p.stderr.WriteString(line)
		if n == 0 && line != "" {
			p.first <- strings.TrimSuffix(line, "\n")
		}
		if err != nil {
			return
		}
	}
}

// tell has a program that waits obey one command, and returns its answer.
func (p *program) tell(command string) string {
	p.t.Helper()
	if _, err := io.WriteString(p.stdin, command+"\n"); err != nil {
		p.t.Fatal(err)
	}
	var answer strings.Builder
	for {
		line, err := p.stdout.ReadString('\n')
		if err != nil {
			p.t.Fatalf("%s: %v\n%s", command, err, p.stderr)
		}
		if line == "done\n" {
			return strings.TrimSpace(answer.String())
		}
		answer.WriteString(line)
	}
}

// end closes the program's input and returns its exit code and standard error.
func (p *program) end() (code int, stderr string) {
	p.t.Helper()
	_ = p.stdin.Close()
	<-p.read
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode(), p.stderr.String()
}

var listens = regexp.MustCompile(`listening on (\S+) `)

// address reads where the program listens from the one line.
func (p *program) address() string {
	p.t.Helper()
	line := <-p.first
	match := listens.FindStringSubmatch(line)
	if match == nil {
		p.t.Fatalf("no address in %q", line)
	}
	return match[1]
}

// serve starts the program with the server and has it wait.
func serve(t *testing.T, environment ...string) (p *program, base string) {
	t.Helper()
	env := append([]string{"GOAT_ADDR=127.0.0.1:0"}, environment...)
	p = start(t, build(t, "with_server"), env, "wait")
	return p, "http://" + p.address()
}

// ask sends a request; header is name, value, name, value ….
func ask(t *testing.T, method, url string, header ...string) (status int, body string, h http.Header) {
	t.Helper()
	request, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			request.Host = header[i+1]
		}
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text), response.Header
}

// get is ask for an answer that must be 200.
func get(t *testing.T, url string) string {
	t.Helper()
	status, body, _ := ask(t, "GET", url)
	if status != 200 {
		t.Fatalf("GET %s: %d\n%s", url, status, body)
	}
	return body
}

// only returns the one spool file of a directory.
func only(t *testing.T, dir string) *spool.File {
	t.Helper()
	results, err := spool.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 1 || results[0].Err != nil {
		t.Fatalf("want one good spool file, got %+v", results)
	}
	return results[0].File
}

// hits counts the hit points whose id begins with a prefix.
func hits(f *spool.File, prefix string) int {
	n := 0
	for _, p := range f.Points {
		if p.Hit && strings.HasPrefix(p.ID, prefix) {
			n++
		}
	}
	return n
}

// names lists a directory.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return mapped(entries)
}

func mapped(entries []fs.DirEntry) []string {
	var list []string
	for _, entry := range entries {
		list = append(list, entry.Name())
	}
	return list
}
