package goat

import (
	"context"
	"encoding/json"
)

// ProfileOptions say what [Profile] reads and what it holds it against.
type ProfileOptions struct {
	// Sources are profiles in the format of pprof, of one kind; they are added up.
	Sources []DumpSource
	// Diff are older ones; with them every function has a Delta.
	Diff []DumpSource
	// Changed are the functions of the change; nil where none is known.
	Changed []ChangedFunction
	// Sample is the column of values, as alloc_space; empty for the profile's default.
	Sample string
	// Pprof asks for the sum as pprof reads it; with Diff for the difference.
	Pprof bool
}

// ProfileResult is what was found. JSON is the document as the core wrote it.
type ProfileResult struct {
	Format int           `json:"format"`
	Source ProfileSource `json:"source"`
	// Types are the columns that the profile has, Type is the one that is shown.
	Types []ProfileType `json:"types"`
	Type  ProfileType   `json:"type"`
	Total int64         `json:"total"`
	// OldTotal is that of the older profile.
	OldTotal *int64 `json:"oldTotal"`
	// Change is what the changed functions cost, nil where no change is known; OldChange what those functions cost in the
	// older profile.
	Change    *ProfileChange `json:"change"`
	OldChange *ProfileChange `json:"oldChange"`
	// Functions begin with the most costly.
	Functions []ProfileFunction `json:"functions"`
	// Stacks begin with the most costly; at most 2000.
	Stacks []ProfileStack `json:"stacks"`

	// Pprof is what ProfileOptions.Pprof asks for.
	Pprof []byte `json:"-"`
	// JSON is the whole document.
	JSON json.RawMessage `json:"-"`
}

// ProfileSource is about all sources together.
type ProfileSource struct {
	Profiles int    `json:"profiles"`
	Samples  uint64 `json:"samples"`
	// Time is the start of the first one in nanoseconds since 1970, 0 where none says.
	Time            int64   `json:"time"`
	DurationSeconds float64 `json:"durationSeconds"`
}

// ProfileType is a column of values and its unit.
type ProfileType struct {
	Type string `json:"type"`
	Unit string `json:"unit"`
}

// ProfileChange is what changed functions cost.
type ProfileChange struct {
	// Value is of the stacks that pass through a changed function, Share its part of the
	// total; nil where that is 0.
	Value int64    `json:"value"`
	Share *float64 `json:"share"`
	// Own is in changed functions themselves.
	Own      int64    `json:"own"`
	OwnShare *float64 `json:"ownShare"`
	// Functions counts the changed functions that were met.
	Functions int `json:"functions"`
}

// ProfileFunction is what one function costs: Flat in itself, Cum with what it calls.
type ProfileFunction struct {
	Func      string   `json:"func"`
	File      string   `json:"file"`
	Line      int      `json:"line"`
	Flat      int64    `json:"flat"`
	Cum       int64    `json:"cum"`
	FlatShare *float64 `json:"flatShare"`
	CumShare  *float64 `json:"cumShare"`
	Changed   bool     `json:"changed"`
	// Own says that it is not code of the Go distribution.
	Own   bool          `json:"own"`
	Delta *ProfileDelta `json:"delta"`
}

// ProfileDelta is what became of a function since the older profile: new, grown, shrunk,
// gone or same, by its share of the total.
type ProfileDelta struct {
	Kind      string  `json:"kind"`
	Flat      int64   `json:"flat"`
	Cum       int64   `json:"cum"`
	FlatShare float64 `json:"flatShare"`
	CumShare  float64 `json:"cumShare"`
}

// ProfileStack is a stack, the innermost frame first.
type ProfileStack struct {
	Frames []DumpFrame `json:"frames"`
	Value  int64       `json:"value"`
	// Old is its value in the older profile.
	Old *int64 `json:"old"`
}

// wireProfile is ProfileOptions as the core reads them.
type wireProfile struct {
	wireHead
	Sources []DumpSource      `json:"sources"`
	Diff    []DumpSource      `json:"diff"`
	Changed []ChangedFunction `json:"changed"`
	Sample  string            `json:"sample"`
	Pprof   bool              `json:"pprof"`
}

// Profile reads profiles in the format of pprof, gzip or not, adds them up, and says what
// each function costs and which part of it is the change's. A source that is no profile
// is an error of [CodeNoProfile].
func Profile(ctx context.Context, options ProfileOptions) (*ProfileResult, error) {
	request := &wireProfile{
		wireHead: head("profile"), Sources: list(options.Sources), Diff: list(options.Diff),
		Changed: options.Changed, Sample: options.Sample, Pprof: options.Pprof,
	}
	answer, err := runAbandoned(ctx, request, nil)
	if err != nil {
		return nil, err
	}
	var both struct {
		Document json.RawMessage `json:"document"`
		Pprof    []byte          `json:"pprof"`
	}
	if err := decodeResult(answer, &both); err != nil {
		return nil, err
	}
	result := &ProfileResult{JSON: both.Document, Pprof: both.Pprof}
	if err := json.Unmarshal(both.Document, result); err != nil {
		return nil, (&Error{Code: CodeInternal, Message: "the core's answer cannot be read"}).Wrap(err)
	}
	return result, nil
}
