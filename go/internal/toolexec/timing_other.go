//go:build !unix

package toolexec

import "os"

// maxRSS is known on Unix only.
func maxRSS(*os.ProcessState) int64 { return 0 }

// selfTimes is known on Unix only.
func selfTimes() (user, sys int64) { return 0, 0 }
