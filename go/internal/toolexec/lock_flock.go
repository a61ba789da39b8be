//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package toolexec

import (
	"os"
	"syscall"
)

// Lock waits for the lock file and returns how to give it back. The kernel does
// that too when the process dies.
func Lock(name string) (unlock func(), err error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
		if err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		file.Close()
		return nil, &os.PathError{Op: "lock", Path: name, Err: err}
	}
	return func() { file.Close() }, nil
}
