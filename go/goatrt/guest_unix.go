//go:build go1.21 && unix && !linux

package goatrt

func outOfTheWay(fd int) int { return fd }

// privileged tells whether the program has rights that its caller lacks: then the
// caller's environment is not obeyed.
func privileged() bool { return differ() }

// canSay: there is no way to ask that all of these systems have, whether a write would
// wait or a terminal would stop us; whoever writes is a goroutine of its own.
func canSay() bool { return true }
