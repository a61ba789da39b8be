package golist

import (
	"errors"
	"path/filepath"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/plan"
)

// readable refuses what go would wait for, or read without end, to learn which modules
// there are.
func (q *Query) readable() error {
	file := plan.Irregular(q.Dir, q.Environ.Setting("GOWORK"))
	if file == "" {
		return nil
	}
	return &goat.Error{
		Code: goat.CodeUnreadable, Message: "go would wait at " + filepath.Base(file) + " or read it without end", Path: file,
		Hint: "put a file in its place, or remove it",
	}
}

// waits makes an error of a pipe that go waits for.
func waits(err error) error {
	var e *gocmd.WaitError
	if !errors.As(err, &e) {
		return nil
	}
	return &goat.Error{Code: goat.CodeUnreadable, Message: e.Error(), Path: e.Pipe, Hint: "put a file in its place, or remove it"}
}
