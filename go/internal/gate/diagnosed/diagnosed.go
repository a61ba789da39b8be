// Package diagnosed is what checks have in common that judge diagnostics (goroutines,
// panics): where these are read, what they are compared with, and how that is said.
package diagnosed

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gate"
)

// Group is one group of processes: where its diagnostics are.
type Group struct {
	Title    string   `key:"name" help:"name of this check, where there are several"`
	Sources  []string `key:"sources" help:"addresses of the canary's processes (http://host:port), or files"`
	Baseline []string `key:"baseline" help:"older files, or addresses of stable processes, that the canary's are compared with"`
	FailIf   string   `key:"failIf" help:"a condition on the figures of the verb of this name, as its --fail-if takes it"`
}

// Validate refuses what cannot be looked at.
func (g *Group) Validate() error {
	if len(g.Sources) == 0 {
		return errors.New("sources is missing: where the canary's are")
	}
	return nil
}

// NameOf is the name of a check of this kind.
func (g *Group) NameOf(check string) gate.Name {
	if g.Title == "" {
		return gate.Name{Check: check, Name: check}
	}
	return gate.Name{Check: check, Name: g.Title}
}

// Query is what was asked.
func (g *Group) Query() string { return strings.Join(g.Sources, " ") }

// Unmarked adds a reason where nobody knows which code is changed: then nothing is found
// in it, which proves nothing. change says what the plan compares that marked it.
func Unmarked(change string, f *gate.Finding) {
	if change == "" {
		f.Add(gate.Reason{Verdict: gate.Inconclusive,
			Message: "which code the release changes is not known, for there is no plan: run `goat plan` here before, or name one with --plan"})
	}
}

// NotRead is the finding where reading failed: a condition that cannot be understood is
// wrong for ever.
func (g *Group) NotRead(check string, err error) gate.Finding {
	var known *goat.Error
	if errors.As(err, &known) && (known.Code == goat.CodeUsage || known.Code == goat.CodeBadRequest) {
		return gate.Finding{Misconfigured: fmt.Errorf("check.%s: %w", check, err)}
	}
	return gate.CouldNotLook(g.Query(), errors.New(gate.Said(err)))
}

// Most judges a number that may be as large as most, and no larger.
func Most(message string, is, most uint64, unit, query string) gate.Reason {
	v := gate.Pass
	if is > most {
		v = gate.Fail
	}
	return gate.Reason{Verdict: v, Message: message, Value: is, Threshold: most, Unit: unit, Query: query}
}

// Condition adds what became of failIf.
func (g *Group) Condition(v *goat.DumpVerdict, f *gate.Finding) {
	if v != nil && v.Failed {
		f.Add(gate.Reason{Verdict: gate.Fail, Message: "failIf: " + v.Because, Threshold: v.Expression, Query: g.Query()})
	}
}

// Place is a frame as a reason's place; nil without one.
func Place(frame *goat.DumpFrame) *gate.Place {
	if frame == nil {
		return nil
	}
	return &gate.Place{File: frame.File, Line: frame.Line, Func: frame.Func}
}
