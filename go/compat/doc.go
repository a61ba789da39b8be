// Package compat holds goat against plain go: every way of building that the go
// command has, every layout, and every case in which another tool of this kind let
// its users down. Each case is a script in testdata/case; docs/compatibility.md is
// the table of their results, which `make matrix` writes.
package compat
