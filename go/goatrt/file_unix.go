//go:build go1.21 && (unix || wasip1)

package goatrt

import (
	"syscall"
	"time"
)

// spoolFile is the open file: a bare descriptor, because nothing of package os
// (finalizers, poller, locks) is wanted between a hit and its record. In a test
// binary it is opened for each write, so that a test that counts descriptors
// sees none of ours.
type spoolFile struct {
	fd       int // -1: opened for each write
	device   uint64
	inode    uint64
	reopened bool
}

// createFile makes a new file of the given size and locks it.
func createFile(path string, mode uint32, size int64, reopened bool) (*spoolFile, error) {
	if !mayReach(size) {
		return nil, syscall.EFBIG
	}
	flags := syscall.O_RDWR | syscall.O_CREAT | syscall.O_EXCL | syscall.O_CLOEXEC
	fd, err := openRetrying(path, flags, mode)
	if err != nil {
		return nil, err
	}
	if !reopened {
		fd = outOfTheWay(fd)
	}
	f := &spoolFile{fd: fd, reopened: reopened}
	var stat syscall.Stat_t
	if err = syscall.Fstat(fd, &stat); err == nil {
		f.device, f.inode = uint64(stat.Dev), uint64(stat.Ino)
		lockOwn(fd)
		// The umask is the program's; the mode is what GOAT_SPOOL_MODE says.
		_ = syscall.Fchmod(fd, mode)
		err = allocate(fd, size)
	}
	if err != nil {
		f.discard(path)
		return nil, err
	}
	return f, nil
}

// discard undoes createFile.
func (f *spoolFile) discard(path string) {
	_ = syscall.Close(f.fd)
	_ = syscall.Unlink(path)
}

// created ends the making of the file.
func (f *spoolFile) created() {
	if f.reopened {
		_ = syscall.Close(f.fd)
		f.fd = -1
	}
}

// put writes buf at offset if the file is still ours: a program may close
// descriptors it does not know, and open its own in their place.
func (f *spoolFile) put(path string, buf []byte, offset int64) (ours bool, err error) {
	fd := f.fd
	if f.reopened && fd < 0 {
		if fd, err = openRetrying(path, syscall.O_RDWR|syscall.O_CLOEXEC|noFollow, 0); err != nil {
			return err != syscall.ENOENT, err
		}
		defer syscall.Close(fd)
	}
	if !f.is(fd) {
		return false, syscall.EBADF
	}
	if !mayReach(offset + int64(len(buf))) {
		return true, syscall.EFBIG
	}
	return true, writeFully(fd, buf, offset)
}

func (f *spoolFile) is(fd int) bool {
	var stat syscall.Stat_t
	return syscall.Fstat(fd, &stat) == nil && uint64(stat.Dev) == f.device && uint64(stat.Ino) == f.inode
}

func writeFully(fd int, buf []byte, offset int64) error {
	for len(buf) > 0 {
		n, err := syscall.Pwrite(fd, buf, offset)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		if n <= 0 {
			return syscall.EIO
		}
		buf, offset = buf[n:], offset+int64(n)
	}
	return nil
}

func openRetrying(path string, flags int, mode uint32) (int, error) {
	for {
		fd, err := syscall.Open(path, flags, mode)
		if err != syscall.EINTR {
			return fd, err
		}
	}
}

func writeError(line []byte) { _, _ = syscall.Write(2, line) }

// wallMicros asks the system, because inside a synctest bubble package time
// gives the bubble's time.
func wallMicros() int64 {
	var now syscall.Timeval
	if syscall.Gettimeofday(&now) != nil {
		return time.Now().UnixMicro()
	}
	return int64(now.Sec)*1e6 + int64(now.Usec)
}

// systemRandom fills buf as far as the system can.
func systemRandom(buf []byte) {
	fd, err := openRetrying("/dev/urandom", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err == nil {
		_, _ = syscall.Read(fd, buf)
		_ = syscall.Close(fd)
	}
}

func makeDir(dir string, mode uint32) error { return syscall.Mkdir(dir, mode) }
