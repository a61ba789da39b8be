//go:build go1.21

package goatrt

import "embed"

// Source holds the files of this package, of panics, pprof and server. goat copies them into
// the programs it instruments; this file stays behind, and a program that
// imports the package itself does not link the bytes.
//
//go:embed *.go panics/*.go pprof/*.go server/*.go
var Source embed.FS
