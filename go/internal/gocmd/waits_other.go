//go:build !unix

package gocmd

// hasReader: there are no pipes among files here.
func hasReader(string) bool { return false }
