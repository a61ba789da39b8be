package compat

import (
	"slices"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/goat-trace/goat/go/internal/gocmd"
)

// needs are the standard packages that goat's runtime brings into a program. In an
// empty cache plain go has not compiled them for a program that lacks them, and
// then the first goat build does: that is no recompilation.
var needs = []string{"errors", "os", "strconv", "strings", "sync", "syscall", "time"}

// coded are the flags that make other code of the standard library.
var coded = []string{"race", "msan", "asan", "trimpath", "tags", "buildmode", "installsuffix", "pkgdir", "compiler"}

// warmed remembers for which flags and targets that has been done.
type warmed struct {
	mu   sync.Mutex
	done map[string]*sync.Once
}

// warm has plain go compile the runtime's needs as the command line would.
func (b *bench) warm(ts *testscript.TestScript, verb string, rest []string) {
	parsed, err := gocmd.Parse(verb, ts.MkAbs("."), rest, ts.Getenv("GOFLAGS"))
	if err != nil {
		return
	}
	var flags []string
	for _, name := range coded {
		if parsed.Has(name) {
			flags = append(flags, strings.TrimSuffix("-"+name+"="+parsed.Value(name), "="))
		}
	}
	for _, value := range parsed.Gcflags {
		if strings.HasPrefix(value, "all=") || strings.HasPrefix(value, "std=") {
			flags = append(flags, "-gcflags="+value)
		}
	}
	key := slices.Clone(flags)
	for _, name := range []string{"GOTOOLCHAIN", "GOOS", "GOARCH", "GOAMD64", "CGO_ENABLED", "GOEXPERIMENT", "GOCACHE", "GOFLAGS"} {
		key = append(key, name+"="+ts.Getenv(name))
	}
	b.warmed.once(strings.Join(key, " "), func() {
		line := slices.Concat([]string{"list", "-export", "-f={{.Name}}"}, flags, needs)
		_ = ts.Exec("go", line...)
	})
}

func (w *warmed) once(key string, do func()) {
	w.mu.Lock()
	if w.done == nil {
		w.done = map[string]*sync.Once{}
	}
	once := w.done[key]
	if once == nil {
		once = &sync.Once{}
		w.done[key] = once
	}
	w.mu.Unlock()
	once.Do(do)
}

// warm [FLAGS...]: what `same` does before goat builds, for scripts without it.
func (b *bench) cmdWarm(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: warm [flags...]")
	}
	b.warm(ts, "build", args)
}
