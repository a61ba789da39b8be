// Package recorded is what programs built with --panics keep of their panics: the answer
// of GET /panics, and the files beside a spool file.
package recorded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/printable"
)

// Files beside a spool file, in place of its suffix.
const (
	SpoolSuffix  = ".spool"
	panicsSuffix = ".panics"
	crashSuffix  = ".crash"
)

// Most is how long a record may be: 4096 root causes with all their frames.
const Most = 64 << 20

// Record is what a process recorded.
type Record struct {
	Format   int               `json:"format"`
	Module   string            `json:"module"`
	PlanHash string            `json:"planHash"`
	Instance string            `json:"instance"`
	Lane     string            `json:"lane"`
	Lost     uint64            `json:"lost"`
	Panics   []goat.PanicEvent `json:"panics"`
}

// Decode reads a record; each event says where it comes from. With an error there is the
// part of it that could be read.
func Decode(text []byte, source string) (*Record, error) {
	r := &Record{}
	if err := json.Unmarshal(text, r); err != nil {
		return r, printable.Mismatch(err)
	}
	if r.Format != goat.Format {
		return r, fmt.Errorf("format %d, this goat reads %d", r.Format, goat.Format)
	}
	for i := range r.Panics {
		e := &r.Panics[i]
		e.Source, e.Instance, e.Lane = source, r.Instance, r.Lane
	}
	return r, nil
}

// Beside is what lies beside a spool file.
type Beside struct {
	// Record is what the runtime recorded; nil where it recorded nothing.
	Record *Record
	// Crash is what Go wrote when the process ended; nil where there is none.
	Crash *goat.DumpSource
}

// Any reports whether something lies beside a spool file.
func Any(spool string) bool {
	for _, suffix := range []string{panicsSuffix, crashSuffix} {
		if _, err := os.Stat(with(spool, suffix)); err == nil {
			return true
		}
	}
	return false
}

func with(spool, suffix string) string { return strings.TrimSuffix(spool, SpoolSuffix) + suffix }

// Read reads what lies beside a spool file, as far as it is there.
func Read(spool string) (Beside, error) {
	var b Beside
	name, instance := filepath.ToSlash(spool), ""
	path := with(spool, panicsSuffix)
	text, err := os.ReadFile(path)
	switch {
	case err == nil:
		if b.Record, err = Decode(text, name); err != nil {
			e := &goat.Error{Code: goat.CodeUnreadable, Message: "this is no record of panics", Path: path}
			return b, e.Wrap(err)
		}
		instance = b.Record.Instance
	case !errors.Is(err, fs.ErrNotExist):
		e := &goat.Error{Code: goat.CodeUnreadable, Message: "the record of panics cannot be read", Path: path}
		return b, e.Wrap(errors.Unwrap(err))
	}
	path = with(spool, crashSuffix)
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return b, nil
	}
	if path, err = filepath.Abs(path); err == nil {
		b.Crash = &goat.DumpSource{Name: name, Path: path, Instance: instance, CrashOutput: true}
	}
	return b, err
}
