package contract

import (
	"fmt"

	"github.com/goat-trace/goat/go/internal/gate"
)

// Severities of a finding, as goat-contract names them.
const (
	Breaking = "breaking"
	Warning  = "warning"
	Info     = "info"
)

// Finding is one difference between the sides, or a fault in the release.
type Finding struct {
	ID       string `json:"id"`
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	Subject  string `json:"subject"`
	Message  string `json:"message"`
	// Old says that the base has the same fault.
	Old   bool `json:"old"`
	Place struct {
		File string `json:"file"`
		Line int    `json:"line"`
		// Column is 0 where it is not known.
		Column int  `json:"column"`
		Base   bool `json:"base"`
	} `json:"place"`
}

// String is the finding with its place, on one line.
func (f *Finding) String() string {
	text := f.ID + ": " + f.Subject + ": " + f.Message
	switch {
	case f.Place.File == "":
		return text
	case f.Place.Line == 0:
		return f.Place.File + ": " + text
	}
	place := fmt.Sprintf("%s:%d", f.Place.File, f.Place.Line)
	if f.Place.Column > 0 {
		place += fmt.Sprintf(":%d", f.Place.Column)
	}
	if f.Place.Base {
		place += " of the base"
	}
	return place + ": " + text
}

// At is the place of a reason; nil where there is none.
func (f *Finding) At() *gate.Place {
	if f.Place.File == "" {
		return nil
	}
	return &gate.Place{File: f.Place.File, Line: f.Place.Line}
}
