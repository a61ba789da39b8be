//go:build cgo && !goat_nocore

package goat_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goat-trace/goat/go"
)

func testRepository(t *testing.T) string {
	t.Helper()
	dir, remove := repository()
	t.Cleanup(remove)
	return dir
}

func TestPlanDocumentKeepsTheCoresFields(t *testing.T) {
	out := t.TempDir()
	result, err := goat.Plan(context.Background(), goat.Options{Dir: testRepository(t), Base: "v1", OutDir: out})
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(result.PlanDir) != out || filepath.Base(result.PlanDir) != result.PlanHash {
		t.Errorf("plan directory %s, hash %s", result.PlanDir, result.PlanHash)
	}
	text := string(result.Document())
	if strings.Contains(text, out) {
		t.Errorf("the document names a local directory: %s", text)
	}
	if !strings.HasPrefix(text, `{"format":1,"goat":`) {
		t.Errorf("the order of fields is lost: %.60s", text)
	}
	var document, directory map[string]any
	if err := json.Unmarshal(result.Document(), &document); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(filepath.Join(result.PlanDir, "plan.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(written, &directory); err != nil {
		t.Fatal(err)
	}
	// The seal is that of the file.
	delete(directory, "sum")
	for field := range directory {
		if document[field] == nil && directory[field] != nil {
			t.Errorf("%s of plan.json is missing in the document", field)
		}
	}
}

func TestPlanOfTheSameIsTheSame(t *testing.T) {
	dir := testRepository(t)
	var documents [][]byte
	for range 2 {
		result, err := goat.Plan(context.Background(), goat.Options{Dir: dir, Base: "v1"})
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, result.Document())
	}
	if !bytes.Equal(documents[0], documents[1]) {
		t.Errorf("%s\n%s", documents[0], documents[1])
	}
}

func TestCancelledBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := goat.Plan(ctx, goat.Options{Dir: testRepository(t), Base: "v1"})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, &goat.Error{Code: goat.CodeCancelled}) {
		t.Errorf("got %v", err)
	}
	if _, err := goat.Version(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Version: got %v", err)
	}
}

// A plan that is stopped by its own first progress report ends with the error of the
// context; whether it was too quick to be stopped is for the machine to say, so it is
// asked until it was not.
func TestCancelledWhileRunning(t *testing.T) {
	dir := testRepository(t)
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		ctx, cancel := context.WithCancel(context.Background())
		_, err := goat.Plan(ctx, goat.Options{
			Dir: dir, Base: "v1", Progress: func(goat.Progress) { cancel() },
		})
		cancel()
		if err == nil {
			continue
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
		return
	}
	t.Error("no plan could be stopped")
}

