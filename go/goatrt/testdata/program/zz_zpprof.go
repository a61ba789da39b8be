//go:build with_pprof

package main

import "example.com/app/goat/pprof"

// Behind the start, as the file's name is.
func init() { pprof.Install(true) }
