//go:build go1.21 && linux

package goatrt

import (
	"strconv"
	"strings"
	"syscall"
)

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

// goCommandDir is the working directory of the go command that runs us; "" where our
// parent is something else.
func goCommandDir() string {
	parent := "/proc/" + strconv.Itoa(syscall.Getppid())
	if program := linkTarget(parent + "/exe"); !strings.HasSuffix(program, "/go") {
		return ""
	}
	dir := linkTarget(parent + "/cwd")
	if strings.HasSuffix(dir, " (deleted)") {
		return ""
	}
	return dir
}

// linkTarget is where a symbolic link leads; "" when that cannot be read.
func linkTarget(path string) string {
	var target [4096]byte
	n, err := syscall.Readlink(path, target[:])
	if err != nil || n >= len(target) {
		return ""
	}
	return string(target[:n])
}
