//go:build unix

package reload_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/checks/reload"
	"github.com/goat-trace/goat/go/internal/gate/settings/settingstest"
)

// The test binary is the program, too: with an argument it reads a file again and again,
// rightly or with one of the usual faults.
func TestMain(m *testing.M) {
	if len(os.Args) > 3 && os.Args[1] == "serve" {
		program(os.Args[2], os.Args[3], os.Args[4])
		return
	}
	os.Exit(m.Run())
}

type state struct {
	Greeting string `json:"greeting"`
	Version  int    `json:"version"`
}

// program serves the configuration of a file. How says what it does wrong.
func program(how, address, path string) {
	if how == "deaf" {
		signal.Ignore(syscall.SIGTERM)
	}
	var now atomic.Pointer[state]
	version, seen, inode := 0, "", inodeOf(path)
	load := func() error {
		text, err := os.ReadFile(path)
		sum := sha256.Sum256(text)
		if digest := hex.EncodeToString(sum[:]); err != nil || digest == seen && how != "eager" {
			return err
		} else if seen = digest; how == "eager" && inodeOf(path) == inode && version > 0 {
			return nil
		}
		inode = inodeOf(path)
		var read state
		if err := json.Unmarshal(text, &read); err != nil && how != "careless" {
			return err
		}
		version++
		read.Version = version
		now.Store(&read)
		if version > 1 {
			fmt.Println("reloaded", read.Greeting)
		}
		return nil
	}
	if err := load(); err != nil {
		fmt.Fprintln(os.Stderr, "bad configuration:", err)
		os.Exit(3)
	}
	go func() {
		for ; ; time.Sleep(5 * time.Millisecond) {
			if how == "inode" && inodeOf(path) != inode {
				return // its watch is on the file that was there first
			}
			if err := load(); err != nil && how == "fragile" {
				os.Exit(4)
			}
		}
	}()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		panic(err)
	}
	fmt.Println("up")
	_ = http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(now.Load())
	}))
}

func inodeOf(path string) uint64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Sys().(*syscall.Stat_t).Ino
}

