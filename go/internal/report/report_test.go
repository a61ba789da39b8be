package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/report"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// process is an observation; what ran is written as `id:phase`.
func process(instance, lane string, ran ...string) report.Observation {
	o := report.Observation{
		Source: instance, Instance: instance, Lane: lane, Host: "host-" + instance[:1], Started: noon, Reachable: true, State: "live",
		Identity: report.Identity{Module: "example.com/a", PlanHash: "p", Granularity: "patch"},
	}
	for i, text := range ran {
		id, phase, hit := strings.Cut(text, ":")
		p := point(id)
		s := report.Seen{Point: &p, Hit: hit, Phase: phase}
		if hit {
			s.First = report.MicrosOf(noon.Add(time.Duration(i) * time.Second))
			s.Firsts[report.Rank(phase)-1] = s.First
		}
		o.Points = append(o.Points, s)
	}
	return o
}

// point stands at the line that its id ends in; v points initialise variables.
func point(id string) goat.Point {
	line := int(id[len(id)-1] - '0')
	p := goat.Point{
		ID: id, Name: "TRACK_" + id, Kind: goat.KindChange, Form: goat.FormExact, Package: "example.com/a", File: "a.go", Func: "F",
		Start: goat.Position{Line: line, Column: 1}, End: goat.Position{Line: line, Column: 9},
	}
	if strings.HasPrefix(id, "v") {
		p.Func, p.FormReason = "limit", "variable"
	}
	return p
}

func account() *report.Account {
	tracked := func(line int, points ...string) goat.AccountLine {
		return goat.AccountLine{File: "a.go", Line: line, Class: goat.ClassTracked, Points: points}
	}
	after := 9
	late := tracked(2, "a1", "a2")
	late.Note = "case_expression"
	a := &report.Account{Hash: "p"}
	a.Plan = goat.Result{Module: "example.com/a", Granularity: goat.GranularityPatch, PlanHash: "p", Account: []goat.AccountLine{
		tracked(1, "a1"), late, tracked(3, "a2", "a3"), tracked(4, "a3", "a4"), tracked(5, "v5"), tracked(6, "x6"),
		{File: "a.go", Line: 7, Class: goat.ClassNotExecutable, Reason: "comment", Effects: []string{"a3"}},
		{File: "a.go", Line: 8, Class: goat.ClassUntracked, Reason: "nosplit"},
		{File: "a.go", DeletedAfter: &after, DeletedLines: 2, Class: goat.ClassTracked, Points: []string{"a4"}},
	}}
	for _, id := range []string{"a1", "a2", "a3", "a4", "v5", "x6"} {
		a.Plan.Points = append(a.Plan.Points, point(id))
	}
	a.Plan.Files = []goat.AccountFile{{File: "gen.go", Added: 40, Class: goat.ClassUntracked, Reason: "generated"}}
	a.Plan.Summary.Other = []goat.Other{{Kind: "embed", Path: "page.html"}}
	return a
}

func join(counting report.Counting, subtract *report.Document, all ...report.Observation) *report.Document {
	return report.Join(all, report.Question{Plan: account(), Counting: counting, Subtract: subtract})
}

func one() report.Observation {
	return process("1", "", "a1:traffic", "a2:startup", "a3", "a4", "v5:init")
}

