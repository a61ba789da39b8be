//go:build go1.21 && (darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package server

import (
	"syscall"
	"time"
)

// lockDir lets only one of us at a time look at a directory and then put a socket
// there. Other users may hold locks on it, too, so it waits for a moment only.
func lockDir(dir string) (unlock func()) {
	fd, err := syscall.Open(dir, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_DIRECTORY, 0)
	if err != nil {
		return func() {}
	}
	for patience := time.Now().Add(2 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		err := syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil || err != syscall.EWOULDBLOCK && err != syscall.EINTR || time.Now().After(patience) {
			return func() { _ = syscall.Close(fd) }
		}
	}
}
