//go:build !linux

package toolexec

import "os/exec"

// tie is for systems that can end a tool together with its helper.
func tie(*exec.Cmd) (untie func()) { return func() {} }
