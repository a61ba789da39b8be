//go:build go1.21 && plan9

package server

// refused: there are no Unix sockets here.
func refused(error) bool { return false }
