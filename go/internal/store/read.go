package store

import (
	"errors"
	"io/fs"
	"os"
)

// errIrregular is for what stands where a file should.
var errIrregular = errors.New("it is no regular file")

// ReadFile is [os.ReadFile] for what lies in somebody's repository: a pipe or a device
// there might never end.
func ReadFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "read", Path: name, Err: errIrregular}
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(name)
}
