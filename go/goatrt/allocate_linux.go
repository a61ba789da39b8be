//go:build go1.21 && linux

package goatrt

import "syscall"

// allocate reserves the file's blocks. A file system that cannot do so is no
// reason to go without; writing the zeros reserves them on most of these.
func allocate(fd int, size int64) error {
	for {
		err := syscall.Fallocate(fd, 0, 0, size)
		switch err {
		case syscall.EINTR:
			continue
		case syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG:
			return err
		}
		return nil
	}
}
