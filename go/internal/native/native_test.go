//go:build cgo && !goat_nocore && (linux || darwin) && (amd64 || arm64)

package native_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
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

// What the library needs from the system is what the #cgo line names: rustc's list, as
// scripts/core left it beside the library. libc comes with every link; libgcc_s is no static
// library, and its unwinder comes from libgcc_eh where cgo links it. libgit2 brings its own
// zlib.
func TestLibraries(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("cgo's line of Linux")
	}
	listed, err := os.ReadFile(filepath.Join("lib", runtime.GOOS+"_"+runtime.GOARCH, "native-static-libs"))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("link.go")
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(source), "// #cgo linux LDFLAGS:")
	line, _, _ = strings.Cut(line, "\n")
	if named, needed := libraries(line, "-lgoat"), libraries(string(listed), "-lc", "-lgcc_s"); len(needed) == 0 || !slices.Equal(named, needed) {
		t.Errorf("the #cgo line names %v, rustc %v", named, needed)
	}
}

// libraries are the -l words of a text, sorted, each once, without some.
func libraries(text string, without ...string) []string {
	words := slices.DeleteFunc(strings.Fields(text), func(word string) bool {
		return !strings.HasPrefix(word, "-l") || slices.Contains(without, word)
	})
	slices.Sort(words)
	return slices.Compact(words)
}
