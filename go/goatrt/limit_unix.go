//go:build go1.21 && unix

package goatrt

import "syscall"

// mayReach tells whether a file may be written up to size: beyond RLIMIT_FSIZE the
// system sends a signal, which ends a program that does not expect it.
func mayReach(size int64) bool {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit) != nil {
		return true
	}
	most := uint64(limit.Cur)
	return most > 1<<62 || uint64(size) <= most
}

// differ tells a program that runs with the rights of another user than the one who
// has started it.
func differ() bool {
	return syscall.Getuid() != syscall.Geteuid() || syscall.Getgid() != syscall.Getegid()
}
