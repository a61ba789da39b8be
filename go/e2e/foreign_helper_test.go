//go:build linux

package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// windowsGo is the newest Go for Windows that Debian's wine runs and proxies have.
const windowsGo = "golang.org/toolchain@v0.0.1-go1.26.11.windows-amd64"

// TestForeignHelper: a goat without its core is the helper of Go's own toolchain on Windows,
// with a plan that goat generate made here; the program it builds says what ran.
func TestForeignHelper(t *testing.T) {
	if os.Getenv("GOAT_FOREIGN") == "" {
		t.Skip("GOAT_FOREIGN is not set (make foreign sets it)")
	}
	windows := foreigners[len(foreigners)-1]
	runner, home := windows.runner(t), t.TempDir()
	windows.prepare(t, windows, runner, home)
	w := newWorkshop(t)
	helper := filepath.Join(t.TempDir(), "goat.exe")
	build := exec.Command("go", "build", "-o", helper, "./cmd/goat")
	build.Dir = filepath.Join(look(t).root, "go")
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w.run(w.dir, "goat", "--base=main", "generate")
	if err := os.RemoveAll(filepath.Join(w.root, ".git")); err != nil {
		t.Fatal(err)
	}
	spool := t.TempDir()
	wine := func(program string, args ...string) (string, error) {
		ctx, stop := context.WithTimeout(context.Background(), 15*time.Minute)
		defer stop()
		command := exec.CommandContext(ctx, runner, append([]string{windows.path(program)}, args...)...)
		command.Dir = w.dir
		command.Env = windows.environment(home, spool, "GOTOOLCHAIN=local", "GOPROXY=off", "CGO_ENABLED=0",
			"GOCACHE="+windows.path(filepath.Join(home, "cache")), "GOPATH="+windows.path(filepath.Join(home, "go")))
		out, err := command.CombinedOutput()
		return string(out), err
	}
	// Wine 8 cannot remove a file as go 1.25 and newer do: a plain go build ends so, too.
	const cannotRemove = `\a.out.exe: Invalid function.`
	command := []string{"build", "-toolexec", windows.path(helper) + " toolexec", "-o", "app.exe", "."}
	out, err := wine(filepath.Join(toolchain(t, windowsGo), "bin/go.exe"), command...)
	if err != nil && out == "" {
		// One time in four go.exe ended there without a word.
		out, err = wine(filepath.Join(toolchain(t, windowsGo), "bin/go.exe"), command...)
	}
	if err != nil && (strings.Count(out, "\n") > 1 || !strings.Contains(out, cannotRemove)) {
		t.Fatalf("go.exe build: %v\n%s", err, out)
	}
	if out, err := wine(filepath.Join(w.dir, "app.exe")); err != nil || out != w.want() {
		t.Fatalf("the program says %q, %v", out, err)
	}
	if report := w.run(w.dir, "goat", "report", spool); strings.Contains(report, "\n0 of ") || !strings.HasSuffix(report, " points ran\n") {
		t.Errorf("the report says:\n%s", report)
	}
}

// toolchain gets a Go as the go command does, and says where it is.
func toolchain(t *testing.T, module string) string {
	t.Helper()
	download := exec.Command("go", "mod", "download", "-json", module)
	download.Dir = t.TempDir()
	out, err := download.Output()
	var got struct{ Dir string }
	if err := errorsOf(err, json.Unmarshal(out, &got)); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return got.Dir
}
