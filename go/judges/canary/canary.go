// Package canary is what a judge has before it: a program whose release goat built, and
// goat check serve over its evidence, both as processes of their own.
package canary

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// The release changes two functions, and so has two points.
var sources = map[string]string{
	"go.mod": "module example.com/shop\n\ngo 1.23\n",
	"main.go": `package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
)

func main() {
	listener, err := net.Listen("tcp", os.Getenv("SHOP_ADDR"))
	if err != nil {
		panic(err)
	}
	fmt.Println("shop on", listener.Addr())
	http.HandleFunc("/one", func(w http.ResponseWriter, _ *http.Request) { one(w) })
	http.HandleFunc("/two", func(w http.ResponseWriter, _ *http.Request) { two(w) })
	_ = http.Serve(listener, nil)
}

func one(w http.ResponseWriter) { fmt.Fprintln(w, "one") }

func two(w http.ResponseWriter) { fmt.Fprintln(w, "two") }
`,
}

// built is the program, once for all tests of a process.
type built struct {
	goat, repo, program string
	err                 error
}

var build = sync.OnceValue(func() (b built) {
	b.err = b.make()
	return b
})

// Goat is the goat that is tried: GOAT_BIN, else bin/goat.
func Goat() (string, error) {
	path := os.Getenv("GOAT_BIN")
	if path == "" {
		path = "../../../bin/goat"
	}
	path, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(path)
	}
	return path, err
}

func (b *built) make() (err error) {
	if b.goat, err = Goat(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "goat-judges-")
	if err != nil {
		return err
	}
	b.repo, b.program = filepath.Join(dir, "repo"), filepath.Join(dir, "shop")
	if err := os.Mkdir(b.repo, 0o777); err != nil {
		return err
	}
	write := func() error {
		for name, text := range sources {
			if err := os.WriteFile(filepath.Join(b.repo, name), []byte(text), 0o666); err != nil {
				return err
			}
		}
		return nil
	}
	steps := [][]string{
		{"git", "init", "--quiet"}, {"git", "add", "."}, {"git", "commit", "--quiet", "--message", "v1"}, {"git", "tag", "v1"},
		nil, // the release is written
		{"git", "commit", "--quiet", "--all", "--message", "v2"}, {b.goat, "build", "-o", b.program, "."},
	}
	if err := write(); err != nil {
		return err
	}
	for _, step := range steps {
		if step == nil {
			sources["main.go"] = regexp.MustCompile(`"(one|two)"\) }`).ReplaceAllString(sources["main.go"], `"$1, again") }`)
			err = write()
		} else {
			err = b.run(step...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *built) run(args ...string) error {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = b.repo, b.environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

func (b *built) environ(more ...string) []string {
	env := append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
		"GOFLAGS=", "GOWORK=off", "GOAT_BASE=v1", "GOAT_STARTUP=0s", "GOAT_CHECK_RETRY=0")
	return append(env, more...)
}

// Main runs the tests of a package and removes the program; it gives the exit code.
func Main(m *testing.M) int {
	code := m.Run()
	if b := build(); b.repo != "" {
		_ = os.RemoveAll(filepath.Dir(b.repo))
	}
	return code
}

// Stage is one canary with its gate.
type Stage struct {
	// URL is the gate's.
	URL string

	t                  testing.TB
	built              built
	settings           []string
	shop, gate         *process
	web, evidence, own string // addresses: of the shop, of goat in it, of the gate
}

// New starts both. Settings are variables of the gate, as GOAT_CHECK_COVERAGE_INSTANCES=2.
func New(t testing.TB, settings ...string) *Stage {
	t.Helper()
	s := &Stage{t: t, built: build(), settings: settings, web: "127.0.0.1:0", evidence: "127.0.0.1:0", own: "127.0.0.1:0"}
	if s.built.err != nil {
		t.Fatal(s.built.err)
	}
	t.Cleanup(func() { s.StopGate(); s.StopCanary() })
	s.StartCanary()
	s.StartGate()
	return s
}

// StartCanary starts the shop where it was before, with nothing reached.
func (s *Stage) StartCanary() {
	s.t.Helper()
	s.shop = start(s.t, s.built.repo, s.built.environ("GOAT_ADDR="+s.evidence, "SHOP_ADDR="+s.web), s.built.program)
	s.evidence = s.shop.await(s.t, `goat: .*?(127\.0\.0\.1:\d+)`)
	s.web = s.shop.await(s.t, `shop on (\S+)`)
}

// StopCanary ends the shop.
func (s *Stage) StopCanary() { s.shop.stop() }

// Reach requests functions of the release: one, two.
func (s *Stage) Reach(names ...string) {
	s.t.Helper()
	for _, name := range names {
		response, err := http.Get("http://" + s.web + "/" + name)
		if err != nil {
			s.t.Fatal(err)
		}
		_ = response.Body.Close()
	}
}

// StartGate starts goat check serve where it was before.
func (s *Stage) StartGate() {
	s.t.Helper()
	s.gate = start(s.t, s.built.repo, s.built.environ(s.settings...), s.built.goat, "check", "serve", "http://"+s.evidence, "--addr", s.own, "--fresh", "0s")
	s.own = s.gate.await(s.t, `http://(127\.0\.0\.1:\d+)`)
	s.URL = "http://" + s.own
}

// StopGate ends it.
func (s *Stage) StopGate() { s.gate.stop() }

// process is a child, with what it has said.
type process struct {
	cmd   *exec.Cmd
	lines chan string
	said  []string
}

func start(t testing.TB, dir string, env []string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(args[0], args[1:]...), lines: make(chan string, 100)}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = dir, env, writer, writer
	err = p.cmd.Start()
	_ = writer.Close()
	if err != nil {
		t.Fatal(err)
	}
	go p.read(reader)
	return p
}

func (p *process) read(from io.ReadCloser) {
	defer from.Close()
	defer close(p.lines)
	for scanner := bufio.NewScanner(from); scanner.Scan(); {
		select {
		case p.lines <- scanner.Text():
		default: // nobody waits for so much
		}
	}
}

// await waits for a line and gives its first group.
func (p *process) await(t testing.TB, pattern string) string {
	t.Helper()
	wanted := regexp.MustCompile(pattern)
	for _, line := range p.said {
		if found := wanted.FindStringSubmatch(line); found != nil {
			return found[1]
		}
	}
	limit := time.After(time.Minute)
	for {
		select {
		case line, more := <-p.lines:
			if !more {
				t.Fatalf("it ended without %q:\n%s", pattern, strings.Join(p.said, "\n"))
			}
			p.said = append(p.said, line)
			if found := wanted.FindStringSubmatch(line); found != nil {
				return found[1]
			}
		case <-limit:
			t.Fatalf("no %q within a minute:\n%s", pattern, strings.Join(p.said, "\n"))
		}
	}
}

func (p *process) stop() {
	if p != nil && p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}
