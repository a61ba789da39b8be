package render_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/render"
	"github.com/goat-trace/goat/go/internal/report"
)

// fixture is a report of n points in files of this name, one line each; every third ran.
func fixture(n int, file, function string) *report.Document {
	o := report.Observation{Source: "s", Instance: "1", Reachable: true, Started: time.Unix(1_700_000_000, 0)}
	o.Identity = report.Identity{Module: "example.com/a", PlanHash: "p", App: "app", Granularity: "patch"}
	a := &report.Account{Hash: "p", App: "app"}
	a.Plan = goat.Result{Module: "example.com/a", PlanHash: "p", Granularity: goat.GranularityPatch}
	a.Plan.Release.Commit = "c0ffee"
	for i := range n {
		p := goat.Point{
			ID: fmt.Sprintf("id%d", i), Kind: goat.KindChange, Package: fmt.Sprintf("example.com/a/p%d", i/1000), Func: function,
			File: fmt.Sprintf("p%d/%s", i/1000, file), Start: goat.Position{Line: i%1000*2 + 1, Column: 2}, End: goat.Position{Line: i%1000*2 + 1, Column: 9},
		}
		a.Plan.Points = append(a.Plan.Points, p)
		a.Plan.Account = append(a.Plan.Account, goat.AccountLine{File: p.File, Line: p.Start.Line, Class: goat.ClassTracked, Points: []string{p.ID}})
		s := report.Seen{Point: &p, Hit: i%3 == 0}
		if s.Hit {
			s.Phase, s.First = "traffic", report.MicrosOf(o.Started)
		}
		o.Points = append(o.Points, s)
	}
	return report.Join([]report.Observation{o}, report.Question{Plan: a})
}

// A comment on GitHub holds 65,536 characters, and a report of any size is one.
func TestMarkdownFits(t *testing.T) {
	link := render.LinesAt("https://github.com/a/b", "github.com", "c0ffee")
	for _, n := range []int{0, 1, 30, 300, 3_000, 50_000} {
		d := fixture(n, "a.go", "(*T).Method")
		text := string(render.Markdown(d, link))
		if got := utf8.RuneCountInString(text); got >= render.MarkdownLimit {
			t.Errorf("%d points: %d characters", n, got)
		}
		if !strings.HasSuffix(text, fmt.Sprintf("\n%d of %d points ran\n", (n+2)/3, n)) {
			t.Errorf("%d points: it ends in %q", n, text[max(0, len(text)-80):])
		}
		listed, unhit := strings.Count(text, "\n- [`"), n-(n+2)/3
		left := 0
		if _, rest, cut := strings.Cut(text, "**Cut:** "); cut {
			if _, err := fmt.Sscanf(rest, "%d more place", &left); err != nil {
				t.Error(err)
			}
		}
		if listed+left != unhit || (left > 0) != (n >= 3_000) {
			t.Errorf("%d points: %d listed and %d cut of %d", n, listed, left, unhit)
		}
		if strings.Count(text, "<details>") != strings.Count(text, "</details>") {
			t.Errorf("%d points: details that do not end", n)
		}
	}
}

