//go:build cgo && !goat_nocore && (linux || darwin) && (amd64 || arm64)

package native_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/goat-trace/goat/go/internal/native"
)

func TestRun(t *testing.T) {
	answer, status, err := native.Run([]byte(`{"format":1,"op":"version"}`))
	if err != nil || status != native.StatusOK || !bytes.Contains(answer, []byte(native.Version())) {
		t.Errorf("%s, %d, %v", answer, status, err)
	}
	for _, request := range [][]byte{nil, {}, []byte("x"), []byte("\xff")} {
		answer, status, err := native.Run(request)
		if err != nil || status != native.StatusError || !bytes.HasPrefix(answer, []byte(`{"error":`)) {
			t.Errorf("%q: %s, %d, %v", request, answer, status, err)
		}
	}
}

func TestAnswersAreCopies(t *testing.T) {
	first, _, _ := native.Run([]byte(`{"format":1,"op":"version"}`))
	kept := bytes.Clone(first)
	var group sync.WaitGroup
	for range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			for range 50 {
				_, _, _ = native.Run([]byte("other"))
			}
		}()
	}
	group.Wait()
	if !bytes.Equal(first, kept) {
		t.Errorf("the answer changed to %s", first)
	}
}

func TestStamp(t *testing.T) {
	if len(native.Stamp()) != 64 || native.ABI() != 1 || native.Version() == "" {
		t.Errorf("%q %d %q", native.Stamp(), native.ABI(), native.Version())
	}
}

// Whoever builds goat before the core is told so in one readable line.
func TestWithoutTheCoreTheCompilerSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"core.go", "goat.h", "native.go"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.com/native\n\ngo 1.23\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "CGO_ENABLED=1", "GOFLAGS=", "GOWORK=off")
	out, err := build.CombinedOutput()
	if err == nil {
		t.Fatal("it builds without the core")
	}
	want := "the Rust core is not built: run `make core`, or build with -tags goat_nocore"
	if !strings.Contains(string(out), want) {
		t.Errorf("%q is missing in\n%s", want, out)
	}
	if strings.Contains(string(out), "cannot find -lgoat") {
		t.Errorf("the linker's noise:\n%s", out)
	}
}
