package report

import "github.com/goat-trace/goat/go"

// State is what the report knows of a changed line.
type State string

// The states. The first five are those of lines with points (tracked in the plan's
// account); docs/evidence.md says what each proves.
const (
	// StateTraffic: all points of the line ran in the phase traffic.
	StateTraffic State = "traffic"
	// StateStartup: all points ran, and one of them in no later phase than startup.
	StateStartup State = "startup"
	// StateInit: all points ran, and one of them only while packages were initialised.
	StateInit State = "init"
	// StatePart: some points of the line ran and some did not.
	StatePart State = "part"
	// StateNone: no point of the line ran.
	StateNone State = "none"
	// StateNotExecutable: nothing on the line can run; Reason says why.
	StateNotExecutable State = "not_executable"
	// StateUntracked: the line may run, and nothing can be said of it; Reason says why.
	StateUntracked State = "untracked"
)

const (
	// ReasonNotLinked is the reason of an untracked line that is tracked in the plan, in
	// code that no program of the report holds, although it compiles the file, or nobody
	// can tell.
	ReasonNotLinked = "not_linked"
	// ReasonDegraded is the reason of a line without evidence in a package that was built
	// without its points. Its state is none: it counts as code that did not run.
	ReasonDegraded = "degraded"
)

// Change is one changed line of the plan's account with its state, or with DeletedAfter a
// place where lines were only removed.
type Change struct {
	// File is a slash path relative to the repository's root.
	File string `json:"file"`
	// Line is the release's line; 0 with DeletedAfter.
	Line int `json:"line,omitempty"`
	// DeletedAfter is the release's line after which DeletedLines lines were removed, 0
	// for the top of the file; nil for an added line.
	DeletedAfter *int  `json:"deletedAfter,omitempty"`
	DeletedLines int   `json:"deletedLines,omitempty"`
	State        State `json:"state"`
	// Reason is set for not_executable and untracked, and for none where it is degraded.
	Reason string `json:"reason,omitempty"`
	// Planned is the reason why nothing on the line can run, where its file is not compiled:
	// then Reason is the file's.
	Planned string `json:"planned,omitempty"`
	// Points are the ids of the points whose hits are the evidence; of untracked lines
	// that are in no program, those that they would have had.
	Points []string `json:"points,omitempty"`
	// Evidence is reached or entered: what a hit vouches for; "" for lines without points.
	Evidence string `json:"evidence,omitempty"`
	// Initialiser says that all points stand at package level: the line belongs to a
	// package variable, which every start of the program initialises.
	Initialiser bool `json:"initialiser,omitempty"`
	// Effects are, for a line without code such as a comment mark, the points of the lines
	// that it made code of, or no code.
	Effects []string `json:"effects,omitempty"`
	// Note is "case_expression" where the line's code also runs when its points do not.
	Note string `json:"note,omitempty"`
}

// Changed sums up Account and Files. Lines = Code.Lines + Initialisers.Lines +
// NotExecutable + Untracked; deletions are apart.
type Changed struct {
	// Lines counts the changed lines.
	Lines int `json:"lines"`
	// Code are the lines in functions that have points.
	Code States `json:"code"`
	// Initialisers are the lines with points at package level: variables and the literals
	// in them. They run at every start, so they are no part of what traffic can prove.
	Initialisers States `json:"initialisers"`
	// Deletions are the places where lines were only removed, as far as they have points.
	Deletions     States `json:"deletions"`
	NotExecutable int    `json:"notExecutable"`
	// Untracked includes the lines that are in no program (Summary.LinesNotLinked), and
	// those without code in the files that none compiles.
	Untracked int `json:"untracked"`
}

// States counts lines with points by their state; Lines is the sum of the others.
type States struct {
	Lines   int `json:"lines"`
	Traffic int `json:"traffic"`
	Startup int `json:"startup"`
	Init    int `json:"init"`
	Part    int `json:"part"`
	None    int `json:"none"`
}

func (s *States) add(state State) {
	s.Lines++
	switch state {
	case StateTraffic:
		s.Traffic++
	case StateStartup:
		s.Startup++
	case StateInit:
		s.Init++
	case StatePart:
		s.Part++
	case StateNone:
		s.None++
	}
}

// Ran counts the lines of which all points ran.
func (s *States) Ran() int { return s.Traffic + s.Startup + s.Init }

