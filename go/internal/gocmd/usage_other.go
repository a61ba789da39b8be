//go:build !linux

package gocmd

import "os"

// beforeReaping is for a system that tells of a process's children.
func (u *Usage) beforeReaping(int) {}

func maxRSS(*os.ProcessState) int64 { return 0 }
