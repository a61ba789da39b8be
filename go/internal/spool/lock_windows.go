package spool

import (
	"errors"
	"os"
	"syscall"
)

// errSharing is what opening a file gives that its process does not share.
const errSharing = syscall.Errno(32)

// locked asks whether the process keeps the file open.
func locked(path string, _ uint32) Liveness {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err == nil {
		_ = f.Close()
		return Ended
	}
	if errors.Is(err, errSharing) {
		return Alive
	}
	return Unknown
}
