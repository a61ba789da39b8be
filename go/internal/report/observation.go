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
	Mode      string
	Host      string
	// State is live, alive, ended or unknown.
	State    string
	Started  time.Time
	Points   []Seen
	Degraded []string
	// Err is set when something is missing; without data Reachable is false.
	Err       error
	Reachable bool
}

// Seen is a point as a process knows it.
type Seen struct {
	Point goat.Point
	Hit   bool
	Count uint64
	// Phase is init, startup or traffic; "" where there was no hit.
	Phase string
	// First is the time of the first hit; zero where it is not known.
	First time.Time
}

// process names a process across its sources.
func (o *Observation) process() string {
	if o.Instance != "" {
		return o.Instance
	}
	return o.Source
}
