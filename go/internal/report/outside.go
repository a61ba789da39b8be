package report

import (
	"cmp"
	"go/build/constraint"
	"go/version"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go"
)

// Why a file of the account is in no program of the report: the words of a plan that is
// made for one build.
const (
	ReasonBuildConstraint = "build_constraint"
	ReasonNotInBuild      = "not_in_build"
)

// leaveOut makes the change one of a file that no program compiles.
func (c *Change) leaveOut(reason string) {
	switch {
	case c.State == StateNotExecutable:
		c.Planned, c.State, c.Reason = c.Reason, StateUntracked, reason
	case c.Reason == ReasonNotLinked:
		c.Reason = reason
	}
}

// outside finds the files of the account that no program compiles, and why. What the
// programs do not tell is taken to be in.
func (m *merger) outside(a *Account) map[string]string {
	o := outsider{document: m.document, ofFile: map[string]bool{}, ofPackage: map[string]bool{}, held: map[string]bool{}}
	for i := range m.observations {
		if p := &m.observations[i]; p.Reachable && cmp.Or(p.Built, p.Identity.PlanHash) == a.Hash {
			o.programs = append(o.programs, newProgram(p))
		}
	}
	for i := range a.Plan.Points {
		o.ofFile[a.Plan.Points[i].File] = true
		o.ofPackage[a.Plan.Points[i].Package] = true
	}
	for i := range m.document.Points {
		o.held[m.document.Points[i].File] = true
	}
	reasons := map[string]string{}
	if len(o.programs) == 0 {
		return reasons
	}
	for i := range a.Plan.Sources {
		if reason := o.reason(&a.Plan.Sources[i]); reason != "" {
			reasons[a.Plan.Sources[i].File] = reason
		}
	}
	return reasons
}

// outsider knows the programs that were built from the plan, the files and packages that
// have points in the plan, and the files of which some program holds one.
type outsider struct {
	document                *Document
	programs                []program
	ofFile, ofPackage, held map[string]bool
}

// program is what one process tells of its build.
type program struct {
	build    *goat.BuildContext
	packages map[string]bool
}

func newProgram(o *Observation) program {
	p := program{o.Build, map[string]bool{}}
	for i := range o.Points {
		p.packages[o.Points[i].Point.Package] = true
	}
	for _, path := range o.Plain {
		p.packages[path] = true
	}
	return p
}

// reason is why no program compiles a file; "" where one does, or nobody can tell.
func (o *outsider) reason(s *goat.Source) string {
	if o.held[s.File] || slices.Contains(o.document.Degraded, s.Package) {
		return ""
	}
	expr := parse(s.Constraint)
	in, unsure, excluded := 0, 0, 0
	for i := range o.programs {
		p := &o.programs[i]
		switch {
		case p.packages[s.Package]:
			in++
			if expr != nil && !possible(expr, p.build) {
				excluded++
			}
		case p.build == nil && !o.ofPackage[s.Package]:
			unsure++
		}
	}
	switch {
	case unsure > 0:
		return ""
	case in == 0:
		return ReasonNotInBuild
	case in == excluded || o.ofFile[s.File] && expr != nil: // and none of its points is held
		return ReasonBuildConstraint
	}
	return ""
}

func parse(text string) constraint.Expr {
	if text == "" {
		return nil
	}
	expr, err := constraint.Parse("//go:build " + text)
	if err != nil {
		return nil
	}
	return expr
}

// possible says whether a build may take what an expression asks for.
func possible(expr constraint.Expr, b *goat.BuildContext) bool {
	if b == nil {
		return true
	}
	yes, _ := eval(expr, b)
	return yes
}

// eval says whether an expression may hold, and whether it may not: both where the words
// in it say nothing that is known of the build.
func eval(expr constraint.Expr, b *goat.BuildContext) (yes, no bool) {
	switch e := expr.(type) {
	case *constraint.NotExpr:
		yes, no = eval(e.X, b)
		return no, yes
	case *constraint.AndExpr:
		x, notX := eval(e.X, b)
		y, notY := eval(e.Y, b)
		return x && y, notX || notY
	case *constraint.OrExpr:
		x, notX := eval(e.X, b)
		y, notY := eval(e.Y, b)
		return x || y, notX && notY
	case *constraint.TagExpr:
		return word(e.Tag, b)
	}
	return true, true
}

// implied are the systems that another one is taken for, too.
var implied = map[string]string{"android": "linux", "illumos": "solaris", "ios": "darwin"}

const unix = " aix android darwin dragonfly freebsd hurd illumos ios linux netbsd openbsd solaris "

// word says whether a word may hold in a build, and whether it may not.
func word(tag string, b *goat.BuildContext) (yes, no bool) {
	is := func(holds bool) (bool, bool) { return holds, !holds }
	switch {
	case slices.Contains(b.Tags, tag) || tag == b.GOOS || tag == b.GOARCH || tag == implied[b.GOOS]:
		return true, false
	case tag == "cgo":
		return is(b.Cgo)
	case tag == "unix":
		return is(strings.Contains(unix, " "+b.GOOS+" "))
	case tag == "gc":
		return true, false
	case strings.HasPrefix(tag, "go1.") && version.IsValid(tag):
		toolchain, _, _ := strings.Cut(b.GoVersion, " ")
		if !version.IsValid(toolchain) {
			return true, true
		}
		return is(version.Compare(version.Lang(toolchain), tag) >= 0)
	case strings.Contains(tag, "."):
		return true, true // an experiment, or a level of the machine
	}
	return false, true
}
