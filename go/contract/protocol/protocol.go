// Package protocol is what goat and goat-contract say to each other: one JSON document
// in, one out. docs/contract-protocol.md describes it.
package protocol

// Format is the number of the protocol. Either side refuses another one.
const Format = 1

// Operations that goat-contract has.
const (
	OpVersion = "version"
	OpOpenAPI = "openapi"
	OpGoAPI   = "api"
	OpMetrics = "metrics"
)

// Request is what goat asks.
type Request struct {
	Format int    `json:"format"`
	Op     string `json:"op"`
	// Path is the document of OpOpenAPI, relative to the repository's root.
	Path string `json:"path,omitempty"`
	// Base and Release are the two sides.
	Base    Side `json:"base"`
	Release Side `json:"release"`
	// Packages are the patterns of OpGoAPI, as go list takes them.
	Packages []string `json:"packages,omitempty"`
}

// Side is one of the two versions: a text (OpOpenAPI), a directory (OpGoAPI), or texts by
// their paths (OpMetrics).
type Side struct {
	Text  string            `json:"text,omitempty"`
	Dir   string            `json:"dir,omitempty"`
	Files map[string]string `json:"files,omitempty"`
}

// Answer is the whole answer. Either Error is there or the rest.
type Answer struct {
	Format   int       `json:"format"`
	Version  string    `json:"version,omitempty"`
	Ops      []string  `json:"ops,omitempty"`
	Findings []Finding `json:"findings"`
	Advice   string    `json:"advice,omitempty"`
	Counts   *Counts   `json:"counts,omitempty"`
	Error    *Error    `json:"error,omitempty"`
}

// Counts say how much OpMetrics saw in the release.
type Counts struct {
	// Metrics are the places that make one; Uses are calls that give labels, of which Open
	// could not be decided.
	Metrics int `json:"metrics"`
	Uses    int `json:"uses"`
	Open    int `json:"open"`
	// Broken are files that do not parse.
	Broken int `json:"broken"`
}

// Severities of a finding.
const (
	Breaking = "breaking" // those who use the base cannot use the release
	Warning  = "warning"  // some of them may not
	Info     = "info"     // nobody is affected
)

// Finding is one difference.
type Finding struct {
	// ID is goat's own name for the kind of difference; it outlives the ids of the
	// library that found it, which Rule names.
	ID       string `json:"id"`
	Rule     string `json:"rule,omitempty"`
	Severity string `json:"severity"`
	// Subject is what differs: an operation, an object of a package.
	Subject string `json:"subject"`
	Message string `json:"message"`
	// Old says that the base has the same fault (OpMetrics).
	Old   bool  `json:"old,omitempty"`
	Place Place `json:"place"`
}

// Place is where a finding stands, in the release if it is still there.
type Place struct {
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Base says that the place is in the base.
	Base bool `json:"base,omitempty"`
}

// Error is why there is no answer.
type Error struct {
	// Side is "base", "release" or empty.
	Side    string `json:"side,omitempty"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Error implements error.
func (e *Error) Error() string { return e.Message }
