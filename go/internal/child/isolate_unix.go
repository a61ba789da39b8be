//go:build unix

package child

import (
	"os/exec"
	"syscall"
)

// Isolate lets a command and all that it starts be ended together: kubectl runs helpers
// for credentials, which must not outlive it.
func Isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
