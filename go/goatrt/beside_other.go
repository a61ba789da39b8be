//go:build go1.21 && !unix

package goatrt

import "os"

// KeepBeside replaces the file of this suffix beside the spool file.
func KeepBeside(suffix string, text []byte) bool {
	spool := SpoolPath()
	if spool == "" {
		return false
	}
	path := besidePath(spool, suffix)
	fresh := path + ".new"
	err := os.WriteFile(fresh, text, os.FileMode(spoolMode()))
	if err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		_ = os.Remove(fresh)
	}
	return err == nil
}

// CrashOutput does nothing here.
func CrashOutput(func(fd uintptr) bool) {}
