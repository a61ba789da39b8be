//go:build go1.21 && unix

package goatrt

import "syscall"

// KeepBeside replaces the file of this suffix beside the spool file.
func KeepBeside(suffix string, text []byte) bool {
	spool := SpoolPath()
	if spool == "" || !mayReach(int64(len(text))) {
		return false
	}
	path := besidePath(spool, suffix)
	fresh := path + ".new"
	fd, err := openRetrying(fresh, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_TRUNC|syscall.O_CLOEXEC|noFollow, spoolMode())
	if err != nil {
		return false
	}
	_ = syscall.Fchmod(fd, spoolMode())
	err = writeFully(fd, text, 0)
	_ = syscall.Close(fd)
	if err == nil {
		err = syscall.Rename(fresh, path)
	}
	if err != nil {
		_ = syscall.Unlink(fresh)
	}
	return err == nil
}

// CrashOutput has Go write a second copy of what it says when the process ends, beside the
// spool file. set tells Go; it refuses where the program has an output of its own.
func CrashOutput(set func(fd uintptr) bool) {
	spool := SpoolPath()
	if spool == "" {
		return
	}
	path := besidePath(spool, ".crash")
	fd, err := openRetrying(path, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_EXCL|syscall.O_APPEND|syscall.O_CLOEXEC|noFollow, spoolMode())
	if err != nil {
		return
	}
	_ = syscall.Fchmod(fd, spoolMode())
	fd = outOfTheWay(fd)
	if !set(uintptr(fd)) {
		_ = syscall.Close(fd)
		_ = syscall.Unlink(path)
		return
	}
	Extend(Extension{Flush: func() { removeEmpty(path) }})
}

// removeEmpty takes the file away at an orderly end.
func removeEmpty(path string) {
	var stat syscall.Stat_t
	if syscall.Lstat(path, &stat) == nil && stat.Size == 0 {
		_ = syscall.Unlink(path)
	}
}
