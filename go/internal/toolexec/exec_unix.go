//go:build unix

package toolexec

import (
	"os"
	"os/exec"
	"syscall"
)

// replace makes the tool take this process's place, so that a run costs an exec
// and signals reach the tool itself. The first word may be a bare name (the go
// command asks `gcc -###` so), hence the search in PATH.
func (h *helper) replace(line []string) (int, error) {
	path, err := exec.LookPath(line[0])
	if err != nil {
		return 0, err
	}
	err = syscall.Exec(path, line, os.Environ())
	if err == syscall.ENOSYS {
		return h.child(line)
	}
	return 0, &os.PathError{Op: "exec", Path: path, Err: err}
}
