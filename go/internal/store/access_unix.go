//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package store

import "syscall"

// writable asks the system whether this user may write a directory.
func writable(dir string) bool { return syscall.Access(dir, 2) == nil }
