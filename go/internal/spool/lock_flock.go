//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package spool

import (
	"os"
	"syscall"
)

// locked asks whether the process holds its lock. The question is asked with a
// shared lock that is given back at once.
func locked(path string, format uint32) Liveness {
	f, err := os.Open(path)
	if err != nil {
		return Unknown
	}
	defer f.Close()
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err {
	case nil:
		return Ended
	case syscall.EWOULDBLOCK:
		if format < 2 {
			return Alive
		}
		return holder(f)
	}
	return Unknown
}

// holder tells the process itself from a child that was forked without exec, which
// keeps the first lock but not the second.
func holder(f *os.File) Liveness {
	lock := syscall.Flock_t{Type: syscall.F_RDLCK}
	if syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &lock) == nil && lock.Type != syscall.F_UNLCK {
		return Alive
	}
	return Unknown
}
