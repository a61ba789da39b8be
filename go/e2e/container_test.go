//go:build linux

package e2e

import (
	"bufio"
	"context"
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

// unprivileged is the user of images that have no other (distroless calls it nonroot).
const unprivileged = 65532

const servingProgram = `package main

import (
	"fmt"
	"io"
	_ "net/http"
	"os"
)

func main() {
	fmt.Println("release")
	_, _ = io.Copy(io.Discard, os.Stdin)
}
`

var listening = regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`)

// TestEmptyRoot runs a tracked program where an image made FROM scratch would have it:
// the root holds nothing but the program, belongs to another user, there is no /tmp, no
// /etc/passwd, no /proc, no HOME. What it is asked for comes out; what cannot be written
// is said, and costs the program nothing.
func TestEmptyRoot(t *testing.T) {
	needRoot(t)
	w := newWorkshop(t)
	if err := os.WriteFile(filepath.Join(w.root, "main.go"), []byte(servingProgram), 0o644); err != nil {
		t.Fatal(err)
	}
	w.env = append(w.env, "CGO_ENABLED=0")
	root := t.TempDir()
	open(t, root)
	w.run(w.dir, "goat", "--base=main", "build", "-o", filepath.Join(root, "app"), ".")
	volume := filepath.Join(root, "spool")
	if err := os.Mkdir(volume, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(volume, unprivileged, unprivileged); err != nil {
		t.Fatal(err)
	}
	for name, spool := range map[string]string{"volume": "/spool", "nowhere": "/not/there", "read only": "/"} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithTimeout(context.Background(), time.Minute)
			defer stop()
			app := exec.CommandContext(ctx, "/app")
			app.Dir = "/"
			app.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: unprivileged, Gid: unprivileged}}
			app.Env = []string{"GOAT_SPOOL=" + spool, "GOAT_ADDR=127.0.0.1:0"}
			input, err := app.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			app.Stdout = &out
			said, err := app.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := app.Start(); err != nil {
				t.Fatal(err)
			}
			var words strings.Builder
			lines := bufio.NewScanner(io.TeeReader(said, &words))
			var address string
			for address == "" && lines.Scan() {
				if match := listening.FindStringSubmatch(lines.Text()); match != nil {
					address = "http://" + match[1]
				}
			}
			if address == "" {
				t.Fatalf("the program names no address:\n%s", words.String())
			}
			client := http.Client{Timeout: 10 * time.Second}
			for _, path := range []string{"/healthz", "/metrics", "/track"} {
				response, err := client.Get(address + path)
				if err != nil {
					t.Fatalf("%v\n%s", err, words.String())
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				if response.StatusCode != http.StatusOK {
					t.Errorf("%s: %s", path, response.Status)
				}
			}
			_ = input.Close()
			for lines.Scan() {
				continue
			}
			if err := app.Wait(); err != nil || out.String() != "release\n" {
				t.Errorf("the program says %q, %v\n%s", out.String(), err, words.String())
			}
			if name == "volume" {
				if report := w.run(w.dir, "goat", "report", volume); !strings.Contains(report, " ran") || strings.Contains(report, "0 of ") {
					t.Errorf("the report says:\n%s", report)
				}
			} else if !strings.Contains(words.String(), spool) {
				t.Errorf("nothing was said of %s:\n%s", spool, words.String())
			}
		})
	}
}
