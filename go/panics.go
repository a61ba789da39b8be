package goat

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

// PanicsOptions say what [Panics] reads and what it holds it against.
type PanicsOptions struct {
	// Sources are crash texts of Go 1.4 and newer, bare or as logs have wrapped them.
	Sources []DumpSource
	// Events are what the runtime in programs built with `goat build --panics` recorded.
	Events []PanicEvent
	// Modules are the main modules: their code is where a panic is looked for first.
	Modules []string
	// Changed are the functions of the change; frames in them are marked.
	Changed []ChangedFunction
	// FailIf is a condition on the figures, such as "ended>0 || causes.changed>0".
	FailIf string
}

// PanicEvent is what a runtime recorded of one kind of panic.
type PanicEvent struct {
	// Source is the address of the process or its spool; Instance says which process.
	Source   string `json:"source"`
	Instance string `json:"instance"`
	Lane     string `json:"lane"`
	// Phases count by init, startup and traffic.
	Phases    map[string]uint64 `json:"phases"`
	Type      string            `json:"type"`
	Message   string            `json:"message"`
	Recovered string            `json:"recovered"`
	Count     uint64            `json:"count"`
	First     *string           `json:"first"`
	Last      *string           `json:"last"`
	Goroutine uint64            `json:"goroutine"`
	Parent    *uint64           `json:"parent"`
	Creator   *PanicFrame       `json:"creator"`
	// Chain are the panics that passed it on, the oldest first.
	Chain  []PanicStep  `json:"chain"`
	Frames []PanicFrame `json:"frames"`
}

// PanicFrame is one frame of a recorded panic.
type PanicFrame struct {
	Func string `json:"func"`
	File string `json:"file"`
	Line int    `json:"line"`
}

// PanicStep is one panic of a chain.
type PanicStep struct {
	Message string `json:"message"`
}

// PanicsResult is what was found, the worst first. JSON is the document as the core
// wrote it, with every field that is documented in docs/diagnostics.md.
type PanicsResult struct {
	Format  int          `json:"format"`
	Panics  []Panic      `json:"panics"`
	Sources []PanicsText `json:"sources"`
	// Truncated says that a text ends in the middle.
	Truncated      bool            `json:"truncated"`
	NotParsed      []DumpNotParsed `json:"notParsed"`
	NotParsedLines uint64          `json:"notParsedLines"`
	// Figures are what PanicsOptions.FailIf may compare.
	Figures map[string]float64 `json:"figures"`
	FailIf  *DumpVerdict       `json:"failIf"`

	// JSON is the whole document.
	JSON json.RawMessage `json:"-"`
}

// The classes of a panic.
const (
	PanicDefect = "defect"
	// PanicFlow is the standard library's own way back, which it recovers.
	PanicFlow = "flow"
	// PanicAbort is http.ErrAbortHandler.
	PanicAbort = "abort"
)

// PanicKindWord is a kind for readers: panic, fatal error or signal.
func PanicKindWord(kind string) string {
	if kind == "fatal" {
		return "fatal error"
	}
	return kind
}

// Headline says what a panic was: its kind, and the first line of its message or, where
// there is none, its type or signal.
func (p *Panic) Headline() string {
	message, _, _ := strings.Cut(p.Message, "\n")
	return PanicKindWord(p.Kind) + ": " + cmp.Or(message, p.Type, p.Signal, "no message")
}

// End says what became of it; "" where nobody knows.
func (p *Panic) End() string {
	switch {
	case p.Ended > 1:
		return fmt.Sprintf("%d ended a process", p.Ended)
	case p.Ended == 1:
		return "ended the process"
	case p.Recovered == "yes":
		return "recovered"
	}
	return ""
}

// PanicsText is about one text.
type PanicsText struct {
	Name       string  `json:"name"`
	Crashes    uint64  `json:"crashes"`
	Goroutines uint64  `json:"goroutines"`
	Truncated  bool    `json:"truncated"`
	Broken     *string `json:"broken"`
	Bytes      uint64  `json:"bytes"`
}

// Panic is one root cause: what has one kind, one type and one first place in the user's
// code.
type Panic struct {
	// Key is the same on every machine.
	Key string `json:"key"`
	// Kind is panic, fatal or signal.
	Kind string `json:"kind"`
	// Type is that of the value; empty where a text does not tell.
	Type    string `json:"type"`
	Message string `json:"message"`
	// Recovered is yes, no or unknown; no where one of them ended its process.
	Recovered string `json:"recovered"`
	// Class is defect, flow (the standard library's own way back, which it recovers) or
	// abort (http.ErrAbortHandler).
	Class string `json:"class"`
	// Inferred says that the message was concluded from the stack.
	Inferred bool   `json:"inferred"`
	Count    uint64 `json:"count"`
	// Ended counts those that ended a process.
	Ended       uint64     `json:"ended"`
	First       *string    `json:"first"`
	Last        *string    `json:"last"`
	Goroutine   uint64     `json:"goroutine"`
	Parent      *uint64    `json:"parent"`
	Creator     string     `json:"creator"`
	CreatorFile string     `json:"creatorFile"`
	CreatorLine int        `json:"creatorLine"`
	Chain       []DumpStep `json:"chain"`
	Signal      string     `json:"signal"`
	Tests       []string   `json:"tests"`
	// Place is the first place of the user's code; nil where there is no stack.
	Place  *DumpFrame  `json:"place"`
	Frames []DumpFrame `json:"frames"`
	// Changed says that a frame or the go statement is in a changed function.
	Changed bool `json:"changed"`
	// ChangedIn are the changed functions of its stack, the innermost first, and of its creator.
	ChangedIn []ChangedIn `json:"changedIn"`
	// Phases count by init, startup and traffic, as far as that is known.
	Phases    map[string]uint64 `json:"phases"`
	Lanes     []string          `json:"lanes"`
	Instances []string          `json:"instances"`
	Sources   []string          `json:"sources"`
	Line      uint64            `json:"line"`
}

// wirePanics is PanicsOptions as the core reads them.
type wirePanics struct {
	wireHead
	Sources []DumpSource      `json:"sources"`
	Events  []PanicEvent      `json:"events"`
	Modules []string          `json:"modules"`
	Changed []ChangedFunction `json:"changed"`
	FailIf  string            `json:"failIf"`
}

// Panics sorts panics, fatal errors and signals by root cause and marks those in changed
// code. A text in which there is neither a crash nor a goroutine is an error of
// [CodeNoDump].
func Panics(ctx context.Context, options PanicsOptions) (*PanicsResult, error) {
	request := &wirePanics{
		wireHead: head("panics"), Sources: list(options.Sources), Events: list(options.Events),
		Modules: list(options.Modules), Changed: list(options.Changed), FailIf: options.FailIf,
	}
	for i := range request.Events {
		e := &request.Events[i]
		e.Chain = list(e.Chain)
		e.Frames = list(e.Frames)
		e.Phases = maps.Clone(e.Phases)
		if e.Phases == nil {
			e.Phases = map[string]uint64{}
		}
	}
	result := &PanicsResult{}
	document, err := runDocument(ctx, request, result)
	if err != nil {
		return nil, err
	}
	result.JSON = document
	return result, nil
}
