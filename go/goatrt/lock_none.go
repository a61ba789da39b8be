//go:build go1.21 && (aix || (solaris && !illumos) || wasip1)

package goatrt

// canLock says whether a live process can be told from a dead one; where it
// cannot, no spool file is ever removed.
const canLock = false

func lockOwn(int) {}

func eachName(string, func(string) bool) {}

func startOf(string) (uint64, bool) { return 0, false }

func removeUnlocked(string) {}
