//go:build unix

package gocmd

import (
	"os"
	"syscall"
)

// hasReader reports whether somebody waits at the other end of a pipe: only then does it
// open at once.
func hasReader(pipe string) bool {
	file, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	_ = file.Close()
	return true
}
