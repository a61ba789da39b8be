//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package store

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// tryLock takes the lock if nobody holds it; unlock is nil where somebody does. The
// kernel gives it back when the process dies.
func tryLock(name string) (unlock func(), err error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	for err = syscall.EINTR; errors.Is(err, syscall.EINTR); {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err != nil {
		file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, nil
		}
		return nil, &os.PathError{Op: "lock", Path: name, Err: err}
	}
	// The name of the holder is for those who wait; an older goat let others in.
	_ = file.Chmod(0o600)
	_ = file.Truncate(0)
	_, _ = fmt.Fprintln(file, os.Getpid())
	return func() {
		// A child that was forked without an exec would keep it with the descriptor.
		_ = syscall.Flock(int(file.Fd()), syscall.LOCK_UN)
		file.Close()
	}, nil
}
