//go:build unix

package store

import (
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

// user is this user in the name of a directory.
func user() string { return strconv.Itoa(os.Geteuid()) }

// owner is the number of a file's owner, -1 where the system does not tell.
func owner(info fs.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return -1
}

// everybodys reports whether all may write.
func everybodys(info fs.FileInfo) bool { return info.Mode().Perm()&0o002 != 0 }

// open reports whether others than the owner may write.
func open(info fs.FileInfo) bool { return info.Mode().Perm()&0o022 != 0 }

// mine reports whether the file is this user's.
func mine(info fs.FileInfo) bool { return owner(info) == os.Geteuid() }

// ours reports whether it is, and nobody else may write it.
func ours(info fs.FileInfo) bool { return mine(info) && !open(info) }