func states(d *report.Document) string {
	var all []string
	for i := range d.Account {
		c := &d.Account[i]
		text := string(c.State)
		if c.Reason != "" {
			text += "(" + c.Reason + ")"
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

func TestEveryChangedLineHasAState(t *testing.T) {
	d := join(report.Counting{}, nil, one())
	want := "traffic startup part none init untracked(not_linked) not_executable(comment) untracked(nosplit) none"
	if got := states(d); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	c := d.Summary.Changed
	if c.Code != (report.States{Lines: 4, Traffic: 1, Startup: 1, Part: 1, None: 1}) || c.Initialisers != (report.States{Lines: 1, Init: 1}) ||
		c.Deletions != (report.States{Lines: 1, None: 1}) || c.NotExecutable != 1 || c.Untracked != 42 || c.Lines != 48 {
		t.Errorf("%+v", c)
	}
	s := d.Summary
	if s.Lines != 5 || s.LinesReached != 3 || s.LinesNotLinked != 1 || s.NotLinked != 1 || c.Code.Lines+c.Initialisers.Lines != s.Lines {
		t.Errorf("%+v", s)
	}
	if !d.Account[4].Initialiser || d.Account[0].Initialiser || d.Account[0].Evidence != "entered" || d.Account[6].Evidence != "" {
		t.Errorf("%+v", d.Account)
	}
	if fmt.Sprint(d.Account[6].Effects) != "[a3]" || d.Account[1].Note != "case_expression" {
		t.Errorf("what the plan notes of lines is lost: %+v", d.Account)
	}
	if d.Instances[0].Ran != "ts--i" {
		t.Errorf("ran %q", d.Instances[0].Ran)
	}
}

func TestDegradedCodeIsHeldButBlind(t *testing.T) {
	o := process("1", "", "a1:traffic", "a2", "a3", "a4", "v5")
	o.Degraded = []string{"example.com/a"}
	d := join(report.Counting{}, nil, o)
	if got := d.Account[5]; got.State != report.StateNone || got.Reason != report.ReasonDegraded || d.Summary.Lines != 6 {
		t.Errorf("%+v, %d lines", got, d.Summary.Lines)
	}
}

func TestCountingTrafficLeavesTheStates(t *testing.T) {
	d := join(report.Counting{Phase: report.PhaseTraffic}, nil, one(), process("2", "gray", "a1:startup", "a2", "a3:traffic", "a4", "v5:init"))
	if d.Summary.Hit != 2 || d.Summary.LinesReached != 1 || d.Summary.Phases != (report.Phases{Init: 1, Startup: 1, Traffic: 2}) {
		t.Errorf("%+v", d.Summary)
	}
	if got := states(d)[:32]; got != "traffic startup startup part ini" {
		t.Errorf("got %s", got)
	}
	if p := d.Points[0]; !p.Hit || p.HitInstances != 1 || p.Instances != 2 {
		t.Errorf("%+v", p)
	}
	if p := d.Points[1]; p.Hit || *p.Phase != "startup" || p.HitInstances != 0 {
		t.Errorf("%+v", p)
	}
}

func TestSince(t *testing.T) {
	o := process("1", "", "a1:traffic", "a2:traffic", "a3:traffic", "a4", "v5:init")
	o.Points[0].Last = report.MicrosOf(noon.Add(time.Hour))   // after
	o.Points[1].Last = report.MicrosOf(noon.Add(time.Minute)) // before
	since := noon.Add(30 * time.Minute)
	d := join(report.Counting{Since: &since}, nil, o)
	// a3 and v5 have no last hit, and a first one before.
	if !d.Points[0].Hit || d.Points[1].Hit || d.Points[1].Phase != nil || d.Points[2].Hit || d.Counting.SinceUnknown != 2 || d.Summary.Hit != 1 {
		t.Errorf("%+v %+v", d.Counting, d.Summary)
	}
	since = noon.Add(time.Second)
	o = process("1", "", "a1:traffic", "a2:traffic")
	if d := join(report.Counting{Since: &since}, nil, o); d.Points[0].Hit || !d.Points[1].Hit {
		t.Errorf("a first hit after the moment is a hit after it: %+v", d.Points)
	}
}

func TestSubtract(t *testing.T) {
	before := join(report.Counting{}, nil, process("0", "", "a1:traffic", "a2", "a3:traffic"))
	d := join(report.Counting{Subtract: "before.json"}, before, one())
	if d.Points[0].Hit || !d.Points[1].Hit || d.Counting.Subtracted != 1 || d.Summary.Hit != 2 {
		t.Errorf("%+v %+v", d.Counting, d.Summary)
	}
}

func TestLane(t *testing.T) {
	gray, stable := process("1", "gray", "a1:traffic", "a2"), process("2", "", "a1", "a2:traffic")
	for lane, want := range map[string]string{"gray": "t-", "stable": "-t", "": "-t"} {
		d := join(report.Counting{Lane: &lane}, nil, gray, stable)
		if len(d.Instances) != 1 || d.Instances[0].Ran != want {
			t.Errorf("%q: %+v", lane, d.Instances)
		}
	}
	if d := join(report.Counting{}, nil, gray, stable); d.Summary.Hit != 2 {
		t.Errorf("%+v", d.Summary)
	}
}

func TestGroups(t *testing.T) {
	d := join(report.Counting{}, nil, one(), process("2", "gray", "a1", "a2", "a3:traffic", "a4", "v5:init"), process("2", "gray", "a1", "a2:traffic"))
	for key, want := range map[report.By]string{
		report.ByPackage:  "example.com/a 4/5 3t lines 4/5 in 0",
		report.ByFile:     "a.go 4/5 3t lines 4/5 in 0",
		report.ByFunc:     "example.com/a.F 3/4 3t lines 3/4 in 0, example.com/a.limit 1/1 0t lines 1/1 in 0",
		report.ByLane:     "gray 3/5 2t lines 2/5 in 1, stable 3/5 1t lines 3/5 in 1",
		report.ByInstance: "1 3/5 1t lines 3/5 in 0, 2 3/5 2t lines 2/5 in 0",
		report.ByHost:     "host-1 3/5 1t lines 3/5 in 1, host-2 3/5 2t lines 2/5 in 1",
	} {
		var got []string
		for _, g := range d.GroupBy(key) {
			got = append(got, fmt.Sprintf("%s %d/%d %dt lines %d/%d in %d", g.Name, g.Hit, g.Points, g.Traffic, g.LinesReached, g.Lines, g.Instances))
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%s\ngot  %s\nwant %s", key, text, want)
		}
	}
}

// A saved report is a source: it gives back what it was made of.
func TestSavedReport(t *testing.T) {
	first := join(report.Counting{}, nil, one(), process("2", "gray", "a1:startup", "a2", "a3:traffic", "a4", "v5:init"))
	saved := reread(t, first)
	if err := saved.Check(); err != nil {
		t.Fatal(err)
	}
	kept := saved.Kept()
	again := report.Join(saved.Observations("saved.json"), report.Question{Plan: kept})
	for _, d := range []*report.Document{first, again} {
		for i := range d.Instances {
			d.Instances[i].Source, d.Instances[i].State = "", ""
		}
	}
	if a, b := encode(t, first), encode(t, again); !bytes.Equal(a, b) {
		t.Errorf("saved %s\nread  %s", a, b)
	}
	// The union over time: the same process again, and another.
	later := process("1", "", "a1:traffic", "a2:startup", "a3", "a4:traffic", "v5:init")
	all := append(saved.Observations("saved.json"), later)
	if d := report.Join(all, report.Question{Plan: kept}); d.Summary.Hit != 5 || d.Points[3].Instances != 2 || d.Points[3].HitInstances != 1 {
		t.Errorf("%+v", d.Points[3])
	}
}

func TestReportOfAnotherModule(t *testing.T) {
	other := process("2", "", "a1:traffic")
	other.Identity.Module, other.Identity.PlanHash, other.Started = "example.com/b", "q", noon.Add(-time.Hour)
	d := join(report.Counting{}, nil, process("1", "", "a1"), other)
	if d.Summary.Hit != 0 || d.Summary.Failed != 1 || *d.Instances[1].Error != "of module example.com/b, and the report is about example.com/a" {
		t.Errorf("%+v", d.Instances[1])
	}
}

func TestWhatIsNoReport(t *testing.T) {
	for text, want := range map[string]string{
		`{"format":1,"points":[]}`:                      "not a report that `goat report --format json` wrote",
		`{"error":{"code":"usage"}}`:                    "not a report that `goat report --format json` wrote",
		`{"format":7,"instances":[]}`:                   "report format 7, this goat reads 1",
		`{"format":1,"instances":[],"shown":{"top":3}}`: "saved with --not-hit or --top, so part of the points is not in it: save it without",
	} {
		d := &report.Document{}
		if err := json.Unmarshal([]byte(text), d); err != nil {
			t.Fatal(err)
		}
		if err := d.Check(); err == nil || err.Error() != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestShow(t *testing.T) {
	d := join(report.Counting{}, nil, one())
	if d.Show(false, "", 0) != d {
		t.Error("nothing was asked for")
	}
	s := d.Show(true, report.ByFile, 1)
	if len(s.Points) != 2 || len(s.Lines) != 2 || s.Summary.Hit != 3 || len(d.Points) != 5 || s.Instances[0].Ran != "" || len(s.Shown.Groups) != 1 {
		t.Errorf("%+v", s)
	}
	top := d.Show(false, "", 3)
	if got := []string{top.Points[0].ID, top.Points[1].ID, top.Points[2].ID}; !reflect.DeepEqual(got, []string{"a3", "a4", "v5"}) || top.Shown.Cut != 2 {
		t.Errorf("%v, %d cut", got, top.Shown.Cut)
	}
	if s.Check() == nil || top.Check() == nil {
		t.Error("a part of a report is no source")
	}
}

func encode(t *testing.T, d *report.Document) []byte {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func reread(t *testing.T, d *report.Document) *report.Document {
	t.Helper()
	again := &report.Document{}
	if err := json.Unmarshal(encode(t, d), again); err != nil {
		t.Fatal(err)
	}
	return again
}
