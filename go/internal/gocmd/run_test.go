package gocmd

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The exit code and the output are those of go, and of the program that go runs.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module ex.com/m\n\ngo 1.21\n",
		"main.go": "package main\n\nimport \"os\"\n\nfunc main() {\n\tprintln(\"on stderr\")\n\tprint(\"\")\n\tos.Stdout.WriteString(\"on stdout\\n\")\n\tos.Exit(7)\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var out, errOut bytes.Buffer
	env := Environ(os.Environ()).With("GOFLAGS", "")
	code, err := Run(context.Background(), dir, env, []string{"run", "."}, Streams{Out: &out, Err: &errOut})
	if err != nil || code != 1 {
		t.Errorf("code %d, %v", code, err)
	}
	if out.String() != "on stdout\n" || errOut.String() != "on stderr\nexit status 7\n" {
		t.Errorf("stdout %q, stderr %q", out.String(), errOut.String())
	}
	code, err = Run(context.Background(), dir, env, []string{"build", "-nonsense"}, Streams{Out: &out, Err: &errOut})
	if err != nil || code != 2 {
		t.Errorf("a wrong flag: code %d, %v", code, err)
	}
}

// When the context ends, go is asked to stop, and Run returns after it.
func TestRunCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module ex.com/m\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.go"), []byte("package main\n\nfunc main() {}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	code, err := Run(ctx, dir, os.Environ(), []string{"build", "-a", "-o", filepath.Join(dir, "out"), "."}, Streams{})
	if err != nil || code == 0 {
		t.Errorf("code %d, %v", code, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "out")); err == nil {
		t.Error("a binary is left behind")
	}
}

func TestRunWithoutGo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := Run(context.Background(), ".", nil, nil, Streams{}); err != ErrNoGo {
		t.Errorf("%v", err)
	}
}

func TestLooking(t *testing.T) {
	for _, c := range []struct{ goflags, args, want string }{
		{"", "list -e -tags=a ./...", "list -e -tags=a ./..."},
		{"", "list -e -mod=mod ./...", "list -mod=readonly -e ./..."},
		{"", "list --mod=mod -e", "list -mod=readonly -e"},
		{"-trimpath -mod=mod", "list -e", "list -mod=readonly -e"},
		{"-mod=vendor", "list -e", "list -e"},
		{"-mod=mod", "env GOMODCACHE", "env GOMODCACHE"},
	} {
		got := Looking(Environ{"GOFLAGS=" + c.goflags}, strings.Fields(c.args))
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q %q: %q, want %q", c.goflags, c.args, got, c.want)
		}
	}
}
