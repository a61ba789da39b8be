//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// lockStale is after how long the holder must have died: no plan takes so long.
const lockStale = 5 * time.Minute

// tryLock creates the lock file, which only one process can; unlock is nil where it
// exists. Where the kernel has no locks, the age of the file tells a dead holder.
func tryLock(name string) (unlock func(), err error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		_, _ = fmt.Fprintln(file, os.Getpid())
		file.Close()
		return func() { os.Remove(name) }, nil
	}
	if !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrPermission) {
		return nil, err
	}
	if info, err := os.Stat(name); err == nil && time.Since(info.ModTime()) > lockStale {
		os.Remove(name)
	}
	return nil, nil
}
