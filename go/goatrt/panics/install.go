//go:build go1.21

package panics

import (
	"sync/atomic"
	"time"

	goatrt "github.com/goat-trace/goat/go/goatrt"
)

// pulse is how stale the record beside the spool may be.
const pulse = 500 * time.Millisecond

// patience is how long the end of a process waits for its record to be written.
const patience = 250 * time.Millisecond

// kept is the keeper of the record beside the spool; nil where there is none.
var kept atomic.Pointer[keeper]

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
	r := new(keeper)
	goatrt.Extend(goatrt.Extension{
		Path: "/panics", Answer: document, Metrics: metrics,
		Flush: r.finish,
	})
	if goatrt.SpoolPath() == "" || !goatrt.IsExecutable() {
		return
	}
	if setCrash != nil {
		goatrt.CrashOutput(setCrash)
	}
	kept.Store(r)
	go func() {
		defer func() { _ = recover() }()
		for {
			r.keep()
			time.Sleep(pulse)
		}
	}()
}

// keeper keeps the record beside the spool up to date.
type keeper struct {
	writing atomic.Bool
	// written is the total of the record on disk and one more: also that nothing happened
	// is written, once.
	written uint64
}

// keep writes what is new; of two at once only one does.
func (k *keeper) keep() bool {
	if !k.writing.CompareAndSwap(false, true) {
		return false
	}
	defer k.writing.Store(false)
	if now := total() + 1; now != k.written && goatrt.KeepBeside(".panics", document()) {
		k.written = now
	}
	return true
}

// finish waits a moment for who is writing when the program ends.
func (k *keeper) finish() {
	for i := 0; i < 50 && !k.keep(); i++ {
		time.Sleep(2 * time.Millisecond)
	}
}

// finishWithin does so for as long as a disk may take that answers.
func (k *keeper) finishWithin(limit time.Duration) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		k.finish()
	}()
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
	}
}

// total changes whenever something is recorded, and when it is certain to be recovered.
func total() uint64 {
	n, now := lost.Load(), goatrt.Now()
	for i := range slots {
		s := &slots[i]
		if s.ready.Load() != 0 {
			counts, last := s.counted()
			n += 1 + counts[0] + counts[1] + counts[2]
			if s.ended.Load() {
				n += 1 << 33
			} else if now-last > settled.Microseconds() {
				n += 1 << 32
			}
		}
	}
	return n
}
