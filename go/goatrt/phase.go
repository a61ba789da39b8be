//go:build go1.21

package goatrt

import (
	"sync/atomic"
	"time"
)

// defaultStartup is how long after initialisation hits count as start-up.
const defaultStartup = 5 * time.Second

var (
	phase atomic.Uint64 // of the process; phaseNone until the first Start
	early atomic.Bool   // Ready was called before the first Start
	// due is the wall clock at which startup ends by itself in binaries without
	// a background goroutine; 0 elsewhere.
	due atomic.Int64
)

// phaseNow is the phase a hit belongs to.
func phaseNow() uint64 {
	if p := phase.Load(); p != phaseNone {
		return p
	}
	return phaseInit
}

// startupTime is GOAT_STARTUP, or the default when that says nothing sensible.
func startupTime() time.Duration {
	d, err := time.ParseDuration(env("GOAT_STARTUP"))
	if err != nil {
		return defaultStartup
	}
	return d
}

// beginStartup ends the phase init.
func beginStartup(now int64, ticking bool) {
	length := startupTime()
	if length <= 0 || early.Load() {
		phase.Store(phaseTraffic)
		return
	}
	if !ticking {
		due.Store(now + length.Microseconds())
	}
	phase.Store(phaseStartup)
}

// Ready ends the startup phase: what is first reached from now on counts as
// traffic. A program may call it at any time and as often as it likes.
func Ready() {
	defer survive()
	early.Store(true)
	endStartup(wallMicros())
}

// endStartup credits what has run so far to startup before it ends the phase.
func endStartup(now int64) {
	if phase.Load() != phaseStartup {
		return
	}
	scanAll(phaseStartup, now)
	phase.CompareAndSwap(phaseStartup, phaseTraffic)
}

// endStartupIfDue is the clock of binaries that run no goroutine of ours. What
// a scan finds then may have run earlier, so startup gets it.
func endStartupIfDue(now int64) {
	if at := due.Load(); at != 0 && now >= at {
		endStartup(now)
	}
}
