package toolexec

import (
	"os/exec"
	"runtime"
	"syscall"
)

// tie makes the kernel end the tool when the helper is killed: go would clear away the
// object directory while the tool still writes there. It goes by the thread that has
// started the tool.
func tie(cmd *exec.Cmd) (untie func()) {
	runtime.LockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return runtime.UnlockOSThread
}
