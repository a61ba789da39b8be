//go:build go1.21 && !linux

package goatrt

import "os"

func hostName() string {
	name, _ := os.Hostname()
	return name
}

// goCommandDir: there is no way to ask.
func goCommandDir() string { return "" }
