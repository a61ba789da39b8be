//go:build go1.21

package goatrt

import (
	"sync"
	"sync/atomic"
	"time"
)

// Phases of a process. A point has a first hit in each of them.
const (
	phaseNone uint64 = iota
	phaseInit
	phaseStartup
	phaseTraffic
)

// phases is how many of them a hit can belong to.
const phases = 3

// defaultStartup is how long after initialisation hits count as start-up.
const defaultStartup = 5 * time.Second

var (
	phase atomic.Uint64 // of the process; phaseNone until the first Start
	early atomic.Bool   // Ready was called before the first Start

	// scanning is held by whoever reads the counters to find what ran in a phase, and
	// from before a phase ends until all counters have been cleared for the next one.
	scanning sync.Mutex
	// turning makes one step of two: "the phase is still p" and "mark the counter as
	// hit" (mark), against the change of the phase. It is held for nanoseconds.
	turning sync.Mutex
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

// endInit ends the phase init. Tests have no start-up: what they run, they ask for.
func endInit(mode string) {
	length := startupTime()
	if mode == "test" || length <= 0 || early.Load() {
		endPhase(phaseInit, phaseTraffic)
		return
	}
	endPhase(phaseInit, phaseStartup)
	// A timer and no goroutine: Go finds deadlocks only where none sleeps.
	time.AfterFunc(length, func() { endPhase(phaseStartup, phaseTraffic) })
}

// Ready ends the startup phase: what is reached from now on counts as traffic. A
// program may call it at any time and as often as it likes.
func Ready() {
	early.Store(true)
	endPhase(phaseStartup, phaseTraffic)
}

// endPhase credits what has run so far to a phase and clears all counters, so that
// the next hit of each point counts for the next phase. For each point the change
// happens at the moment its counter is cleared; a hit on either side of it is kept.
func endPhase(from, to uint64) {
	defer survive()
	scanning.Lock()
	defer scanning.Unlock()
	if phaseNow() != from {
		return
	}
	now := wallMicros()
	all := current().components
	for _, c := range all {
		// What takes time is done before the change: writing to the files.
		c.scan(from, now)
	}
	turning.Lock()
	phase.Store(to)
	turning.Unlock()
	for _, c := range all {
		c.sweep(from, now)
		if s := c.spool.Load(); s != nil {
			s.markPhase(to, now)
		}
	}
}
