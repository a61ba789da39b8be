package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/report"
)

// isSaved says that a file is JSON rather than a spool.
func isSaved(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	var head [64]byte
	n, _ := io.ReadFull(file, head[:])
	return strings.HasPrefix(strings.TrimLeft(strings.TrimPrefix(string(head[:n]), "\ufeff"), " \t\r\n"), "{")
}

// readSaved reads a report that was saved with --format json.
func readSaved(path string) (*report.Document, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxTrack+1))
	switch {
	case err != nil:
		return nil, unreadable(path, err)
	case len(text) > maxTrack:
		return nil, errors.New("too large for a report")
	}
	document := &report.Document{}
	if err := json.Unmarshal(text, document); err != nil {
		if !json.Valid(text) {
			return nil, errors.New("not a whole JSON document: was writing it cut short?")
		}
		return nil, fmt.Errorf("not a report that `goat report --format json` wrote: %w", printable.Mismatch(err))
	}
	return document, document.Check()
}

// openSubtract reads the report that --subtract names; nil for none.
func openSubtract(path string) (*report.Document, error) {
	if path == "" {
		return nil, nil
	}
	document, err := readSaved(path)
	if err == nil {
		return document, nil
	}
	e := &goat.Error{Code: goat.CodeUnreadable, Message: "--subtract cannot be read", Path: path}
	e.Hint = "name a report that was saved with `goat report --format json`"
	if _, missing := os.Stat(path); errors.Is(missing, fs.ErrNotExist) {
		e.Code = goat.CodeUsage
	}
	return nil, e.Wrap(err)
}

// sameModule refuses to subtract a report of another module: nothing of it can match.
func sameModule(d, subtract *report.Document) error {
	if subtract == nil || d.Identity.Module == "" || subtract.Identity.Module == "" || d.Identity.Module == subtract.Identity.Module {
		return nil
	}
	return &goat.Error{
		Code:    goat.CodeUsage,
		Message: fmt.Sprintf("--subtract is a report of module %s, not of %s", subtract.Identity.Module, d.Identity.Module),
		Hint:    "name a report of the same module",
	}
}
