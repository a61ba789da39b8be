package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Largest is more than any file has that goat reads as a whole: one with a hole in it can
// be larger than the memory.
const Largest = 1 << 30

// errIrregular is for what stands where a file should.
var errIrregular = errors.New("it is no regular file")

func tooLarge(name string, most int64) error {
	return &fs.PathError{Op: "read", Path: name, Err: fmt.Errorf("it holds more than %d MiB", most>>20)}
}

// ReadFile is [os.ReadFile] for what lies in somebody's repository: a pipe or a device
// there might never end, and a file may be none that memory holds.
func ReadFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "read", Path: name, Err: errIrregular}
	}
	if err == nil && info.Size() > Largest {
		err = tooLarge(name, Largest)
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(name)
}

// ReadNamed reads what the user has named, a file or a shell's `<(command)`, if it holds
// no more than most bytes: a device has no end.
func ReadNamed(name string, most int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(text)) > most {
		err = tooLarge(name, most)
	}
	return text, err
}
