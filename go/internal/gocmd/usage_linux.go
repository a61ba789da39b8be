package gocmd

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit of times in /proc on every architecture of Linux that Go has.
const tick = 10 * time.Millisecond

// beforeReaping waits until a process has ended, and reads from /proc what its own
// children took: once it has been waited for, only the sum is left.
func (u *Usage) beforeReaping(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return
	}
	// The name, in parentheses, may hold anything.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 15 {
		return
	}
	user, err1 := strconv.ParseInt(fields[13], 10, 64)
	sys, err2 := strconv.ParseInt(fields[14], 10, 64)
	if err1 == nil && err2 == nil {
		u.ChildrenUser, u.ChildrenSys, u.ChildrenKnown = time.Duration(user)*tick, time.Duration(sys)*tick, true
	}
}

func maxRSS(s *os.ProcessState) int64 {
	if usage, ok := s.SysUsage().(*syscall.Rusage); ok {
		return int64(usage.Maxrss) << 10
	}
	return 0
}
