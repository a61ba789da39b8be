// Package report is the document that says which points of a plan ran: it joins what the
// sources say by point id and holds it against the account. It reads nothing itself.
package report

import (
	"encoding/json"
	"time"

	"github.com/goat-trace/goat/go"
)

// Format is the number of the report document.
const Format = 1

// Document is the report (contracts: `goat report --format json`).
type Document struct {
	Format int `json:"format"`
	// Goat is what made the report.
	Goat     goat.Identity `json:"goat"`
	Identity Identity      `json:"identity"`
	// Instances are the processes that were asked, one entry per source and process.
	Instances []Instance `json:"instances"`
	// Points are those that the programs hold, in the plan's order.
	Points []Point `json:"points"`
	// Lines are the tracked lines of the account in code that the programs hold; null when
	// there is no account.
	Lines []Line `json:"lines"`
	// Account is every changed line of the plan with its state, and every place where
	// lines were only removed, in the plan's order; null when there is no account. Files
	// are the changed files that have one reason as a whole (their lines are not in
	// Account), Other is what changed beside Go code.
	Account []Change           `json:"account"`
	Files   []goat.AccountFile `json:"files"`
	// Sources are the files of Account and the builds that take them.
	Sources []goat.Source `json:"sources,omitempty"`
	Other   []goat.Other  `json:"other"`
	// LinesMissing says why there is no account.
	LinesMissing string `json:"linesMissing,omitempty"`
	// NotLinked are points of the plan that no program of the report holds.
	NotLinked []goat.Point `json:"notLinked,omitempty"`
	// Dropped counts the points of programs built from other plans that the counting
	// plan does not have.
	Dropped int `json:"dropped"`
	// Degraded are packages that some program holds without their points.
	Degraded []string `json:"degraded"`
	// Lanes holds the gray lanes against the stable one; null where there is only one kind.
	Lanes *LaneSplit `json:"lanes"`
	// Panics are those that the processes recorded, by root cause, with the points beside
	// each; null where no source records them. Dump are their goroutines in clusters, the
	// same way; null without a dump. BesideMissing says why they could not be looked at.
	Panics        []Panic `json:"panics"`
	Dump          *Dump   `json:"dump"`
	BesideMissing string  `json:"besideMissing,omitempty"`
	// Shown is set where the document holds less than it could, or sums on top.
	Shown *Shown `json:"shown,omitempty"`
	// Counting says what counts as run.
	Counting Counting `json:"counting"`
	Summary  Summary  `json:"summary"`
}

// Identity says what the report is about: the plan that counts.
type Identity struct {
	App         string `json:"app"`
	Version     string `json:"version"`
	Module      string `json:"module"`
	PlanHash    string `json:"planHash"`
	Base        Ref    `json:"base"`
	Release     Ref    `json:"release"`
	Dirty       bool   `json:"dirty"`
	ContentHash string `json:"contentHash"`
	Granularity string `json:"granularity"`
	Precision   int    `json:"precision"`
}

// Ref is a name and the commit that it meant.
type Ref struct {
	Ref    string `json:"ref"`
	Commit string `json:"commit"`
}

// Instance is one process, as one source showed it, or a source that failed.
type Instance struct {
	Source string `json:"source"`
	// Instance is the process's own id, the same in the live view and in the spool.
	Instance  string `json:"instance,omitempty"`
	Component string `json:"component,omitempty"`
	PlanHash  string `json:"planHash,omitempty"`
	Mode      string `json:"mode,omitempty"`
	Host      string `json:"host,omitempty"`
	// Image is the digest of the container's image, where that is known.
	Image   string     `json:"image,omitempty"`
	Started *time.Time `json:"started"`
	// State is live, alive, ended or unknown.
	State string `json:"state,omitempty"`
	// Lane names the gray lane of the process (GOAT_LANE); "" is the stable one.
	Lane string `json:"lane"`
	// Window is how exactly the process knows a last hit, as a duration; "0s": not at all.
	Window string `json:"window,omitempty"`
	// Phase is the one that the process is in, or that it ended in; "" where the source
	// does not say.
	Phase string `json:"phase,omitempty"`
	// Ended says how a process ended; null while it runs, and where that is not known.
	Ended *Ended `json:"ended"`
	// Build is the build that the program is of; null where the source does not say. Plain
	// are then the packages with changes that are in the program without a point.
	Build *goat.BuildContext `json:"build,omitempty"`
	Plain []string           `json:"plain,omitempty"`
	// Tests says that it is a test binary: what it ran, tests asked for.
	Tests     bool `json:"tests,omitempty"`
	Reachable bool `json:"reachable"`
	// Error says what could not be read; there may be data all the same.
	Error  *string `json:"error"`
	Points int     `json:"points"`
	Hit    int     `json:"hit"`
	// Ran has one letter for each of the document's points, in their order: t, s, i for
	// the phase that proves most in this process (traffic, startup, init), - for a point
	// that did not run, . for one that the process does not hold. "" without data.
	Ran string `json:"ran,omitempty"`
}