// changes gives each line of the account its state, and sums up.
func (m *merger) changes(a *Account) {
	held := m.document.byID()
	planned := make(map[string]*goat.Point, len(a.Plan.Points))
	for i := range a.Plan.Points {
		planned[a.Plan.Points[i].ID] = &a.Plan.Points[i]
	}
	d, degraded, outside := m.document, m.degradedPoints(a), m.outside(a)
	evidence := EvidenceOf(a.Plan.Granularity)
	d.Account, d.Lines = make([]Change, 0, len(a.Plan.Account)), []Line{}
	sum := &Changed{}
	for i := range a.Plan.Account {
		line := &a.Plan.Account[i]
		c := Change{
			File: line.File, Line: line.Line, DeletedAfter: line.DeletedAfter, DeletedLines: line.DeletedLines,
			State: State(line.Class), Reason: line.Reason, Effects: line.Effects, Note: line.Note,
		}
		if line.Class == goat.ClassTracked {
			c.Points, c.Evidence = line.Points, evidence
			c.Initialiser = atPackageLevel(line.Points, planned)
			c.judge(held, degraded)
		}
		if reason := outside[c.File]; reason != "" {
			c.leaveOut(reason)
		}
		d.Account = append(d.Account, c)
		sum.add(&c)
		switch {
		case line.Class != goat.ClassTracked || c.DeletedAfter != nil:
		case c.State == StateUntracked:
			d.Summary.LinesNotLinked++
		default:
			d.Lines = append(d.Lines, lineOf(&c, held, degraded))
		}
	}
	d.Files, d.Sources, d.Other = a.Plan.Files, a.Plan.Sources, a.Plan.Summary.Other
	for i := range d.Files {
		sum.addFile(&d.Files[i])
	}
	d.Summary.Changed = sum
}

// lineOf is a line with the points that count for it: those that some program holds, or
// should hold. How many of them ran goes by the report's counting.
func lineOf(c *Change, held map[string]*Point, degraded map[string]bool) Line {
	line := Line{File: c.File, Line: c.Line, Reached: "none", Evidence: c.Evidence}
	hits := 0
	for _, id := range c.Points {
		p := held[id]
		if p == nil && !degraded[id] {
			continue
		}
		line.Points = append(line.Points, id)
		if p != nil && p.Hit {
			hits++
		}
	}
	switch {
	case hits == 0:
	case hits == len(line.Points):
		line.Reached = "all"
	default:
		line.Reached = "some"
	}
	return line
}

// EvidenceOf is what a hit vouches for at a granularity: reached or entered.
func EvidenceOf(granularity goat.Granularity) string {
	if granularity == goat.GranularityLine {
		return "reached"
	}
	return "entered"
}

// afterVariable is the plan's word for a point that runs when a package variable has been
// initialised.
const afterVariable = "variable"

func atPackageLevel(points []string, planned map[string]*goat.Point) bool {
	for _, id := range points {
		if p := planned[id]; p == nil || p.FormReason != afterVariable {
			return false
		}
	}
	return len(points) > 0
}

// judge finds the state of a line with points. Of points that no program holds nothing
// can be said, unless their package is there without its points.
func (c *Change) judge(held map[string]*Point, degraded map[string]bool) {
	total, ran, weakest, blind := 0, 0, len(phases), false
	for _, id := range c.Points {
		p := held[id]
		switch {
		case p == nil && degraded[id]:
			blind = true
		case p == nil:
			continue
		case p.ran():
			ran++
			weakest = min(weakest, p.phaseRank())
		}
		total++
	}
	switch {
	case total == 0:
		c.State, c.Reason, c.Evidence = StateUntracked, ReasonNotLinked, ""
	case ran == 0:
		c.State = StateNone
		if blind {
			c.Reason = ReasonDegraded
		}
	case ran < total:
		c.State = StatePart
	default:
		c.State = State(phases[max(weakest, 1)-1])
	}
}

// ran says that the point was hit, whether or not that counts.
func (p *Point) ran() bool { return p.Hit || p.Phase != nil }

// phaseRank is 1 for init to 3 for traffic. A hit without a phase proves the least.
func (p *Point) phaseRank() int {
	if p.Phase == nil {
		return 1
	}
	return Rank(*p.Phase)
}

func (s *Changed) add(c *Change) {
	if c.DeletedAfter != nil {
		if c.Evidence != "" {
			s.Deletions.add(c.State)
		}
		return
	}
	s.Lines++
	switch {
	case c.State == StateNotExecutable:
		s.NotExecutable++
	case c.State == StateUntracked:
		s.Untracked++
	case c.Initialiser:
		s.Initialisers.add(c.State)
	default:
		s.Code.add(c.State)
	}
}

func (s *Changed) addFile(f *goat.AccountFile) {
	s.Lines += f.Added
	if f.Class == goat.ClassNotExecutable {
		s.NotExecutable += f.Added
	} else {
		s.Untracked += f.Added
	}
}
