// Package lib calls back.
package lib

// Call calls f.
//
//go:noinline
func Call(f func()) { f() }