// Ended is how a process ended.
type Ended struct {
	// At is when; null after a kill or a crash, which nobody notes.
	At *time.Time `json:"at"`
	// Orderly says that the process came to the end of main or to os.Exit.
	Orderly bool `json:"orderly"`
	// Phase is the one it ended in: after init or startup, no point of the process can
	// have been reached by traffic. "" where the source does not say.
	Phase string `json:"phase"`
}

// Point is a point with the evidence for it.
type Point struct {
	goat.Point
	Hit bool `json:"hit"`
	// Count is the number of hits, for points that count; else null.
	Count *uint64 `json:"count"`
	// FirstHit is the first of all hits, in whatever phase and process.
	FirstHit *time.Time `json:"firstHit"`
	// FirstTraffic is the first hit in the phase traffic.
	FirstTraffic *time.Time `json:"firstTraffic"`
	// LastHit is the newest hit of all, known to one window of its process; null where
	// no process that hit it has windows.
	LastHit *time.Time `json:"lastHit"`
	// Phases are the first hits of each phase; null when it was not hit.
	Phases *FirstHits `json:"phases"`
	// Phase is the one that proves most among the processes: traffic, startup, init.
	Phase *string `json:"phase"`
	// HitInstances counts the processes that hit it, Instances those that hold it.
	HitInstances int `json:"hitInstances"`
	Instances    int `json:"instances"`
	// Lanes are the same over the processes of one lane each, ordered by name.
	Lanes []LaneHits `json:"lanes"`
}

// FirstHits are the first hits of a point, phase by phase; null where there was none.
type FirstHits struct {
	Init    *time.Time `json:"init"`
	Startup *time.Time `json:"startup"`
	Traffic *time.Time `json:"traffic"`
}

// LaneHits is what the processes of one lane say about a point.
type LaneHits struct {
	Lane string `json:"lane"`
	// Phase is the one that proves most in this lane; null when it was not hit there.
	Phase        *string    `json:"phase"`
	FirstHit     *time.Time `json:"firstHit"`
	FirstTraffic *time.Time `json:"firstTraffic"`
	LastHit      *time.Time `json:"lastHit"`
	HitInstances int        `json:"hitInstances"`
	Instances    int        `json:"instances"`
}

// Line is a tracked line of the account.
type Line struct {
	File   string   `json:"file"`
	Line   int      `json:"line"`
	Points []string `json:"points"`
	// Reached is all, some or none: how many of its points ran.
	Reached string `json:"reached"`
	// Evidence is reached (granularity line) or entered: what a hit vouches for.
	Evidence string `json:"evidence"`
}

// Phases counts hit points by the phase that proves most.
type Phases struct {
	Init    int `json:"init"`
	Startup int `json:"startup"`
	Traffic int `json:"traffic"`
}

// Summary is the sum. Phases are those that the points ran in, whether or not that counts.
type Summary struct {
	Points int `json:"points"`
	Hit    int `json:"hit"`
	// Ratio is hit / points; null when there are no points.
	Ratio *float64 `json:"ratio"`
	// Lines counts the tracked lines, LinesReached those of which all points ran.
	Lines        int    `json:"lines"`
	LinesReached int    `json:"linesReached"`
	Phases       Phases `json:"phases"`
	NotLinked    int    `json:"notLinked"`
	// LinesNotLinked counts the tracked lines of the plan that are in no program.
	LinesNotLinked int `json:"linesNotLinked"`
	// Changed sums up the account; null without one.
	Changed *Changed `json:"changed"`
	// Panics sums them up; null where no source records them.
	Panics *PanicSum `json:"panics"`
	// Sources and Failed count what was asked and what could not be read.
	Sources int `json:"sources"`
	Failed  int `json:"failed"`
}

// Outcome says how much of the sources was read.
type Outcome int

const (
	// Complete means that every source was read as a whole.
	Complete Outcome = iota
	// Partial means that part of them could not be read.
	Partial
	// Nothing means that none could be read.
	Nothing
)

// Outcome tells how far the report can be relied on.
func (d *Document) Outcome() Outcome {
	read := 0
	for i := range d.Instances {
		if d.Instances[i].Reachable {
			read++
		}
	}
	switch {
	case read == 0:
		return Nothing
	case d.Summary.Failed > 0:
		return Partial
	}
	return Complete
}

// MarshalJSON writes empty lists as [], but keeps lines null without an account.
func (d *Document) MarshalJSON() ([]byte, error) {
	type document Document
	full := document(*d)
	if full.Instances == nil {
		full.Instances = []Instance{}
	}
	if full.Points == nil {
		full.Points = []Point{}
	}
	if full.Account != nil && full.Files == nil {
		full.Files = []goat.AccountFile{}
	}
	if full.Account != nil && full.Other == nil {
		full.Other = []goat.Other{}
	}
	if full.Degraded == nil {
		full.Degraded = []string{}
	}
	return json.Marshal(full)
}
