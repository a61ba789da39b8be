package browser_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gittext"
	"github.com/goat-trace/goat/go/internal/report"
)

// views is a report with one line of each state in a/a.go, from two processes: gray ran
// lines 1 to 4, the stable one 1 and 5. Line 6 was not reached, 7 in part.
func views() (*report.Document, map[string]*gittext.File) {
	a := &report.Account{Hash: "p"}
	a.Plan = goat.Result{Module: "example.com/m", PlanHash: "p", Granularity: goat.GranularityPatch}
	gray := report.Observation{Source: "http://gray:57005", Instance: "1", Lane: "gray", Reachable: true, Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	gray.Identity = report.Identity{App: "views", Module: "example.com/m", PlanHash: "p", Granularity: "patch"}
	stable := gray
	stable.Source, stable.Instance, stable.Lane = "http://stable:57005", "2", ""
	at := report.MicrosOf(gray.Started.Add(time.Minute))
	for i, ran := range []struct{ gray, stable string }{{"traffic", "traffic"}, {"traffic", ""}, {"startup", ""}, {"init", ""}, {"", "traffic"}, {"", ""}} {
		p := goat.Point{
			ID: fmt.Sprintf("id%d", i+1), Name: fmt.Sprintf("TRACK_ID_%d", i+1), Kind: goat.KindChange, Package: "example.com/m/a", File: "a/a.go", Func: "F",
			Start: goat.Position{Line: i + 1, Column: 1}, End: goat.Position{Line: i + 1, Column: 9},
		}
		a.Plan.Points = append(a.Plan.Points, p)
		a.Plan.Account = append(a.Plan.Account, goat.AccountLine{File: p.File, Line: i + 1, Class: goat.ClassTracked, Points: []string{p.ID}})
		for phase, o := range map[*report.Observation]string{&gray: ran.gray, &stable: ran.stable} {
			s := report.Seen{Point: &p, Hit: o != "", Phase: o}
			if s.Hit {
				s.First, s.Last = at, at
			}
			phase.Points = append(phase.Points, s)
		}
	}
	after := 9
	a.Plan.Account = append(a.Plan.Account,
		goat.AccountLine{File: "a/a.go", Line: 7, Class: goat.ClassTracked, Points: []string{"id1", "id6"}, Note: "case_expression"},
		goat.AccountLine{File: "a/a.go", Line: 8, Class: goat.ClassNotExecutable, Reason: "comment", Effects: []string{"id6", "id1"}},
		goat.AccountLine{File: "a/a.go", Line: 9, Class: goat.ClassUntracked, Reason: "nosplit"},
		goat.AccountLine{File: "a/a.go", DeletedAfter: &after, DeletedLines: 2, Class: goat.ClassTracked, Points: []string{"id6"}},
	)
	a.Plan.Files = []goat.AccountFile{{File: "b/gen.go", Added: 40, Class: goat.ClassUntracked, Reason: "generated"}}
	texts := map[string]*gittext.File{"a/a.go": {Text: []byte(strings.Repeat("\tcode()\n", 20)), Old: []gittext.Old{{After: 9, Lines: []string{"\told()", "\told()"}}}}}
	return report.Join([]report.Observation{gray, stable}, report.Question{Plan: a}), texts
}

func openViews(t *testing.T, fragment string, actions ...chromedp.Action) *tab {
	t.Helper()
	d, texts := views()
	path, _ := write(t, d, texts, nil)
	return open(t, fileURL(path)+fragment, actions...)
}

// shownLines are the lines of a/a.go that match the filter.
const shownLines = `[...document.querySelectorAll('p[data-line]')].filter((e) => !e.hidden && !e.closest('[hidden]') && !e.classList.contains('dim')).map((e) => e.dataset.line).join()`

// Deletions are none of the changed lines, here as in the plan and the report.
func TestSumsLeaveDeletionsApart(t *testing.T) {
	b := openViews(t, "")
	if got := eval[string](b, `document.getElementById('found').textContent`); got != "49 of 49 changed lines, 1 of 1 deletions" {
		t.Errorf("found: %q", got)
	}
	if got := eval[string](b, `[...document.querySelectorAll('.legend b, .chip b')].map((e) => e.textContent).join()`); got != "1,1,1,1,3,41,1,1,1,1,1,1,3,41,1" {
		t.Errorf("sums by state: %q", got)
	}
}

func TestLaneFilter(t *testing.T) {
	b := openViews(t, "")
	for _, c := range []struct{ lane, lines string }{
		{"+gray", "1,2,3,4,7"}, {"=gray", "2,3,4"}, {"-gray", "5,6,7"},
		{"+", "1,5,7"}, {"=", "5"}, {"-", "2,3,4,6,7"}, {"", "1,2,3,4,5,6,7,8,9"},
	} {
		b.run(chromedp.Evaluate(fmt.Sprintf(`(() => { const lane = document.getElementById('lane'); lane.value = %q; lane.dispatchEvent(new Event('change')); })()`, c.lane), nil))
		b.until(fmt.Sprintf(`%s === %q`, shownLines, c.lines))
		other := eval[string](b, `new URLSearchParams(location.hash.slice(1)).get('lane') || ''`)
		if other != c.lane {
			t.Errorf("lane %q stands in the address as %q", c.lane, other)
		}
	}
	b = openViews(t, "#lane=%3Dgray&at=a/a.go:2")
	if got := eval[string](b, shownLines+` + ' ' + document.getElementById('lane').value`); got != "2,3,4 =gray" {
		t.Errorf("a link shows %q", got)
	}
	b.run(chromedp.Click(`.here .g`, chromedp.ByQuery))
	if got := eval[string](b, `document.querySelector('.details table').textContent`); !strings.Contains(got, "Lanes") || !strings.Contains(got, "gray") {
		t.Errorf("the details say %q", got)
	}
}

// What the plan notes of a line that its state does not say stands in its details.
func TestEffectsAndNotes(t *testing.T) {
	b := openViews(t, "")
	details := func(line int) string {
		b.run(chromedp.Click(fmt.Sprintf(`p[data-line="%d"] .g`, line), chromedp.ByQuery))
		return eval[string](b, fmt.Sprintf(`document.querySelector('p[data-line="%d"] + .details').textContent`, line))
	}
	if got := details(8); !strings.Contains(got, "changes what runs at: a/a.go:6 F – nevera/a.go:1 F – traffic") {
		t.Errorf("the details of the comment mark: %q", got)
	}
	if got := details(7); !strings.Contains(got, "also runs where its clause is not taken") {
		t.Errorf("the details of the case expression: %q", got)
	}
	if got := eval[string](b, `document.querySelector('p[data-line="8"] .n').textContent`); got != "a comment · changes what runs" {
		t.Errorf("beside the comment mark stands %q", got)
	}
	b.run(chromedp.Click(`.effects a`, chromedp.ByQuery))
	b.until(`document.querySelector('p[data-line="6"].here') !== null`)
	if hash := eval[string](b, `decodeURIComponent(location.hash)`); hash != "#at=a/a.go:6" {
		t.Errorf("the link leads to %q", hash)
	}
}

// Paper shows every changed line with its state, light, and nothing that is to be clicked.
func TestPrint(t *testing.T) {
	d, texts := large(300)
	path, _ := write(t, d, texts, nil)
	dark := emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}})
	b := open(t, fileURL(path), dark)
	var pdf []byte
	b.run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		pdf, _, err = page.PrintToPDF().WithPrintBackground(true).Do(ctx)
		return err
	}))
	// 300 changed lines and their context are more than 1200 lines of text.
	if pages := bytes.Count(pdf, []byte("/Type /Page\n")); !bytes.HasPrefix(pdf, []byte("%PDF-")) || pages < 12 {
		t.Errorf("%d bytes, %d pages", len(pdf), pages)
	}
	if left := eval[int](b, `document.querySelectorAll('p[data-file]:not(:has(> .c))').length`); left != 0 {
		t.Errorf("%d lines are not on the paper", left)
	}
	b.run(emulation.SetEmulatedMedia().WithMedia("print").WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}))
	if got := eval[string](b, `getComputedStyle(document.body).backgroundColor + ' ' + getComputedStyle(document.body).color`); got != "rgb(255, 255, 255) rgb(27, 33, 41)" {
		t.Errorf("paper and ink: %s", got)
	}
	if seen := eval[string](b, `[...document.querySelectorAll('.tools, #bar, #tree, .gap, .skip, .facts button')].filter((e) => e.checkVisibility()).map((e) => e.id || e.className || e.textContent).join()`); seen != "" {
		t.Errorf("on paper stand %s", seen)
	}
	row := eval[string](b, `((e) => getComputedStyle(e, '::after').content + getComputedStyle(e).printColorAdjust + getComputedStyle(e).backgroundColor)(document.querySelector('p[data-state=none]'))`)
	if row != `"✗" / ""exactrgb(255, 231, 230)` {
		t.Errorf("a line that did not run: %s", row)
	}
}