// Names of files and functions stand for themselves, whatever they hold.
func TestHostileNames(t *testing.T) {
	for _, name := range []string{"a b.go", "100%.go", "a:7.go", "购物车.go", "`x`.go", "a|b.go", "<script>.go", "a&b.go", "a#b?c.go", "\x1b[31m.go", "a\u202eb.go", "a\nb.go"} {
		d := fixture(12, name, "f`<b>|\u202e")
		file := "p0/" + name
		markdown := string(render.Markdown(d, render.LinesAt("https://github.com/a/b", "github.com", "c0ffee")))
		if strings.ContainsAny(markdown, "\x1b\u202e") || strings.Contains(markdown, "<script>.go</summary>") {
			t.Errorf("%q reaches the page:\n%s", name, markdown)
		}
		for _, line := range strings.Split(markdown, "\n") {
			if strings.HasPrefix(line, "- ") && !strings.Contains(line, "](https://github.com/a/b/blob/c0ffee/p0/") {
				t.Errorf("%q broke a line: %q", name, line)
			}
		}
		var c struct {
			Files []struct {
				Name string `xml:"filename,attr"`
			} `xml:"packages>package>classes>class"`
		}
		text, err := render.Cobertura(d)
		if err == nil {
			err = xml.Unmarshal(text, &c)
		}
		if err != nil || len(c.Files) != 1 || c.Files[0].Name != file && !strings.Contains(name, "\x1b") {
			t.Errorf("%q: %v %+v", name, err, c)
		}
		profile := string(render.Coverprofile(d))
		blocks := 12
		if strings.Contains(name, "\n") {
			blocks = 0 // the form cannot say such a name
		}
		if got := strings.Count(profile, "\nexample.com/a/p0/"); got != blocks || strings.Count(profile, "\n") != blocks+1 {
			t.Errorf("%q: %d blocks in\n%s", name, got, profile)
		}
		var s struct {
			Runs []struct{ Results []json.RawMessage }
		}
		text, err = render.SARIF(d)
		if err == nil {
			err = json.Unmarshal(text, &s)
		}
		if err != nil || len(s.Runs[0].Results) != 8 {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestLinks(t *testing.T) {
	for _, c := range []struct{ address, host, want string }{
		{"https://github.com/a/b", "github.com", "https://github.com/a/b/blob/c0/x%20y/a%3A%E6%96%87.go#L3-L5"},
		{"https://gitlab.example.com/a/b/", "gitlab.example.com", "https://gitlab.example.com/a/b/-/blob/c0/x%20y/a%3A%E6%96%87.go#L3-5"},
		{"https://codeberg.org/a/b", "codeberg.org", "https://codeberg.org/a/b/src/commit/c0/x%20y/a%3A%E6%96%87.go#L3-L5"},
		{"https://bitbucket.org/a/b", "bitbucket.org", "https://bitbucket.org/a/b/src/c0/x%20y/a%3A%E6%96%87.go#lines-3:5"},
	} {
		if got := render.LinesAt(c.address, c.host, "c0")("x y/a:文.go", 3, 5); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	if got := render.LinesAt("", "", "c0")("a.go", 1, 1); got != "" {
		t.Errorf("%q without an address", got)
	}
}

func TestCoverprofileJoinsLinesOfOneRun(t *testing.T) {
	d := fixture(3, "a.go", "F")
	d.Lines = []report.Line{
		{File: "p0/a.go", Line: 4, Points: []string{"id0"}, Reached: "all"},
		{File: "p0/a.go", Line: 5, Points: []string{"id0"}, Reached: "all"},
		{File: "p0/a.go", Line: 6, Points: []string{"id0", "id1"}, Reached: "some"},
		{File: "p0/a.go", Line: 8, Points: []string{"id1"}, Reached: "none"},
		{File: "p0/a.go", Line: 9, Points: []string{"id2"}, Reached: "none"},
	}
	want := "mode: set\n" +
		"example.com/a/p0/a.go:4.1,6.1 2 1\nexample.com/a/p0/a.go:6.1,7.1 1 0\n" +
		"example.com/a/p0/a.go:8.1,9.1 1 0\nexample.com/a/p0/a.go:9.1,10.1 1 0\n"
	if got := string(render.Coverprofile(d)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// A line of which some points ran is no covered line, and says how many did.
func TestCoberturaOfLinesInPart(t *testing.T) {
	d := fixture(2, "a.go", "F")
	d.Lines = []report.Line{{File: "p0/a.go", Line: 4, Points: []string{"id0", "id1"}, Reached: "some"}}
	text, err := render.Cobertura(d)
	if err != nil || !strings.Contains(string(text), `<line number="4" hits="0" branch="true" condition-coverage="50% (1/2)">`) {
		t.Errorf("%v\n%s", err, text)
	}
}

// Without an account the regions of the points are all that is known of lines.
func TestLinesWithoutAnAccount(t *testing.T) {
	d := fixture(3, "a.go", "F")
	with := render.Coverprofile(d)
	d.Lines, d.Account = nil, nil
	if without := render.Coverprofile(d); string(with) != string(without) {
		t.Errorf("with\n%swithout\n%s", with, without)
	}
}
