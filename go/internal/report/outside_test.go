package report_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/report"
)

// places is an account of one file with a tracked line and a comment; its package has
// another file, with the point a1.
func places(file goat.Source, hasPoint bool) *report.Account {
	a := &report.Account{Hash: "p"}
	other := point("a1")
	other.Package = "example.com/a"
	a.Plan = goat.Result{Module: "example.com/a", PlanHash: "p", Points: []goat.Point{other}, Sources: []goat.Source{file}}
	if hasPoint {
		p := point("x1")
		p.File, p.Package = file.File, file.Package
		a.Plan.Points = append(a.Plan.Points, p)
		a.Plan.Account = append(a.Plan.Account, goat.AccountLine{File: file.File, Line: 1, Class: goat.ClassTracked, Points: []string{"x1"}})
	}
	a.Plan.Account = append(a.Plan.Account, goat.AccountLine{File: file.File, Line: 2, Class: goat.ClassNotExecutable, Reason: "comment"})
	return a
}

func built(goos string, cgo bool, tags ...string) *goat.BuildContext {
	return &goat.BuildContext{GOOS: goos, GOARCH: "amd64", Cgo: cgo, Tags: tags, GoVersion: "go1.26.8"}
}

func TestFilesOutsideOfTheBuild(t *testing.T) {
	const in, constraint, other = "not_executable(comment)", "untracked(build_constraint)", "untracked(not_in_build)"
	linux := built("linux", true)
	for _, c := range []struct {
		constraint string
		build      *goat.BuildContext
		want       string
	}{
		{"", linux, in},
		{"linux", linux, in},
		{"windows", linux, constraint},
		{"!windows && amd64", linux, in},
		{"windows || (linux && arm64)", linux, constraint},
		{"linux", built("android", true), in},
		{"unix", linux, in},
		{"unix", built("windows", true), constraint},
		{"cgo", linux, in},
		{"cgo", built("linux", false), constraint},
		{"!cgo", built("linux", false), in},
		{"special", built("linux", true, "special"), in},
		{"special", linux, constraint},
		{"!race", built("linux", true, "race"), constraint},
		{"go1.26", linux, in},
		{"go1.27", linux, constraint},
		{"!go1.26", linux, constraint},
		{"gc && !gccgo", linux, in},
		// What the program does not say may be.
		{"goexperiment.x", linux, in},
		{"!goexperiment.x && windows", linux, constraint},
		{"amd64.v3", linux, in},
		{"windows", nil, in},
		{"(", linux, in},
	} {
		o := process("1", "", "a1:traffic")
		o.Build = c.build
		d := report.Join([]report.Observation{o}, report.Question{Plan: places(goat.Source{File: "types.go", Package: "example.com/a", Constraint: c.constraint}, false)})
		if got := states(d); got != c.want {
			t.Errorf("%q in %+v: %s, want %s", c.constraint, c.build, got, c.want)
		}
	}
	// A package of its own: in the program where that says so, and in where nobody says.
	alone := places(goat.Source{File: "b/types.go", Package: "example.com/b"}, false)
	for _, c := range []struct {
		build *goat.BuildContext
		plain []string
		want  string
	}{{linux, []string{"example.com/b"}, in}, {linux, nil, other}, {nil, nil, in}} {
		o := process("1", "", "a1:traffic")
		o.Build, o.Plain = c.build, c.plain
		d := report.Join([]report.Observation{o}, report.Question{Plan: alone})
		if got := states(d); got != c.want {
			t.Errorf("plain %v: %s, want %s", c.plain, got, c.want)
		}
	}
}

func TestPointsSayWhichFilesAreBuilt(t *testing.T) {
	account := places(goat.Source{File: "w.go", Package: "example.com/a", Constraint: "some_tag"}, true)
	without := process("1", "", "a1:traffic") // of a program that says nothing of its build
	if got, want := states(report.Join([]report.Observation{without}, report.Question{Plan: account})),
		"untracked(build_constraint) untracked(build_constraint)"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	with := process("2", "", "x1")
	d := report.Join([]report.Observation{without, with}, report.Question{Plan: account})
	if got, want := states(d), "none not_executable(comment)"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	// Nothing is said by programs of other plans.
	stranger := process("3", "", "a1:traffic")
	stranger.Identity.PlanHash = "q"
	d = report.Join([]report.Observation{stranger}, report.Question{Plan: account})
	if got, want := states(d), "untracked(not_linked) not_executable(comment)"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestSavedReportsKeepWhatIsOutside(t *testing.T) {
	account := places(goat.Source{File: "w.go", Package: "example.com/a", Constraint: "windows"}, true)
	one := process("1", "", "a1:traffic")
	one.Build, one.Plain = built("linux", true), []string{"example.com/z"}
	d := report.Join([]report.Observation{one}, report.Question{Plan: account})
	if s := d.Summary; s.LinesNotLinked != 1 || s.Changed.Untracked != 2 || s.Changed.NotExecutable != 0 || len(d.Lines) != 0 {
		t.Errorf("%+v %+v", s, s.Changed)
	}
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var saved report.Document
	if err := json.Unmarshal(text, &saved); err != nil {
		t.Fatal(err)
	}
	again := saved.Observations("saved")
	if fmt.Sprint(*again[0].Build, again[0].Plain) != fmt.Sprint(*one.Build, one.Plain) {
		t.Errorf("%+v", again[0])
	}
	kept := saved.Kept()
	if got := states(report.Join(again, report.Question{Plan: kept})); got != states(d) {
		t.Errorf("%s, want %s", got, states(d))
	}
	two := process("2", "", "x1:traffic")
	two.Build = built("windows", true)
	if got, want := states(report.Join(append(again, two), report.Question{Plan: kept})), "traffic not_executable(comment)"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if strings.Contains(string(text), `"planned":""`) {
		t.Error("an empty planned is written")
	}
}
