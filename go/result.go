package goat

import "encoding/json"

// Identity is the goat that made a document.
type Identity struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
}

// Base is what the release was compared with.
type Base struct {
	// Ref is the name that was given or found.
	Ref string `json:"ref"`
	// Commit is the commit that was compared with.
	Commit string `json:"commit"`
	// Tip is the commit that Ref names; the merge-base may lie behind it.
	Tip string `json:"tip,omitempty"`
	// Chosen says how it was found, for example "merge-base" or "tag".
	Chosen string `json:"chosen"`
	// Why says in a sentence why it was chosen.
	Why string `json:"why,omitempty"`
	// PassedOver is a later tag, of a pre-release, that was not taken for it.
	PassedOver string `json:"passedOver,omitempty"`
}

// Release is what runs.
type Release struct {
	Ref    string `json:"ref"`
	Commit string `json:"commit"`
	// Dirty says that the working tree differs from the commit.
	Dirty bool `json:"dirty"`
	// ContentHash identifies a dirty release besides its commit.
	ContentHash string `json:"contentHash"`
}

// Position is a 1-based line and a 1-based byte column.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Point is a track point.
type Point struct {
	// ID is the content id: the same in every build of the same code.
	ID string `json:"id"`
	// Name is TRACK_ID_n, a display name within one build.
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	Form Form   `json:"form"`
	// Package is the import path.
	Package string `json:"package"`
	// File is a slash path relative to the repository's root.
	File  string   `json:"file"`
	Func  string   `json:"func"`
	Start Position `json:"start"`
	End   Position `json:"end"`
	// Reason says why the point has its form, where the core gives one.
	Reason string `json:"reason,omitempty"`
	// FormReason is the reason in one word: "variable", "starter", "noinline",
	// "statement", "too_large", "crowded", "may_inline" or "asked".
	FormReason string `json:"formReason,omitempty"`
	// InlineCost is the least that the function around the point costs in the
	// compiler's count of inlining, whose budget is 80; nil where it was not counted.
	InlineCost *int `json:"inlineCost,omitempty"`
	// Large says that the function is so large that its points may keep the compiler from
	// inlining calls into it: beyond 5,000 nodes it inlines only what costs at most 20.
	Large bool `json:"large,omitempty"`
	// LinkRemoved says that the linker left the function out of the program that the
	// account is for (Build.Linked): no hit can come from it.
	LinkRemoved bool `json:"linkRemoved,omitempty"`
}

// Class is what became of a changed line.
type Class string

const (
	// ClassTracked lines have at least one point.
	ClassTracked Class = "tracked"
	// ClassNotExecutable lines hold nothing that could run.
	ClassNotExecutable Class = "not_executable"
	// ClassUntracked lines could run, but have no point.
	ClassUntracked Class = "untracked"
)

// AccountLine is one changed line, or with DeletedAfter a place where lines were
// only removed.
type AccountLine struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
	// DeletedAfter is the line after which DeletedLines were removed; nil for an added line.
	DeletedAfter *int  `json:"deletedAfter,omitempty"`
	DeletedLines int   `json:"deletedLines,omitempty"`
	Class        Class `json:"class"`
	// Reason is set for the classes other than tracked.
	Reason string `json:"reason,omitempty"`
	// Points are the ids of the points whose hits are the evidence for the line.
	Points []string `json:"points,omitempty"`
	// Effects are, for a line without code such as a comment mark or a build constraint, the
	// points of the lines that it made code of, or no code.
	Effects []string `json:"effects,omitempty"`
	// Note is "case_expression" where the line's code also runs when its points do not.
	Note string `json:"note,omitempty"`
}

// AccountFile is a file whose changed lines all have one reason.
type AccountFile struct {
	File   string `json:"file"`
	Added  int    `json:"added"`
	Class  Class  `json:"class"`
	Reason string `json:"reason"`
}

// Source is a file that the account goes through line by line, and the builds that take it.
type Source struct {
	File string `json:"file"`
	// Package is the import path.
	Package string `json:"package"`
	// Constraint is what its name, its build lines and an import of "C" ask for, in the
	// syntax of //go:build; "" where every build takes it.
	Constraint string `json:"constraint,omitempty"`
}

// Other is a changed path that is not a Go source file of the account.
type Other struct {
	Kind     string `json:"kind"`
	Path     string `json:"path"`
	Old      string `json:"old"`
	New      string `json:"new"`
	Replaced string `json:"replaced"`
	// Note says what became of a submodule and, where [Options].Deps is set, of an
	// upgraded module: "tracked", or "not tracked: " and why.
	Note string `json:"note,omitempty"`
}

// Summary is the sum of the account.
type Summary struct {
	Files int `json:"files"`
	// Packages hold the points.
	Packages      int     `json:"packages"`
	AddedLines    int     `json:"addedLines"`
	Tracked       int     `json:"tracked"`
	NotExecutable int     `json:"notExecutable"`
	Untracked     int     `json:"untracked"`
	Deletions     int     `json:"deletions"`
	Points        int     `json:"points"`
	Other         []Other `json:"other"`
	// Outside counts points that another build would have; nil without a build.
	Outside *Outside `json:"outside,omitempty"`
}

// Outside are points of the plan that are not in the build that the account is for.
type Outside struct {
	// BuildConstraint are those in files for other systems or tags.
	BuildConstraint int `json:"buildConstraint"`
	// NotInBuild are those in packages that the build does not take.
	NotInBuild int `json:"notInBuild"`
}

// BuildContext is the build that an account is for.
type BuildContext struct {
	GOOS      string   `json:"goos"`
	GOARCH    string   `json:"goarch"`
	Tags      []string `json:"tags"`
	Cgo       bool     `json:"cgo"`
	GoVersion string   `json:"goVersion"`
}

// Warning is something that the plan had to leave out or guess.
type Warning struct {
	Path    string `json:"path"`
	Line    int    `json:"line"`
	Message string `json:"message"`
}

// Result is a plan: the points, and where every changed line ended.
type Result struct {
	Format      int           `json:"format"`
	Goat        Identity      `json:"goat"`
	Module      string        `json:"module"`
	Base        Base          `json:"base"`
	Release     Release       `json:"release"`
	Build       *BuildContext `json:"build"`
	Precision   Precision     `json:"precision"`
	Granularity Granularity   `json:"granularity"`
	Points      []Point       `json:"points"`
	Account     []AccountLine `json:"account"`
	Files       []AccountFile `json:"files"`
	Sources     []Source      `json:"sources"`
	Summary     Summary       `json:"summary"`
	// PlanHash identifies the plan.
	PlanHash string `json:"planHash"`
	// PlanDir is the plan directory that was written, when Options.OutDir was set.
	PlanDir string `json:"planDir,omitempty"`
	// Warnings are for people; they are not part of the plan.
	Warnings []Warning `json:"warnings,omitempty"`

	// answer is the core's, for Document.
	answer []byte
}

// Document returns the plan as the core wrote it, fields that this version of the
// package does not know included. It holds no absolute path. It is nil for a Result
// that did not come from [Plan].
func (r *Result) Document() json.RawMessage {
	var envelope struct {
		Result json.RawMessage `json:"result"`
	}
	if json.Unmarshal(r.answer, &envelope) != nil {
		return nil
	}
	if r.PlanDir == "" {
		return envelope.Result
	}
	document, err := withoutFields(envelope.Result, "planDir")
	if err != nil {
		return nil
	}
	return document
}
