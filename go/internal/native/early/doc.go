//go:build !cgo || goat_nocore || !linux || !((linux || darwin) && (amd64 || arm64))

// Package early is empty where there is no core, or no constructor that is given the
// arguments: the helper then always starts as a Go program.
package early
