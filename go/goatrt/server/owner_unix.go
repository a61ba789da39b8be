//go:build go1.21 && unix

package server

import (
	"os"
	"syscall"
)

// socketIsOurs tells whether the file is a socket of this user's that no other user
// can connect to.
func socketIsOurs(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&os.ModeSocket == 0 || info.Mode().Perm()&0o077 != 0 {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
