// Package spool reads the files in which instrumented processes keep the
// evidence of what ran (docs/spool-format.md).
package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// Format is the newest format number that this package reads; it reads all before.
const Format = 2

// MaxSize is the size beyond which a file is not believed to be a spool.
const MaxSize = 1 << 30

// What a header may claim.
const (
	largestHeader = 512
	maxInfo       = 1 << 20
	maxTexts      = 256 << 20
	maxPadding    = 4096
)

// Reasons why a file gives nothing, or not everything.
var (
	// ErrNotSpool is for a file of another kind.
	ErrNotSpool = errors.New("not a goat spool file")
	// ErrUnfinished is for a spool that its process is still making, or died while making.
	ErrUnfinished = errors.New("its process had not finished making it")
	// ErrTruncated is for a spool that has lost its end; Read returns what is left.
	ErrTruncated = errors.New("the end of the file is missing")
	// ErrForeign is for a file that some other user has put into a directory.
	ErrForeign = errors.New("it belongs to another user, in a directory that everybody may write to; name the file itself to believe it")
	// ErrDamaged is for a spool whose bytes contradict each other.
	ErrDamaged = errors.New("the file is damaged")
)

// FormatError is for a spool of another goat.
type FormatError struct{ Got uint32 }

// Error names both formats.
func (e *FormatError) Error() string {
	return fmt.Sprintf("spool format %d, this goat reads 1 to %d: use the goat that built the program", e.Got, Format)
}

// Liveness says whether the process of a file still runs.
type Liveness string

// The states of Liveness. Unknown is for systems and modes without a lock.
const (
	Alive   Liveness = "alive"
	Ended   Liveness = "ended"
	Unknown Liveness = "unknown"
)

// Identity says what wrote the file; the fields are those of the plan's table.
type Identity struct {
	Goat, App, Version, Component       string
	Base, BaseCommit                    string
	Release, ReleaseCommit, ContentHash string
	Dirty                               bool
	Plan, Granularity, Mode, Module     string
	Precision                           int
	Instance, Host, Lane                string
	// GOOS and the like are of the build, empty where the program does not say; Plain are
	// the packages with changes that have no points in it.
	GOOS, GOARCH, GoVersion string
	Cgo                     bool
	Tags, Plain             []string
	window                  string
}

// Point is one code point and what the file says about it.
type Point struct {
	Package, ID, Name, Kind, Form    string
	File, Func                       string
	Line, Column, EndLine, EndColumn int

	Hit    bool
	Phase  string       // the one that proves most of those it was hit in; "" when not hit
	First  time.Time    // of all hits; zero when not hit
	Firsts [3]time.Time // the first hit of init, startup, traffic
	Last   time.Time    // to one window; zero when not hit and where windows are off
	Count  uint64       // hits of a counting point, else 0
}

// File is the content of one spool file at one moment.
type File struct {
	Path     string
	Plan     string
	Identity Identity
	PID      int
	Address  string // of the server, "" when there is none
	Started  time.Time
	Sealed   time.Time // zero when the process has not ended in an orderly way
	Reset    time.Time // of the last POST /reset, else zero
	// Phase is the one the process is in, or ended in; "" in files of format 1.
	Phase string
	// Window is how exactly a last hit is known; 0: not at all.
	Window   time.Duration
	Live     Liveness
	Degraded []string // packages built without their points
	Points   []Point
	Missing  int // points of which something is lost
	format   uint32
}

// Read reads one file. With ErrTruncated and ErrDamaged the file may be there
// too, with what could be read.
func Read(path string) (*File, error) {
	f, err := readOnce(path)
	for again := 0; again < 3 && errors.Is(err, ErrDamaged); again++ {
		// A slot may have been read while its process wrote it.
		time.Sleep(time.Millisecond)
		f, err = readOnce(path)
	}
	if err != nil {
		err = &os.PathError{Op: "spool", Path: path, Err: err}
	}
	return f, err
}

func readOnce(path string) (*File, error) {
	data, err := load(path)
	if err != nil {
		return nil, err
	}
	f, err := Decode(data)
	if f != nil {
		f.Path = path
		f.Live = liveness(path, f)
	}
	return f, err
}

// Look tells a spool from another file by how it begins. One that is being made begins like
// one.
func Look(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return ErrNotSpool
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, int64(len(magic))))
	if err == nil {
		err = checkStart(head)
	}
	if errors.Is(err, ErrUnfinished) || errors.Is(err, ErrTruncated) {
		return nil
	}
	return err
}

// load reads a regular file as far as its header says that a spool goes, which is
// checked against the point table first: a large file costs no memory for claiming to
// be a spool.
func load(path string) ([]byte, error) {
	before, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	// Checked before opening: opening a named pipe would wait for its writer.
	if !before.Mode().IsRegular() || before.Size() > MaxSize {
		return nil, ErrNotSpool
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, largestHeader))
	if err != nil {
		return nil, err
	}
	b, err := open(head)
	if err != nil {
		return nil, err
	}
	return b.rest(f)
}

// rest reads the texts, and then the records of as many points as they have lines.
func (b *body) rest(f io.Reader) ([]byte, error) {
	texts := b.tableAt + b.tableLen
	if b.infoLen > maxInfo || texts > maxTexts || b.size-texts > uint64(b.points)*b.perPoint+maxPadding {
		return nil, fmt.Errorf("%w: impossible sizes in the header", ErrDamaged)
	}
	data := b.data
	for _, end := range []uint64{texts, b.size} {
		if end > uint64(len(data)) {
			more, err := io.ReadAll(io.LimitReader(f, int64(end)-int64(len(data))))
			if err != nil {
				return nil, err
			}
			data = append(data, more...)
		}
		if end == texts && uint64(len(data)) >= texts && uint64(bytes.Count(data[b.tableAt:texts], []byte("\n"))) < uint64(b.points) {
			return nil, fmt.Errorf("%w: %d points are more than the table has lines", ErrDamaged, b.points)
		}
	}
	return data[:min(uint64(len(data)), b.size)], nil
}

// Result is what one file of a directory gave.
type Result struct {
	Path string
	File *File
	Err  error
}

// ReadDir reads all spool files of a directory, the oldest process first. Files
// with other names are passed over; the error is about the directory itself. In a
// directory that everybody may write to, files are believed that belong to this user, to
// the directory's owner or to root; the others give ErrForeign.
func ReadDir(dir string) ([]Result, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	foreign := strangers(dir)
	var results []Result
	for _, entry := range entries {
		if !IsName(entry.Name()) {
			continue
		}
		path := filepath.Join(dir, entry.Name())
		if err := foreign(path); err != nil {
			results = append(results, Result{Path: path, Err: err})
			continue
		}
		f, err := Read(path)
		if errors.Is(err, os.ErrNotExist) {
			continue // a newer process removed it meanwhile
		}
		results = append(results, Result{path, f, err})
	}
	sort.SliceStable(results, func(i, j int) bool { return began(results[i]).Before(began(results[j])) })
	return results, nil
}

func began(r Result) time.Time {
	if r.File == nil {
		return time.Time{}
	}
	return r.File.Started
}

// IsName tells whether a base name is one that a spool file has.
func IsName(name string) bool {
	return strings.HasPrefix(name, "goat-") && strings.HasSuffix(name, ".spool")
}

// liveness asks for the lock where a process of that mode holds one.
func liveness(path string, f *File) Liveness {
	switch {
	case !f.Sealed.IsZero():
		return Ended
	case f.Identity.Mode == "test":
		return Unknown
	}
	return locked(path, f.format)
}
