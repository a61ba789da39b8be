//go:build go1.21 && plan9

package goatrt

import (
	"os"
	"syscall"
	"time"
)

// canLock: no spool file is ever removed here.
const canLock = false

// spoolFile is the open file.
type spoolFile struct{ file *os.File }

// createFile makes a new file.
func createFile(path string, mode uint32, _ int64, _ bool) (*spoolFile, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|syscall.O_CLOEXEC, os.FileMode(mode))
	if err != nil {
		return nil, err
	}
	return &spoolFile{file}, nil
}

// discard undoes createFile.
func (f *spoolFile) discard(path string) {
	_ = f.file.Close()
	_ = os.Remove(path)
}

// created ends the making of the file.
func (f *spoolFile) created() {}

// put writes buf at offset.
func (f *spoolFile) put(_ string, buf []byte, offset int64) (ours bool, err error) {
	_, err = f.file.WriteAt(buf, offset)
	return true, err
}

func canSay() bool { return true }

func privileged() bool { return false }

func writeError(line []byte) { _, _ = syscall.Write(2, line) }

// wallMicros asks the system, because inside a synctest bubble package time
// gives the bubble's time.
func wallMicros() int64 {
	var now syscall.Timeval
	if syscall.Gettimeofday(&now) != nil {
		return time.Now().UnixMicro()
	}
	return int64(now.Sec)*1e6 + int64(now.Usec)
}

// systemRandom fills buf as far as the system can.
func systemRandom(buf []byte) {
	if f, err := os.Open("/dev/random"); err == nil {
		_, _ = f.Read(buf)
		_ = f.Close()
	}
}

func makeDir(dir string, mode uint32) error { return os.Mkdir(dir, os.FileMode(mode)) }

func eachName(string, func(string) bool) {}

func startOf(string) (uint64, bool) { return 0, false }

func removeUnlocked(string) {}
