package compat

import (
	"os"
	"syscall"
)

// peakMemory is the most that a process has had in memory.
func peakMemory(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return int64(usage.Maxrss) << 10
}
