//go:build go1.21 && linux

package goatrt

import "syscall"

// hostName asks the kernel; package os would link the reading of files for it.
func hostName() string {
	var names syscall.Utsname
	if syscall.Uname(&names) != nil {
		return ""
	}
	var name []byte
	for _, c := range names.Nodename {
		if c == 0 {
			break
		}
		name = append(name, byte(c))
	}
	return string(name)
}
