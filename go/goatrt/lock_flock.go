//go:build go1.21 && (darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package goatrt

import "syscall"

// canLock says whether a live process can be told from a dead one.
const canLock = true

// tryLock takes the lock that says that the file's process lives.
func tryLock(fd int) bool {
	for {
		err := syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB)
		if err != syscall.EINTR {
			return err == nil
		}
	}
}
