package report

import (
	"time"

	"github.com/goat-trace/goat/go"
)

// Observation is what one source says about one process.
type Observation struct {
	// Source is the source's name as it was given.
	Source string
	// Instance is the process's own id; "" where it has none.
	Instance  string
	Component string
	Identity  Identity
	// Built is the plan that the program was built from, where that is not the identity's.
	Built string
	Mode  string
	Host  string
	// Image is the digest of the container's image; "" where none is known.
	Image string
	// Lane is the process's GOAT_LANE; "" is the stable one.
	Lane string
	// Window is how exactly a last hit is known; 0: not at all.
	Window time.Duration
	// Phase is the one the process is in, or ended in; "" where the source does not say.
	Phase string
	// Ended is nil while the process runs, and where that is not known.
	Ended *Ended
	// State is live, alive, ended or unknown.
	State    string
	Started  time.Time
	Points   []Seen
	Degraded []string
	// Build is the build that the program is of; nil where the source does not say. Plain
	// are then the packages with changes that are in the program without a point.
	Build *goat.BuildContext
	Plain []string
	// Panics are those on record; nil where the process does not record them. Crash is what
	// Go wrote when it ended, Goroutines a dump of it while it runs; nil for none.
	Panics     []goat.PanicEvent
	Crash      *goat.DumpSource
	Goroutines *goat.DumpSource
	// Err is set when something is missing; without data Reachable is false.
	Err       error
	Reachable bool
}

// Seen is a point as a process knows it. A fleet has millions of them, so it is small.
type Seen struct {
	// Point is never changed: processes of one build share it.
	Point *goat.Point
	Hit   bool
	Count uint64
	// Phase is the one that proves most: traffic, startup, init; "" where there was no hit.
	Phase string
	// First is the first hit of all, Firsts those of init, startup and traffic; zero where
	// there was none, or its time is not known.
	First  Micros
	Firsts [3]Micros
	// Last is the newest hit, to one window; zero where that is not known.
	Last Micros
}

// Micros is a moment in microseconds since 1970, which is how exactly programs keep the
// times of hits; 0 is none.
type Micros int64

// MicrosOf is a moment, and 0 for the zero time.
func MicrosOf(t time.Time) Micros {
	if t.IsZero() {
		return 0
	}
	return Micros(t.UnixMicro())
}

// time is the moment; nil for none.
func (m Micros) time() *time.Time {
	if m == 0 {
		return nil
	}
	t := time.UnixMicro(int64(m)).UTC()
	return &t
}

// process names a process across its sources.
func (o *Observation) process() string {
	if o.Instance != "" {
		return o.Instance
	}
	return o.Source
}
