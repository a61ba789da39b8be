package goat

import (
	"context"
	"encoding/json"
)

// DumpOptions say what [Dump] reads and what it holds it against.
type DumpOptions struct {
	// Sources are dumps of any form: goroutine dumps and crash texts of Go 1.4 and newer,
	// race reports, goroutine profiles as text or protocol buffer, gzip or not, as logs
	// have wrapped them. The form is found by itself.
	Sources []DumpSource
	// Diff are the sources of an older dump; with them every cluster has a Delta.
	Diff []DumpSource
	// Changed are the functions of the change; frames in them are marked.
	Changed []ChangedFunction
	// FailIf is a condition on the figures, such as "leaked>0 || grown>50".
	FailIf string
}

// DumpSource is a file, or a text.
type DumpSource struct {
	// Name is how the source is called in the result and in errors.
	Name string `json:"name"`
	// Path is the file to read.
	Path string `json:"path,omitempty"`
	// Text is read instead of a file where it is not nil.
	Text *string `json:"text,omitempty"`
	// Instance says which process wrote it, where that is known.
	Instance string `json:"instance,omitempty"`
	// CrashOutput says that Go wrote it for debug.SetCrashOutput: without the first line
	// of fatal errors, which is then concluded from the stack.
	CrashOutput bool `json:"crashOutput,omitempty"`
}

// ChangedFunction is a function that a change touches.
type ChangedFunction struct {
	// Package is the import path.
	Package string `json:"package"`
	// File is a slash path relative to the repository's root.
	File string `json:"file"`
	// Func is F, (*T).M or T.M.
	Func string `json:"func"`
	// Lines are the changed lines in it.
	Lines []int `json:"lines"`
}

// ChangedFunctions are the functions in which a plan has points, with their changed lines.
func ChangedFunctions(plan *Result) []ChangedFunction {
	type key struct{ pkg, file, function string }
	at, of := map[key]int{}, map[string]int{}
	var list []ChangedFunction
	for i := range plan.Points {
		p := &plan.Points[i]
		k := key{p.Package, p.File, p.Func}
		if _, known := at[k]; !known {
			at[k] = len(list)
			list = append(list, ChangedFunction{Package: p.Package, File: p.File, Func: p.Func, Lines: []int{}})
		}
		of[p.ID] = at[k]
	}
	for i := range plan.Account {
		l := &plan.Account[i]
		for _, id := range l.Points {
			if f, known := of[id]; known && l.Line > 0 {
				list[f].Lines = append(list[f].Lines, l.Line)
				break
			}
		}
	}
	return list
}

// DumpResult is what was found. JSON is the document as the core wrote it, with every
// field that is documented in docs/diagnostics.md.
type DumpResult struct {
	Format  int              `json:"format"`
	Source  DumpSummary      `json:"source"`
	Sources []DumpSourceInfo `json:"sources"`
	// Clusters are the goroutines that are the same to a person, those that look most
	// like a leak first.
	Clusters []DumpCluster `json:"clusters"`
	// Gone are the clusters of the older dump that are not in this one.
	Gone  []DumpCluster `json:"gone"`
	Locks []DumpLock    `json:"locks"`
	// WaitsFor says which goroutine waits for which.
	WaitsFor []DumpEdge `json:"waitsFor"`
	// Deadlocks are circles of goroutines that wait for each other.
	Deadlocks [][]uint64  `json:"deadlocks"`
	Crashes   []DumpCrash `json:"crashes"`
	Races     []DumpRace  `json:"races"`
	// Figures are what DumpOptions.FailIf may compare.
	Figures map[string]float64 `json:"figures"`
	FailIf  *DumpVerdict       `json:"failIf"`

	// JSON is the whole document.
	JSON json.RawMessage `json:"-"`
}

// DumpSummary is about all sources together.
type DumpSummary struct {
	// Kind is stacks, crash, profile (text), proto, race, mixed or none.
	Kind string `json:"kind"`
	// Goroutines that the sources hold, as far as they say; Parsed of them were read.
	Goroutines uint64 `json:"goroutines"`
	Parsed     uint64 `json:"parsed"`
	// Truncated says that a source ends in the middle.
	Truncated bool `json:"truncated"`
	// NotParsed are runs of lines that no reader knew, at most 50; NotParsedLines counts all.
	NotParsed      []DumpNotParsed `json:"notParsed"`
	NotParsedLines uint64          `json:"notParsedLines"`
}

// DumpNotParsed is a run of lines that was not read.
type DumpNotParsed struct {
	Source string `json:"source"`
	Line   uint64 `json:"line"`
	Lines  uint64 `json:"lines"`
	Reason string `json:"reason"`
	Text   string `json:"text"`
}

// DumpSourceInfo is about one source.
type DumpSourceInfo struct {
	Name       string  `json:"name"`
	Kind       string  `json:"kind"`
	Goroutines uint64  `json:"goroutines"`
	Parsed     uint64  `json:"parsed"`
	Dumps      uint64  `json:"dumps"`
	Truncated  bool    `json:"truncated"`
	Broken     *string `json:"broken"`
	Bytes      uint64  `json:"bytes"`
}

// DumpFrame is one frame of a stack.
type DumpFrame struct {
	Func string `json:"func"`
	File string `json:"file"`
	Line int    `json:"line"`
	// Changed says that the function is changed, ChangedLine that this line is.
	Changed     bool `json:"changed"`
	ChangedLine bool `json:"changedLine"`
	// Own says that it is not code of the Go distribution.
	Own bool `json:"own"`
}

// ChangedIn names a changed function by its package, its file and its name in the plan.
type ChangedIn struct {
	Package string `json:"package"`
	File    string `json:"file"`
	Func    string `json:"func"`
}

