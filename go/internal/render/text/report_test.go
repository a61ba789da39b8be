package text

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/render"
	"github.com/goat-trace/goat/go/internal/report"
)

// big is a report of n points in long paths; the last ten of each hundred did not run.
func big(n int) *report.Document {
	gray := report.Observation{Source: "http://10.0.0.1:57005", Instance: "1", Lane: "gray", Reachable: true}
	gray.Identity = report.Identity{Module: "example.com/a", PlanHash: "p", Granularity: "patch"}
	a := &report.Account{Hash: "p"}
	a.Plan = goat.Result{Module: "example.com/a", PlanHash: "p", Granularity: goat.GranularityPatch}
	for i := range n {
		p := goat.Point{
			ID: fmt.Sprintf("id%d", i), Kind: goat.KindChange, Package: fmt.Sprintf("example.com/a/p%02d", i/100),
			File: fmt.Sprintf("a/rather/long/path/to/the/package/p%02d/购物车的一个很长的名字.go", i/100), Func: "(*aVeryLongTypeName).AndItsMethodWithALongName",
			Start: goat.Position{Line: i%100 + 1, Column: 2}, End: goat.Position{Line: i%100 + 1, Column: 9},
		}
		a.Plan.Points = append(a.Plan.Points, p)
		a.Plan.Account = append(a.Plan.Account, goat.AccountLine{File: p.File, Line: p.Start.Line, Class: goat.ClassTracked, Points: []string{p.ID}})
		s := report.Seen{Point: &p, Hit: i%100 < 90}
		if s.Hit {
			s.Phase, s.First = report.PhaseTraffic, 1_700_000_000_000_000
		}
		gray.Points = append(gray.Points, s)
	}
	stable := gray
	stable.Instance, stable.Lane, stable.Points = "2", "", append([]report.Seen{}, gray.Points...)
	if n > 0 {
		stable.Points[0].Hit, stable.Points[0].Phase = false, ""
	}
	return report.Join([]report.Observation{gray, stable}, report.Question{Plan: a})
}

func TestATerminalGetsWhatFitsIt(t *testing.T) {
	for _, width := range []int{40, 80, 120} {
		text := Report(big(2000), Looks{Width: width})
		lines := strings.Split(text, "\n")
		if len(lines) > 80 {
			t.Errorf("%d columns: %d lines", width, len(lines))
		}
		for _, line := range lines {
			// Sentences wrap; tables must not.
			if strings.Contains(line, "  ") && render.Columns(line) > max(width, 60) {
				t.Errorf("%d columns: %d in %q", width, render.Columns(line), line)
			}
		}
		for _, want := range []string{"PACKAGE ", "  no  ", "and 1960 more points, 160 of which did not run", "ran only in the gray lane", "\n1800 of 2000 points ran\n"} {
			if !strings.Contains(text, want) {
				t.Errorf("%d columns: %q is missing in\n%s", width, want, text)
			}
		}
	}
}

func TestElsewhereTheWholeIsShown(t *testing.T) {
	for name, looks := range map[string]Looks{"no terminal": {}, "verbose": {Width: 80, Verbose: true}} {
		text := Report(big(300), looks)
		if got := strings.Count(text, ".go:"); got < 300 {
			t.Errorf("%s: %d of 300 points", name, got)
		}
		if looks.Width == 0 && strings.Contains(text, "…") {
			t.Errorf("%s: shortened", name)
		}
	}
}

func TestUnhitComesFirst(t *testing.T) {
	text := Report(big(100), Looks{})
	if first := strings.Index(text, "  no "); first < 0 || first > strings.Index(text, "  traffic ") {
		t.Errorf("what ran stands before what did not:\n%s", text)
	}
	for _, line := range strings.Split(Report(big(100).Show(true, "", 0), Looks{}), "\n") {
		if strings.Contains(line, "  traffic ") {
			t.Errorf("--not-hit shows %q", line)
		}
	}
}

func TestGroupsInText(t *testing.T) {
	text := Report(big(200).Show(false, report.ByLane, 0), Looks{Quiet: true})
	want := "LANE    RAN   OF  TRAFFIC  LINES ENTERED   OF  PROCESSES\n" +
		"stable  179  200      179            179  200          1\n" +
		"gray    180  200      180            180  200          1\n"
	if !strings.HasPrefix(text, want) {
		t.Errorf("got\n%swant\n%s", text, want)
	}
	if strings.Contains(text, "PLACE") {
		t.Error("sums and places at once")
	}
}

func TestColumns(t *testing.T) {
	for text, want := range map[string]int{"abc": 3, "购物车": 6, "é": 1, "…": 1, "": 0} {
		if got := render.Columns(text); got != want {
			t.Errorf("%q: %d columns, want %d", text, got, want)
		}
	}
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{{"path/to/a.go:12", 20, "path/to/a.go:12"}, {"path/to/a.go:12", 8, "…a.go:12"}, {"购物车.go", 6, "…车.go"}, {"购物车.go", 5, "….go"}} {
		if got := shorten(c.text, c.limit); got != c.want {
			t.Errorf("%q in %d: %q, want %q", c.text, c.limit, got, c.want)
		}
	}
}