// A screen reader hears of each line its state, finds its way by landmarks and headings,
// and is told what opens.
func TestAccessibilityTree(t *testing.T) {
	b := openViews(t, "")
	b.until(`document.querySelectorAll('p[data-file]:not(:has(> .g))').length === 0`)
	names := func() map[string][]string {
		t.Helper()
		all := map[string][]string{}
		b.run(chromedp.ActionFunc(func(ctx context.Context) error {
			var answer struct {
				Nodes []axNode `json:"nodes"`
			}
			err := cdp.Execute(ctx, accessibility.CommandGetFullAXTree, nil, &answer)
			for _, n := range answer.Nodes {
				if !n.Ignored {
					all[n.Role.text()] = append(all[n.Role.text()], n.Name.text()+n.expanded())
				}
			}
			return err
		}))
		return all
	}
	tree := names()
	for role, wanted := range map[string][]string{
		"banner": {""}, "main": {""}, "contentinfo": {""}, "navigation": {"Packages and files"}, "search": {"Filters"},
		"heading":  {"views", "a/a.go", "b/gen.go", "First hits over time", "Instances (2)"},
		"region":   {"a/a.go", "b/gen.go"},
		"combobox": {"Package false", "Lane false"}, "searchbox": {"Text"},
		"columnheader": {"Source", "Lane", "Started", "Points hit"},
		"button": {
			"Details of line 1: traffic false", "Details of line 3: start-up only false", "Details of line 4: initialisation only false",
			"Details of line 6: not reached false", "Details of line 7: in part false", "Details of line 8: not executable: a comment false",
			"Details of line 9: untracked: a nosplit function has no room for a point false", "Details of the deletion after line 9: not reached false",
		},
	} {
		for _, name := range wanted {
			if !slices.Contains(tree[role], name) {
				t.Errorf("no %s %q among %q", role, name, tree[role])
			}
		}
	}
	// What the eye sees as a sign is a word here, never the sign.
	for _, name := range append(tree["button"], tree["StaticText"]...) {
		if strings.ContainsAny(name, "✗◐◌○✓") && strings.TrimSpace(name) != "✓" {
			t.Errorf("a sign is read out: %q", name)
		}
	}
	b.run(chromedp.Click(`p[data-line="6"] .g`, chromedp.ByQuery))
	tree = names()
	if !slices.Contains(tree["button"], "Details of line 6: not reached true") || !slices.Contains(tree["region"], "Details of line 6: not reached") {
		t.Errorf("an open line: %q, regions %q", tree["button"], tree["region"])
	}
}

// axNode is a node of the accessibility tree. (cdproto's own refuses words of newer browsers.)
type axNode struct {
	Ignored    bool    `json:"ignored"`
	Role       axValue `json:"role"`
	Name       axValue `json:"name"`
	Properties []struct {
		Name  string  `json:"name"`
		Value axValue `json:"value"`
	} `json:"properties"`
}

type axValue struct {
	Value any `json:"value"`
}

func (v axValue) text() string {
	if v.Value == nil {
		return ""
	}
	return fmt.Sprint(v.Value)
}

// expanded is " true" or " false" for what opens something.
func (n *axNode) expanded() string {
	for _, p := range n.Properties {
		if p.Name == "expanded" {
			return " " + p.Value.text()
		}
	}
	return ""
}