func freePort(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// look plays the events on the program with a fault.
func look(t *testing.T, how, more string) gate.Finding {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "app.json"), []byte("{\"greeting\": \"hello\"}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	address := freePort(t)
	text := fmt.Sprintf("{command: [%q, serve, %s, %q, app.json], file: app.json, within: 1500ms, quiet: 200ms%s}", os.Args[0], how, address,
		strings.ReplaceAll(more, "URL", "http://"+address))
	s, err := settingstest.Decode[reload.Settings](t, text)
	if err != nil {
		t.Fatal(text, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	f := (&reload.Check{Settings: s, Dir: dir}).Look(ctx)
	if left, err := os.ReadFile(filepath.Join(dir, "app.json")); err != nil || string(left) != "{\"greeting\": \"hello\"}\n" {
		t.Errorf("the user's own file: %q, %v", left, err)
	}
	if listener, err := net.Listen("tcp", address); err != nil {
		t.Error("the program was left behind")
	} else {
		_ = listener.Close()
	}
	return f
}

func all(f gate.Finding) string {
	var b strings.Builder
	for _, r := range f.Reasons {
		fmt.Fprintf(&b, "%s %s\n", r.Verdict, r.Message)
	}
	if f.Misconfigured != nil {
		fmt.Fprintln(&b, "misconfigured:", f.Misconfigured)
	}
	return b.String()
}

const (
	byValue   = ", observe: {url: URL, path: greeting}"
	byVersion = ", observe: {url: URL, path: version}, old: hello, new: 'hello $n'"
	byLog     = ", observe: {log: '^reloaded'}, ready: '^up$', old: hello, new: 'hello $n'"
)

func TestPrograms(t *testing.T) {
	for _, c := range []struct {
		name, how, more string
		want            gate.Verdict
		says            []string
	}{
		{"right, by value", "right", byValue, gate.Pass, []string{
			"write: reloaded", "truncate: reloaded", "rename: reloaded", "recreate: reloaded", "swap: reloaded", "double-swap: reloaded", "permission: ",
			"invalid: the old configuration is kept", "invalid: reloaded after the file was valid again", "identical: no reload", "directory: reloaded",
		}},
		{"right, by version", "right", byVersion, gate.Pass, []string{"identical: no reload"}},
		{"right, by its log", "right", byLog, gate.Pass, []string{"rename: reloaded", "identical: no reload"}},
		{"watches the inode", "inode", byValue + ", events: [write, rename, directory]", gate.Fail, []string{
			"pass write: reloaded", "fail rename: no reload within 1.5s", "fail rename: the watcher is dead afterwards", "fail directory: no reload",
		}},
		{"takes what is invalid", "careless", byVersion + ", events: [invalid]", gate.Fail, []string{"fail invalid: the old configuration is not kept"}},
		{"dies of it", "fragile", byValue + ", events: [invalid, write]", gate.Fail, []string{"fail invalid: the program ended when the file became invalid", "pass write: reloaded"}},
		{"reloads for nothing", "eager", byVersion + ", events: [identical]", gate.Fail, []string{"fail identical: a reload although the content is the same"}},
		{"ignores SIGTERM", "deaf", byValue + ", events: [rename]", gate.Pass, []string{"ignored SIGTERM for 2 s and was killed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := look(t, c.how, c.more)
			for _, says := range c.says {
				if !strings.Contains(all(f), says) {
					t.Errorf("no %q", says)
				}
			}
			if f.Verdict() != c.want {
				t.Errorf("%s, want %s", f.Verdict(), c.want)
			}
			if t.Failed() {
				t.Log(all(f))
			}
		})
	}
}

func TestAProgramThatDoesNotStart(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	for command, says := range map[string]string{
		"[/no/such/program, f]":                       "misconfigured: check.config.command: the program cannot be started",
		"[sh, -c, 'echo no luck with $0; exit 7', f]": "the program ended before it was up (exit status 7): no luck with",
	} {
		s, err := settingstest.Decode[reload.Settings](t, "{command: "+command+", file: f, observe: {url: 'http://127.0.0.1:1'}, events: [write]}")
		if err != nil {
			t.Fatal(err)
		}
		f := (&reload.Check{Settings: s, Dir: dir}).Look(context.Background())
		if f.Verdict() != gate.Error || !strings.Contains(all(f), says) {
			t.Errorf("%s: %s", command, all(f))
		}
	}
	s, err := settingstest.Decode[reload.Settings](t, "{command: [true, g], file: g, observe: {log: x}}")
	if err != nil {
		t.Fatal(err)
	}
	if f := (&reload.Check{Settings: s, Dir: dir}).Look(context.Background()); !strings.Contains(all(f), "misconfigured: check.config.file: open") {
		t.Error(all(f))
	}
}

func TestImpossibleSettings(t *testing.T) {
	for settings, says := range map[string]string{
		"{}":                            "command is missing",
		"{command: [a, f]}":             "file is missing",
		"{snapshot: {file: f}}":         "snapshot: url is missing",
		"{snapshot: {url: 'http://h'}}": "snapshot: file is missing",
		"{file: f, snapshot: {url: h}}": "is not a URL",
		"{file: f, events: [write], keys: {files: [f]}}":                 "observe and events are about a program",
		"{keys: {files: [f], ignore: ['[']}}":                            "is no glob",
		"{keys: {files: [f], max: -1}}":                                  "max",
		"{command: [a, f], file: f}":                                     "observe needs one of url and log",
		"{command: [a, b], file: f, observe: {log: x}}":                  "does not name the file",
		"{command: [a, f], file: f, observe: {log: '('}}":                "missing closing )",
		"{command: [a, f], file: f, observe: {log: x}, old: a}":          "old and new belong together",
		"{command: [a, f], file: f, observe: {log: x}, events: [renam]}": `"renam" is none of write, truncate`,
	} {
		if _, err := settingstest.Decode[reload.Settings](t, settings); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", settings, err, says)
		}
	}
}
