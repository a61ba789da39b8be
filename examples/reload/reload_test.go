package main

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// events are those of goat check config, in its order.
var events = []string{"write", "truncate", "rename", "recreate", "swap", "double-swap", "permission", "invalid", "identical", "directory"}

// place copies what is needed to where another user may read it: permissions are nothing
// to root, so root's test is played by nobody.
func place(t *testing.T) (dir string, as *syscall.SysProcAttr) {
	t.Helper()
	dir, err := os.MkdirTemp("", "goat-reload-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	goat := os.Getenv("GOAT_BIN")
	if goat == "" {
		goat = "../../bin/goat"
	}
	for to, from := range map[string]string{"goat": goat} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, to), text, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "reload"), ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	return dir, as
}

// verdict is what is read of the answer of goat check.
type verdict struct {
	Checks []struct {
		Reasons []struct{ Verdict, Message, Query string }
	}
}

// failed are the events that a way of reloading fails.
func failed(t *testing.T, dir, way string, as *syscall.SysProcAttr) []string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	settings, err := os.ReadFile("goat.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(strings.ReplaceAll(string(settings), "127.0.0.1:8080", address), "-with viper", "-with "+way)
	// One after the other: both programs listen at one address.
	found := map[string]string{}
	for n, name := range []string{"value", "reloads"} {
		parts := strings.Split(text, "    - name: ")
		home := filepath.Join(dir, way+"-"+name)
		if err := os.Mkdir(home, 0o755); err != nil {
			t.Fatal(err)
		}
		for file, content := range map[string]string{
			"goat.yaml": strings.ReplaceAll(parts[0]+"    - name: "+parts[n+1], "./reload", "../reload"), "app.yaml": "greeting: hello\n", "go.mod": "module example.com/x\n",
		} {
			if err := os.WriteFile(filepath.Join(home, file), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command(filepath.Join(dir, "goat"), "check", "config", "--format", "json", "--retry", "0")
		cmd.Dir, cmd.SysProcAttr = home, as
		cmd.Env = append(os.Environ(), "HOME="+dir, "TMPDIR="+dir)
		var complaints bytes.Buffer
		cmd.Stderr = &complaints
		out, _ := cmd.Output()
		var answer verdict
		if err := json.Unmarshal(out, &answer); err != nil || len(answer.Checks) != 1 {
			t.Fatalf("%s: %v\n%s%s", way, err, out, complaints.String())
		}
		for _, reason := range answer.Checks[0].Reasons {
			if reason.Verdict == "error" {
				t.Fatalf("%s: %s", way, reason.Message)
			}
			event, _, _ := strings.Cut(reason.Message, ":")
			if reason.Verdict != "pass" || found[event] == "" {
				found[event] = reason.Verdict
			}
			if reason.Verdict != "pass" {
				t.Logf("%s: %s", way, reason.Message)
			}
		}
	}
	var bad []string
	for _, event := range events {
		switch found[event] {
		case "":
			t.Errorf("%s: %s was not played", way, event)
		case "fail":
			bad = append(bad, event)
		}
	}
	return bad
}

// The table of docs/check.md is what goat check config says of each way.
func TestTable(t *testing.T) {
	docs, err := os.ReadFile("../../docs/check.md")
	if err != nil {
		t.Fatal(err)
	}
	dir, as := place(t)
	for way := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			row := regexp.MustCompile("(?m)^\\| `" + way + "` \\|[^|]*\\| ([^|]*) \\|$").FindSubmatch(docs)
			if row == nil {
				t.Fatalf("docs/check.md has no row %s", way)
			}
			says := regexp.MustCompile("[a-z]+(-[a-z]+)?").FindAllString(string(row[1]), -1)
			if slices.Equal(says, []string{"none"}) {
				says = nil
			}
			if is := failed(t, dir, way, as); !slices.Equal(is, says) {
				t.Errorf("it fails %v, docs/check.md says %v", is, says)
			}
		})
	}
}
