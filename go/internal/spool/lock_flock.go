//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package spool

import (
	"os"
	"syscall"
)

// locked asks whether the process holds its lock. The question is asked with a
// shared lock that is given back at once.
func locked(path string) Liveness {
	f, err := os.Open(path)
	if err != nil {
		return Unknown
	}
	defer f.Close()
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err {
	case nil:
		return Ended
	case syscall.EWOULDBLOCK:
		return Alive
	}
	return Unknown
}