// One function that takes the core far longer than anybody waits: who stops the plan while
// it is read gets the answer at once, not when the function has been read.
func TestCancelledWithinAFunction(t *testing.T) {
	dir := testRepository(t)
	var source strings.Builder
	source.WriteString("package shop\n\nfunc deep(x int) int {\n\tif x < 0 {\n\t\tx++\n")
	for i := range 8000 {
		fmt.Fprintf(&source, "\t} else if x == %d {\n\t\tx += %d\n", i, i)
	}
	source.WriteString("\t}\n\treturn x\n}\n")
	if err := os.WriteFile(filepath.Join(dir, "deep.go"), []byte(source.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stopped := make(chan error, 1)
	go func() {
		_, err := goat.Plan(ctx, goat.Options{Dir: dir, Base: "v1", Progress: func(p goat.Progress) {
			if p.Stage == "analyse" {
				cancel()
			}
		}})
		stopped <- err
	}()
	<-ctx.Done()
	select {
	case err := <-stopped:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("still at work")
	}
}

func TestProgressEndsWithPlan(t *testing.T) {
	var steps []goat.Progress
	_, err := goat.Plan(context.Background(), goat.Options{
		Dir: testRepository(t), Base: "v1", Progress: func(p goat.Progress) { steps = append(steps, p) },
	})
	// Without a lock: the race detector sees a call after Plan has returned.
	if err != nil || len(steps) == 0 {
		t.Fatalf("%v, %v", steps, err)
	}
	for _, step := range steps {
		if step.Stage == "" || step.Total > 0 && step.Done > step.Total {
			t.Errorf("odd step %+v", step)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	dir := testRepository(t)
	want, err := goat.Plan(context.Background(), goat.Options{Dir: dir, Base: "v1"})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 16 {
		group.Add(1)
		go func() {
			defer group.Done()
			got, err := goat.Plan(context.Background(), goat.Options{Dir: dir, Base: "v1", Progress: func(goat.Progress) {}})
			if err != nil || got.PlanHash != want.PlanHash {
				t.Errorf("%v, %v", got, err)
			}
		}()
	}
	group.Wait()
}

func TestDescriptorsAreGivenBack(t *testing.T) {
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc here")
		}
		return len(entries)
	}
	dir := testRepository(t)
	plan := func() {
		if _, err := goat.Plan(context.Background(), goat.Options{Dir: dir, Base: "v1", Progress: func(goat.Progress) {}}); err != nil {
			t.Fatal(err)
		}
	}
	plan()
	before := open()
	for range 20 {
		plan()
	}
	if after := open(); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func TestErrors(t *testing.T) {
	dir := testRepository(t)
	plain := t.TempDir()
	for _, c := range []struct {
		name    string
		options goat.Options
		code    goat.Code
	}{
		{"not a repository", goat.Options{Dir: plain}, goat.CodeNotARepository},
		{"no such directory", goat.Options{Dir: filepath.Join(plain, "no")}, ""},
		{"unknown ref", goat.Options{Dir: dir, Base: "v0"}, goat.CodeUnknownRef},
		{"bad granularity", goat.Options{Dir: dir, Base: "v1", Granularity: "word"}, ""},
		{"bad range", goat.Options{Dir: dir, Base: "v1", Range: "far"}, ""},
		{"bad precision", goat.Options{Dir: dir, Base: "v1", Precision: 9}, ""},
	} {
		_, err := goat.Plan(context.Background(), c.options)
		var e *goat.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: got %v", c.name, err)
			continue
		}
		if e.Message == "" || e.Code == "" || e.Code == goat.CodeInternal {
			t.Errorf("%s: got %+v", c.name, e)
		}
		if c.code != "" && e.Code != c.code {
			t.Errorf("%s: code %s, want %s", c.name, e.Code, c.code)
		}
	}
}

func TestSourceThatIsNotUTF8IsRefused(t *testing.T) {
	bad := []byte("package a // \xff\n")
	_, err := goat.Inspect(context.Background(), bad)
	if !errors.Is(err, &goat.Error{Code: goat.CodeBadRequest}) {
		t.Errorf("Inspect: %v", err)
	}
	_, err = goat.Instrument(context.Background(), goat.InstrumentRequest{Source: bad})
	if !errors.Is(err, &goat.Error{Code: goat.CodeBadRequest}) {
		t.Errorf("Instrument: %v", err)
	}
}

func TestInspectReadsWhatParses(t *testing.T) {
	file, err := goat.Inspect(context.Background(), []byte("package a\n\nfunc F() {}\n\nfunc ( {\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(file.Errors) == 0 || len(file.Functions) == 0 || file.Functions[0].Name != "F" {
		t.Errorf("%+v", file)
	}
}

func TestDirectoryThatIsNotUTF8IsRefused(t *testing.T) {
	_, err := goat.Plan(context.Background(), goat.Options{Dir: "/tmp/\xff"})
	if err == nil || err.Error() != `the directory's path "/tmp/\xff" is not UTF-8` {
		t.Errorf("got %v", err)
	}
}

func TestWrap(t *testing.T) {
	_, cause := os.Open("/nonexistent/file")
	e := (&goat.Error{Code: goat.CodeUnreadable, Message: "cannot look", Path: "/nonexistent/file"}).Wrap(cause)
	if got := e.Error(); got != "cannot look: no such file or directory" {
		t.Errorf("got %q", got)
	}
	if !errors.Is(e, os.ErrNotExist) {
		t.Error("the cause is lost")
	}
}
