//go:build unix

package spool

import (
	"os"
	"syscall"
)

// strangers returns what tells whether a file of a directory is to be believed.
func strangers(dir string) func(path string) error {
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm()&0o002 == 0 {
		// Whoever may write here was given the right to.
		return func(string) error { return nil }
	}
	owner, _ := info.Sys().(*syscall.Stat_t)
	return func(path string) error {
		info, err := os.Lstat(path)
		if err != nil {
			return nil // reading it will say why
		}
		file, ok := info.Sys().(*syscall.Stat_t)
		if !ok || owner == nil || file.Uid == owner.Uid || file.Uid == 0 || int(file.Uid) == os.Geteuid() {
			return nil
		}
		return ErrForeign
	}
}
