//go:build !linux

package compat

import "os"

// peakMemory is not known here; the script is skipped.
func peakMemory(*os.ProcessState) int64 { return 0 }
