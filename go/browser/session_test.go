package browser_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// session is the shop of examples, two releases of it, built with goat and running.
type session struct {
	repo, goat, page, json string
	serving, track         string
	report                 struct {
		Account []struct {
			File         string
			Line         int
			DeletedAfter *int
			State        string
			Reason       string
		}
		Files []struct{ File, Class, Reason string }
	}
}

var (
	shared  *session
	problem error
	once    sync.Once
	ending  []func()
)

func TestMain(m *testing.M) {
	code := m.Run()
	for i := len(ending) - 1; i >= 0; i-- {
		ending[i]()
	}
	os.Exit(code)
}

// theSession is made once, by the first test that wants it.
func theSession(t *testing.T) *session {
	t.Helper()
	once.Do(func() { shared, problem = newSession() })
	if problem != nil {
		t.Fatal(problem)
	}
	return shared
}

func newSession() (*session, error) {
	goat := os.Getenv("GOAT_BIN")
	if goat == "" {
		return nil, fmt.Errorf("GOAT_BIN names no goat to test: make build, then GOAT_BIN=$PWD/bin/goat")
	}
	dir, err := os.MkdirTemp("", "goat-browser")
	if err != nil {
		return nil, err
	}
	ending = append(ending, func() { os.RemoveAll(dir) })
	s := &session{repo: filepath.Join(dir, "shop"), goat: goat, page: filepath.Join(dir, "a page.html")}
	if err := s.build(dir); err != nil {
		return nil, err
	}
	if err := s.start(dir); err != nil {
		return nil, err
	}
	if err := s.traffic(); err != nil {
		return nil, err
	}
	// Both of one reading: a last hit may move between two.
	s.json, err = s.output(s.repo, s.goat, "report", s.track, "--format", "json", "--output", "html="+s.page)
	if err == nil {
		err = json.Unmarshal([]byte(s.json), &s.report)
	}
	return s, err
}

// build commits the shop's two releases and builds the second with goat.
func (s *session) build(dir string) error {
	if err := os.Mkdir(s.repo, 0o755); err != nil {
		return err
	}
	shop := filepath.Join("..", "..", "examples", "shop")
	for _, step := range []struct{ files, tag string }{{"base", "v1"}, {"release", "v2"}} {
		if _, err := s.output("", "cp", "-R", filepath.Join(shop, step.files)+"/.", s.repo); err != nil {
			return err
		}
		for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"commit", "-qm", step.tag}, {"tag", step.tag}} {
			if _, err := s.output(s.repo, "git", args...); err != nil {
				return err
			}
		}
	}
	_, err := s.output(s.repo, s.goat, "--base", "v1", "build", "-o", filepath.Join(dir, "canary"), ".")
	return err
}

func (s *session) output(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = environment()
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %v: %w\n%s", filepath.Base(name), args, err, &complaint)
	}
	return out.String(), nil
}

// environment is ours without what would change goat or git.
func environment() []string {
	env := []string{
		"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GOFLAGS=-buildvcs=false", "GOAT_ADDR=127.0.0.1:0",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
	}
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, "GOAT_") && !strings.HasPrefix(name, "GIT_") && name != "GOFLAGS" && name != "CGO_ENABLED" {
			env = append(env, variable)
		}
	}
	return env
}

// start starts the canary and waits for its two addresses.
func (s *session) start(dir string) error {
	cmd := exec.Command(filepath.Join(dir, "canary"), "-addr", "127.0.0.1:0")
	cmd.Env = environment()
	out, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	cmd.Stdout = cmd.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	ending = append(ending, func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	serving := regexp.MustCompile(`shop: listening on (\S+)`)
	track := regexp.MustCompile(`goat: .*(127\.0\.0\.1:\d+)`)
	lines := bufio.NewScanner(out)
	for (s.serving == "" || s.track == "") && lines.Scan() {
		if m := serving.FindStringSubmatch(lines.Text()); m != nil {
			s.serving = "http://" + m[1]
		} else if m := track.FindStringSubmatch(lines.Text()); m != nil {
			s.track = "http://" + m[1]
		}
	}
	if s.serving == "" || s.track == "" {
		return fmt.Errorf("the canary did not say where it listens: %w", lines.Err())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return nil
}

// traffic ends start-up and sends two orders; nobody asks for an invoice.
func (s *session) traffic() error {
	for _, request := range []struct{ url, body string }{
		{s.track + "/ready", ""},
		{s.serving + "/orders", `{"items":[{"name":"tea","price":350,"quantity":2}]}`},
		{s.serving + "/orders", `{"items":[{"name":"kettle","price":4900,"quantity":1}],"coupon":"WELCOME10"}`},
	} {
		answer, err := http.Post(request.url, "application/json", strings.NewReader(request.body))
		if err != nil {
			return err
		}
		answer.Body.Close()
		if answer.StatusCode >= 400 {
			return fmt.Errorf("%s: %s", request.url, answer.Status)
		}
	}
	return nil
}

func (s *session) get(t *testing.T, path string) {
	t.Helper()
	answer, err := http.Get(s.serving + path)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", path, answer.Status)
	}
}

// running is a goat ui.
type running struct {
	cmd     *exec.Cmd
	address string
}

func (s *session) ui(t *testing.T, flags ...string) *running {
	t.Helper()
	cmd := exec.Command(s.goat, append([]string{"ui", s.track, "--no-open"}, flags...)...)
	cmd.Dir, cmd.Env, cmd.Stderr = s.repo, environment(), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("goat ui printed no address: %v", err)
	}
	return &running{cmd, strings.TrimSpace(line)}
}

// stop is Ctrl-C; goat ui must end by itself, with 0.
func (r *running) stop(t *testing.T) {
	t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- r.cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("goat ui ended with %v", err)
		}
	case <-time.After(patience):
		t.Error("goat ui does not end")
	}
}