// DumpCluster is a group of goroutines.
type DumpCluster struct {
	// ID is the same for the same code on every machine and Go version; StackID is the
	// same after an edit that moves its line, too.
	ID      string `json:"id"`
	StackID string `json:"stackId"`
	// Dimension is channel, select, mutex, netio, block, running, runtime or unknown;
	// Primitive says what exactly.
	Dimension string `json:"dimension"`
	Primitive string `json:"primitive"`
	// NeverWakes says that nothing can end the wait.
	NeverWakes     bool           `json:"neverWakes"`
	Leaked         uint64         `json:"leaked"`
	LockedToThread uint64         `json:"lockedToThread"`
	Count          uint64         `json:"count"`
	WaitMinutes    DumpWait       `json:"waitMinutes"`
	Creator        string         `json:"creator"`
	CreatorFile    string         `json:"creatorFile"`
	CreatorLine    int            `json:"creatorLine"`
	Frames         []DumpFrame    `json:"frames"`
	Stacks         uint64         `json:"stacks"`
	Examples       []uint64       `json:"examples"`
	Labels         []DumpLabelled `json:"labels"`
	// Changed says that a frame or the creator is in a changed function.
	Changed bool `json:"changed"`
	// ChangedIn are the changed functions of its stack, the innermost first, and of its creator.
	ChangedIn []ChangedIn `json:"changedIn"`
	LeakScore float64     `json:"leakScore"`
	Delta     *DumpDelta  `json:"delta"`
}

// DumpWait is for how many minutes the goroutines of a cluster have waited.
type DumpWait struct {
	Min    int `json:"min"`
	Median int `json:"median"`
	Max    int `json:"max"`
}

// DumpLabelled counts the goroutines with these labels.
type DumpLabelled struct {
	Labels map[string]string `json:"labels"`
	Count  uint64            `json:"count"`
}

// DumpDelta is what became of a cluster since the older dump: new, grown, gone or same.
type DumpDelta struct {
	Kind  string `json:"kind"`
	Count int64  `json:"count"`
}

// DumpLock is a lock that goroutines wait for.
type DumpLock struct {
	Address    string      `json:"address"`
	Kind       string      `json:"kind"`
	Waiters    uint64      `json:"waiters"`
	Goroutines []uint64    `json:"goroutines"`
	Clusters   []string    `json:"clusters"`
	Owners     []DumpOwner `json:"owners"`
}

// DumpOwner is a goroutine that may hold a lock. Confidence is high, medium or low.
type DumpOwner struct {
	Goroutine  uint64 `json:"goroutine"`
	Cluster    string `json:"cluster"`
	Func       string `json:"func"`
	Confidence string `json:"confidence"`
	Why        string `json:"why"`
}

// DumpEdge says that one goroutine waits for another.
type DumpEdge struct {
	From       uint64 `json:"from"`
	To         uint64 `json:"to"`
	Lock       string `json:"lock"`
	Confidence string `json:"confidence"`
}

// DumpCrash is a panic, a fatal error or a signal.
type DumpCrash struct {
	Source string `json:"source"`
	Line   uint64 `json:"line"`
	// Kind is panic, fatal or signal.
	Kind    string     `json:"kind"`
	Message string     `json:"message"`
	Chain   []DumpStep `json:"chain"`
	Signal  string     `json:"signal"`
	// Tests were running when go test gave up.
	Tests []string `json:"tests"`
	// Recovered is yes, no or unknown.
	Recovered string      `json:"recovered"`
	Inferred  bool        `json:"inferred"`
	Goroutine uint64      `json:"goroutine"`
	Parent    *uint64     `json:"parent"`
	Creator   string      `json:"creator"`
	Frames    []DumpFrame `json:"frames"`
	Changed   bool        `json:"changed"`
}

// DumpStep is one panic of a chain, the oldest first.
type DumpStep struct {
	Message    string `json:"message"`
	Recovered  bool   `json:"recovered"`
	Repanicked bool   `json:"repanicked"`
}

// DumpRace is a report of the race detector.
type DumpRace struct {
	Source   string       `json:"source"`
	Line     uint64       `json:"line"`
	Address  string       `json:"address"`
	Accesses []DumpAccess `json:"accesses"`
	Created  []DumpAccess `json:"created"`
	Changed  bool         `json:"changed"`
}

// DumpAccess is one side of a race, or the start of one of its goroutines.
type DumpAccess struct {
	Operation string      `json:"operation"`
	Goroutine uint64      `json:"goroutine"`
	State     string      `json:"state"`
	Frames    []DumpFrame `json:"frames"`
}

// DumpVerdict is what became of DumpOptions.FailIf.
type DumpVerdict struct {
	Expression string `json:"expression"`
	Failed     bool   `json:"failed"`
	Because    string `json:"because"`
}

// wireDump is DumpOptions as the core reads them.
type wireDump struct {
	wireHead
	Sources []DumpSource      `json:"sources"`
	Diff    []DumpSource      `json:"diff"`
	Changed []ChangedFunction `json:"changed"`
	FailIf  string            `json:"failIf"`
}

// Dump reads goroutine dumps, crash texts, race reports and goroutine profiles, sorts the
// goroutines by cause and stack, and marks those in changed code. It reads files as a
// stream: memory follows the number of different stacks. A source in which there is
// nothing of this is an error of [CodeNoDump].
func Dump(ctx context.Context, options DumpOptions) (*DumpResult, error) {
	request := &wireDump{
		wireHead: head("dump"), Sources: list(options.Sources), Diff: list(options.Diff),
		Changed: list(options.Changed), FailIf: options.FailIf,
	}
	result := &DumpResult{}
	document, err := runDocument(ctx, request, result)
	if err != nil {
		return nil, err
	}
	result.JSON = document
	return result, nil
}
