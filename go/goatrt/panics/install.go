//go:build go1.21

package panics

import (
	"time"

	goatrt "github.com/goat-trace/goat/go/goatrt"
)

// pulse is how stale the record beside the spool may be.
const pulse = 500 * time.Millisecond

// Install puts what Hook records where people look for it, when the program's packages
// are initialised: in the server, in the metrics, beside the spool. tracking is false
// where goat keeps out of the process altogether. setCrash sets the second output of a
// crash where the program has not set one itself; it may be nil.
func Install(tracking bool, setCrash func(fd uintptr) bool) {
	defer func() { _ = recover() }()
	if !tracking {
		off.Store(true)
		return
	}
	var written uint64
	goatrt.Extend(goatrt.Extension{
		Path: "/panics", Answer: document, Metrics: metrics,
		Flush: func() { keep(&written) },
	})
	if goatrt.SpoolPath() == "" || !goatrt.IsExecutable() {
		return
	}
	if setCrash != nil {
		goatrt.CrashOutput(setCrash)
	}
	go func() {
		defer func() { _ = recover() }()
		for {
			time.Sleep(pulse)
			keep(&written)
		}
	}()
}

// keep brings the record beside the spool up to date.
func keep(written *uint64) {
	if now := total(); now != *written {
		if goatrt.KeepBeside(".panics", document()) {
			*written = now
		}
	}
}

// total changes whenever something is recorded, and when it is certain to be recovered.
func total() uint64 {
	n, now := lost.Load(), goatrt.Now()
	for i := range slots {
		s := &slots[i]
		if s.ready.Load() != 0 {
			n += 1 + s.counts[0].Load() + s.counts[1].Load() + s.counts[2].Load()
			if now-s.last.Load() > settled.Microseconds() {
				n += 1 << 32
			}
		}
	}
	return n
}
