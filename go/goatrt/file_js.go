//go:build go1.21 && js

package goatrt

import (
	"os"
	"time"
)

const canLock = false

const errNoFiles = fault("not available on js: a write there could block an event handler")

// spoolFile does not exist here.
type spoolFile struct{}

func createFile(string, uint32, int64, bool) (*spoolFile, error) { return nil, errNoFiles }

func (f *spoolFile) discard(string) {}

func (f *spoolFile) created() {}

func (f *spoolFile) put(string, []byte, int64) (ours bool, err error) { return false, errNoFiles }

func canSay() bool { return true }

func privileged() bool { return false }

func writeError(line []byte) { _, _ = os.Stderr.Write(line) }

func wallMicros() int64 { return time.Now().UnixMicro() }

func systemRandom([]byte) {}

func makeDir(string, uint32) error { return errNoFiles }

func eachName(string, func(string) bool) {}

func startOf(string) (uint64, bool) { return 0, false }

func removeUnlocked(string) {}
