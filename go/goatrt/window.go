//go:build go1.21

package goatrt

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	tick        = 100 * time.Millisecond
	countsEvery = 10 // ticks between two writes of hit counts where there are no windows
	patience    = 200 * time.Millisecond

	defaultWindow = time.Second
	shortest      = tick // window
)

// windowOf is GOAT_WINDOW, which only executables have: where it is not 0, the
// counters that are set are cleared once per window, so that a last hit is known to
// one window.
func windowOf(mode string) time.Duration {
	if mode != "exe" {
		return 0
	}
	d, err := time.ParseDuration(env("GOAT_WINDOW"))
	switch {
	case err != nil:
		return defaultWindow
	case d <= 0:
		return 0
	case d < shortest:
		return shortest
	}
	return d
}

// touch notes that point i was hit up to now.
func (c *Component) touch(i int, now int64) {
	if c.last == nil {
		return
	}
	c.last[i].Store(now)
	c.moved[i/slotsPerPage].Store(true)
}

// pulse ends a window some time after the first hit in it. It stands in for a
// goroutine where every point calls the hook: a program in which nothing happens is
// then not woken, and Go still finds its deadlocks.
var (
	pulse atomic.Pointer[beat]
	armed atomic.Bool
)

type beat struct {
	timer  *time.Timer
	length time.Duration
}

// startPulse has the windows of c end by themselves.
func startPulse(c *Component) {
	b := &beat{length: c.window}
	b.timer = time.AfterFunc(c.window, func() {
		armed.Store(false)
		turnWindow()
	})
	armed.Store(true)
	pulse.Store(b)
}

// wake begins a window at an exact hit.
func wake() {
	if b := pulse.Load(); b != nil && !armed.Load() && armed.CompareAndSwap(false, true) {
		b.timer.Reset(b.length)
	}
}

func turnWindow() {
	defer survive()
	scanning.Lock()
	defer scanning.Unlock()
	now := wallMicros()
	for _, c := range current().components {
		c.look(now, true)
		c.spoolMoving()
	}
}

// watch scans until it is over.
func watch(c *Component, over func() bool) {
	begun := time.Now()
	for n := 1; ; n++ {
		time.Sleep(tick)
		clear := c.window > 0 && time.Since(begun) >= c.window
		if clear {
			begun = time.Now()
		}
		watchOnce(clear, clear || n%countsEvery == 0)
		if over() {
			return
		}
	}
}

func watchOnce(clear, moving bool) {
	defer survive()
	scanning.Lock()
	defer scanning.Unlock()
	now := wallMicros()
	for _, c := range current().components {
		c.look(now, clear)
		if moving {
			c.spoolMoving()
		}
	}
}

// tryAgain sees to it that what could not be written is written later: in test
// binaries, in which nothing of ours runs by itself, at the next hit or at the end.
func (c *Component) tryAgain(s *spool) {
	if c.identity.Mode != "test" && !s.lost.Load() && s.behind.CompareAndSwap(false, true) {
		time.AfterFunc(tick, func() { c.catchUp(s) })
	}
}

// catchUp writes what is not in the file, and comes back if that fails once more.
func (c *Component) catchUp(s *spool) {
	defer survive()
	s.behind.Store(false)
	s.failed.Store("")
	for k := range c.records {
		c.persist(k)
		if s.behind.Load() {
			return
		}
	}
}

// lockWithin is Lock for those who cannot wait for ever.
func lockWithin(m *sync.Mutex, limit time.Duration) bool {
	for end := time.Now().Add(limit); ; time.Sleep(time.Millisecond) {
		if m.TryLock() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}
