//go:build go1.21

package goatrt

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Extension is what a package of goat's adds that is linked in on request only.
type Extension struct {
	// Path is answered with JSON by Answer.
	Path   string
	Answer func() []byte
	// Metrics appends to the metrics.
	Metrics func([]byte) []byte
	// Flush brings its files up to date when the program ends.
	Flush func()
}

var (
	extending  sync.Mutex
	extensions []Extension
)

// Extend adds an extension.
func Extend(e Extension) {
	extending.Lock()
	extensions = append(extensions, e)
	extending.Unlock()
}

// Extensions are those that were added.
func Extensions() []Extension {
	extending.Lock()
	defer extending.Unlock()
	return append([]Extension{}, extensions...)
}

// flushExtensions is for the end of the program; it waits for nobody.
func flushExtensions() {
	if !extending.TryLock() {
		return
	}
	list := extensions
	extending.Unlock()
	for _, e := range list {
		if e.Flush != nil {
			e.Flush()
		}
	}
}

// Tracked are the components as they are: unlike Components it waits for nobody.
func Tracked() []*Component { return current().components }

// Now is the time in microseconds of the wall clock.
func Now() int64 { return wallMicros() }

// PhaseNumber is 0 while packages are initialised, 1 in start-up, 2 in traffic.
func PhaseNumber() int { return int(phaseNow()-phaseInit) % phases }

// RFC3339 is a time in microseconds as text.
func RFC3339(micros int64) string {
	return time.UnixMicro(micros).UTC().Format("2006-01-02T15:04:05.000000Z")
}

// IsExecutable reports whether this is a program and neither a test nor a library.
func IsExecutable() bool {
	all := current().components
	return len(all) > 0 && all[0].identity.Mode == "exe"
}

// SpoolPath is the spool file of the process, empty without one.
func SpoolPath() string {
	if all := current().components; len(all) > 0 {
		if s := all[0].spool.Load(); s != nil {
			return s.path
		}
	}
	return ""
}

var remarking atomic.Bool

// Remark writes a line to standard error beside everything else, and reports whether it
// does: a line that would have to wait for a reader, or for another line for long, is left
// out. It is for what the user has asked to be told of.
func Remark(text string) bool {
	for i := 0; !remarking.CompareAndSwap(false, true); i++ {
		if i == 20 {
			return false
		}
		time.Sleep(time.Millisecond)
	}
	if !canSay() {
		remarking.Store(false)
		return false
	}
	go func() {
		defer remarking.Store(false)
		writeError([]byte(text + "\n"))
	}()
	return true
}

// besideSuffixes are the files that may lie beside a spool file. No variable: the package
// would get an initialiser, and Early runs before that.
func besideSuffixes() [2]string { return [...]string{".panics", ".crash"} }

// beside is the path of such a file.
func besidePath(spool, suffix string) string { return strings.TrimSuffix(spool, spoolSuffix) + suffix }
