//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

package spool

// locked cannot be known here.
func locked(string, uint32) Liveness { return Unknown }
