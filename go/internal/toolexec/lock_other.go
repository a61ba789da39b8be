//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package toolexec

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

const (
	// lockPoll is how often a waiting helper looks.
	lockPoll = 20 * time.Millisecond
	// lockStale is after how long the holder must have died: no plan takes so long.
	lockStale = 5 * time.Minute
)

// lock creates the lock file, which only one process can, and returns how to remove
// it. Where the kernel has no locks, the age of the file tells a dead holder.
func Lock(name string) (unlock func(), err error) {
	for {
		file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
		if err == nil {
			file.Close()
			return func() { os.Remove(name) }, nil
		}
		if !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrPermission) {
			return nil, err
		}
		if info, err := os.Stat(name); err == nil && time.Since(info.ModTime()) > lockStale {
			os.Remove(name)
			continue
		}
		time.Sleep(lockPoll)
	}
}
