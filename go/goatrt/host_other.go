//go:build go1.21 && !linux

package goatrt

import "os"

func hostName() string {
	name, _ := os.Hostname()
	return name
}
