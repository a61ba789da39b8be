//go:build go1.21 && !plan9

package server

import (
	"errors"
	"syscall"
)

// refused tells a socket without a listener.
func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// taken tells an address that somebody else has.
func taken(err error) bool { return errors.Is(err, errTaken) || errors.Is(err, syscall.EADDRINUSE) }
