// Package native imports "C", as only package early in it does besides: it hands one JSON request to the
// Rust core and returns its JSON answer.
//
// The core is linked in when cgo is on and the tag goat_nocore is not set; without
// it every function returns an [Unavailable] error, so that a goat built with
// CGO_ENABLED=0 still is the toolexec helper, builds with an existing plan and
// reports. Only package goat imports this package: its shape is not an API.
package native

// Status is what goat_run returns; the numbers are fixed for ever.
type Status int

const (
	// StatusOK says that the answer holds a result.
	StatusOK Status = 0
	// StatusError says that the answer holds an error.
	StatusError Status = 1
	// StatusPanic says that the core met a defect of its own; the answer holds an error.
	StatusPanic Status = 2
	// StatusArgument says that the call itself broke the contract; the answer holds an error.
	StatusArgument Status = 3
)

// Unavailable says that this goat was built without the core, and why.
type Unavailable struct {
	// Cause names the build setting, for example "CGO_ENABLED=0".
	Cause string
}

// Error describes the missing core.
func (u *Unavailable) Error() string {
	return "this goat was built without its core (" + u.Cause + ")"
}
