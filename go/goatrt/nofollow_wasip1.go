//go:build go1.21

package goatrt

// noFollow is nothing: package syscall has no such flag for wasip1 before Go 1.24.
const noFollow = 0
