package gocmd

import (
	"os/exec"
	"time"
)

// Usage is what a go command took, with everything that it has started and waited for.
type Usage struct {
	Wall, User, Sys time.Duration
	// MaxRSS is the most memory that one of the processes had at once, in bytes; 0 where the
	// system does not tell.
	MaxRSS int64
	// ChildrenUser and ChildrenSys are the part of go's children, where ChildrenKnown.
	ChildrenUser, ChildrenSys time.Duration
	ChildrenKnown             bool
}

// take reads the account of a process that has been waited for.
func (u *Usage) take(cmd *exec.Cmd, started time.Time) {
	u.Wall = time.Since(started)
	if s := cmd.ProcessState; s != nil {
		u.User, u.Sys, u.MaxRSS = s.UserTime(), s.SystemTime(), maxRSS(s)
	}
}
