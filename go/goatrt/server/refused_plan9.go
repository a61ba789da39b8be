//go:build go1.21 && plan9

package server

import "errors"

// refused: there are no Unix sockets here.
func refused(error) bool { return false }

// taken tells an address that somebody else has.
func taken(err error) bool { return errors.Is(err, errTaken) }
