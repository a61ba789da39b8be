//go:build go1.21 && wasip1

package goatrt

func mayReach(int64) bool { return true }

func privileged() bool { return false }

func canSay() bool { return true }

func outOfTheWay(fd int) int { return fd }
