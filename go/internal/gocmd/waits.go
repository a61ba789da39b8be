package gocmd

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// patience is how long go may take before goat looks whether it waits for a pipe. go takes
// longer only where it loads modules, or has much to do.
const patience = 2 * time.Second

// sources are the ends of the names that go reads to see what they build.
var sources = []string{
	".go", ".c", ".cc", ".cpp", ".cxx", ".m", ".h", ".hh", ".hpp", ".hxx", ".f", ".F", ".for", ".f90",
	".s", ".S", ".sx", ".swig", ".swigcxx", ".mod", ".sum", ".work",
}

// WaitError says that go waits for a pipe that lies where a source file should.
type WaitError struct{ Pipe string }

func (e *WaitError) Error() string {
	return "go waits for " + filepath.Base(e.Pipe) + ", which is a pipe"
}

// Watched is a context that ends when go waits for a pipe below one of the directories:
// it would for ever. [Waits] says which, before the returned function is called.
func Watched(ctx context.Context, directories func() []string) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go watch(ctx, directories, func(pipe string) { cancel(&WaitError{Pipe: pipe}) })
	return ctx, func() { cancel(nil) }
}

// Waits is the [WaitError] that has ended a context, nil if another reason or none has.
func Waits(ctx context.Context) error {
	var e *WaitError
	if errors.As(context.Cause(ctx), &e) {
		return e
	}
	return nil
}

// watch looks for such a pipe, ever more seldom while there is none, until ctx ends. Looking
// ends the wait: to its reader the pipe is then empty. go opens a file more than once.
func watch(ctx context.Context, directories func() []string, found func(pipe string)) {
	for wait := patience; ; wait *= 2 {
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		for _, dir := range directories() {
			if pipe := awaited(ctx, dir); pipe != "" {
				found(pipe)
				wait = patience / 40
			}
		}
	}
}

// awaited is a pipe below a directory that somebody reads from as a source file.
func awaited(ctx context.Context, dir string) string {
	found := ""
	// What cannot be read holds nobody up.
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil || found != "":
			return fs.SkipAll
		case err != nil || d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case isSource(path) && isPipe(path, d.Type()) && hasReader(path):
			found = path
		}
		return nil
	})
	return found
}

func isSource(path string) bool {
	return slices.Contains(sources, filepath.Ext(path)) || filepath.Base(path) == "modules.txt"
}

func isPipe(path string, kind fs.FileMode) bool {
	if kind&fs.ModeSymlink != 0 {
		info, err := os.Stat(path)
		return err == nil && info.Mode()&fs.ModeNamedPipe != 0
	}
	return kind&fs.ModeNamedPipe != 0
}
