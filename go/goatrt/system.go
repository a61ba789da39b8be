//go:build go1.21

package goatrt

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// A fault is an error that needs no initialisation: Early runs before ours.
type fault string

func (f fault) Error() string { return string(f) }

const errServer = fault("the server could not be started")

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

// spoken is how far the one line of the process is: one state, so that whoever ends the
// process cannot look between two.
var spoken atomic.Int32

const (
	unsaid  int32 = iota
	talking       // it is on its way
	said
)

// say writes the one line a process gets, in one system call: a logger's or the
// program's own lock must not be able to hold us. Nor must whoever reads standard
// error, or does not: the line is written beside everything else, and dropped where it
// would have to wait.
func say(text string) {
	if !spoken.CompareAndSwap(unsaid, talking) {
		return
	}
	if !canSay() {
		spoken.Store(said)
		return
	}
	go func() {
		defer spoken.Store(said)
		writeError([]byte(text + "\n"))
	}()
}

// waitSaid gives a line that is on its way a moment before the process ends.
func waitSaid() {
	for end := time.Now().Add(patience); spoken.Load() == talking && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
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
