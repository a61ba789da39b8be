//go:build go1.21 && windows

package goatrt

import (
	"os"
	"syscall"
	"time"
)

// canLock: an open spool file shares reading only, so that no one can remove it.
const canLock = true

// spoolFile is the open file. Handles are not inherited.
type spoolFile struct{ handle syscall.Handle }

// createFile makes a new file.
func createFile(path string, _ uint32, _ int64, _ bool) (*spoolFile, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	handle, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE,
		syscall.FILE_SHARE_READ, nil, syscall.CREATE_NEW, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, err
	}
	return &spoolFile{handle}, nil
}

// discard undoes createFile.
func (f *spoolFile) discard(path string) {
	_ = syscall.CloseHandle(f.handle)
	_ = os.Remove(path)
}

// created ends the making of the file.
func (f *spoolFile) created() {}

// put writes buf at offset. A handle is not a small number that the program's
// next file gets: if it was closed, the write fails.
func (f *spoolFile) put(_ string, buf []byte, offset int64) (ours bool, err error) {
	for len(buf) > 0 {
		var n uint32
		at := syscall.Overlapped{Offset: uint32(offset), OffsetHigh: uint32(offset >> 32)}
		if err := syscall.WriteFile(f.handle, buf, &n, &at); err != nil {
			return true, err
		}
		if n == 0 {
			return true, syscall.EIO
		}
		buf, offset = buf[n:], offset+int64(n)
	}
	return true, nil
}

// canSay: whether a write to a pipe or a console would wait is not known here.
func canSay() bool { return true }

// privileged: no program here runs with the rights of another user.
func privileged() bool { return false }

func writeError(line []byte) { _, _ = syscall.Write(syscall.Stderr, line) }

// wallMicros asks the system, because inside a synctest bubble package time
// gives the bubble's time.
func wallMicros() int64 {
	var now syscall.Timeval
	if syscall.Gettimeofday(&now) != nil {
		return time.Now().UnixMicro()
	}
	return int64(now.Sec)*1e6 + int64(now.Usec)
}

func systemRandom(buf []byte) {
	var provider syscall.Handle
	err := syscall.CryptAcquireContext(&provider, nil, nil, syscall.PROV_RSA_FULL,
		syscall.CRYPT_VERIFYCONTEXT|syscall.CRYPT_SILENT)
	if err == nil {
		_ = syscall.CryptGenRandom(provider, uint32(len(buf)), &buf[0])
		_ = syscall.CryptReleaseContext(provider, 0)
	}
}

// removeUnlocked removes a spool file; the system refuses while its process lives.
func removeUnlocked(path string) { _ = os.Remove(path) }

func makeDir(dir string, mode uint32) error { return os.Mkdir(dir, os.FileMode(mode)) }

// eachName reads a directory in portions.
func eachName(dir string, do func(name string) bool) {
	d, err := os.Open(dir)
	if err != nil {
		return
	}
	defer d.Close()
	for {
		names, err := d.Readdirnames(256)
		for _, name := range names {
			if !do(name) {
				return
			}
		}
		if err != nil || len(names) == 0 {
			return
		}
	}
}

// startOf reads when the process of a spool file began.
func startOf(path string) (started uint64, ok bool) {
	f, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	var header [headerSize]byte
	n, _ := f.ReadAt(header[:], 0)
	return startOfHeader(header[:n]), true
}
