//go:build unix

package main

import "syscall"

// limit=n sets how large a file may become, in bytes; 0 lifts it.
func init() {
	verbs["limit"] = func(n int) {
		var limit syscall.Rlimit
		_ = syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit)
		if limit.Cur = limit.Max; n > 0 {
			limit.Cur = uint64(n)
		}
		_ = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
	}
}
