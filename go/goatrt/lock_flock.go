//go:build go1.21 && (darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package goatrt

import "syscall"

// canLock says whether a live process can be told from a dead one.
const canLock = true

// lockOwn takes the two locks that say that the file's process lives. The first one
// keeps anybody from removing the file; a child that was forked without exec holds it
// as well. The second one is the process's alone.
func lockOwn(fd int) {
	tryLock(fd)
	lock := syscall.Flock_t{Type: syscall.F_WRLCK}
	_ = syscall.FcntlFlock(uintptr(fd), syscall.F_SETLK, &lock)
}

// tryLock takes the first of them.
func tryLock(fd int) bool {
	for {
		err := syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB)
		if err != syscall.EINTR {
			return err == nil
		}
	}
}

// eachName reads a directory, which others may use too and which may be large,
// in portions. It does so below package os, whose files would make the Go
// runtime open its poller's descriptors in a program that needs none.
func eachName(dir string, do func(name string) bool) {
	fd, err := openRetrying(dir, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_DIRECTORY, 0)
	if err != nil {
		return
	}
	defer syscall.Close(fd)
	buf := make([]byte, 8<<10)
	for {
		n, err := syscall.ReadDirent(fd, buf)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return
		}
		_, _, names := syscall.ParseDirent(buf[:n], -1, nil)
		for _, name := range names {
			if !do(name) {
				return
			}
		}
	}
}

// startOf reads when the process of a spool file of this user began.
func startOf(path string) (started uint64, ok bool) {
	fd, err := openRetrying(path, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return 0, false
	}
	defer syscall.Close(fd)
	var stat syscall.Stat_t
	// What another user has put here says what that user likes.
	if syscall.Fstat(fd, &stat) != nil || stat.Mode&syscall.S_IFMT != syscall.S_IFREG || int(stat.Uid) != syscall.Geteuid() {
		return 0, false
	}
	var header [headerSize]byte
	n, err := syscall.Pread(fd, header[:], 0)
	if err != nil {
		return 0, false
	}
	return startOfHeader(header[:n]), true
}

// removeUnlocked removes a spool file whose process is gone.
func removeUnlocked(path string) {
	fd, err := openRetrying(path, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	if tryLock(fd) {
		_ = syscall.Unlink(path)
	}
	_ = syscall.Close(fd)
}
