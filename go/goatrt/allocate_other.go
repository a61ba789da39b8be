//go:build go1.21 && (unix || wasip1) && !linux

package goatrt

// allocate leaves the work to the zeros that are written next.
func allocate(int, int64) error { return nil }
