//go:build go1.21

package goatrt

import (
	"errors"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	errServer = errors.New("the server could not be started")
	said      atomic.Bool
)

// env reads the environment below package os, whose readings `go test` logs to
// decide about cached results.
func env(name string) string {
	value, _ := syscall.Getenv(name)
	return value
}

// isSet reads a switch.
func isSet(value string) bool {
	return value != "" && value != "0" && value != "false"
}

// say writes the one line a process gets, in one system call: a logger's or
// the program's own lock must not be able to hold us.
func say(line string) {
	if said.CompareAndSwap(false, true) {
		writeError([]byte(line + "\n"))
	}
}

func processID() int { return os.Getpid() }

var drawn atomic.Uint64

// randomHex is 16 hex digits that no other process has: from the system, and
// mixed with time, process and address where the system has none to give.
func randomHex() string {
	var seed [8]byte
	systemRandom(seed[:])
	mixed := uint64(wallMicros()) ^ uint64(processID())<<40 ^ uint64(time.Now().UnixNano())<<20 ^ uint64(drawn.Add(1))<<56
	for i, b := range seed {
		mixed ^= uint64(b) << (8 * i)
	}
	// The finalizer of splitmix64 spreads what little differs.
	mixed = (mixed ^ mixed>>30) * 0xbf58476d1ce4e5b9
	mixed = (mixed ^ mixed>>27) * 0x94d049bb133111eb
	mixed ^= mixed >> 31
	var text [randomChars]byte
	for i := range text {
		text[i] = "0123456789abcdef"[mixed>>60]
		mixed <<= 4
	}
	return string(text[:])
}
