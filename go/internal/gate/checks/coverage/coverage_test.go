package coverage_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/checks/coverage"
	"github.com/goat-trace/goat/go/internal/gate/settings"
	"github.com/goat-trace/goat/go/internal/report"
)

var now = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

func word(s string) *string { return &s }

// evidence is a release of ten points in cart/cart.go, one line each, of which so many ran.
func evidence(hit int) *report.Document {
	started := now.Add(-time.Hour)
	d := &report.Document{Lines: []report.Line{}}
	d.Identity = report.Identity{App: "shop", PlanHash: "p1", Release: report.Ref{Commit: "abcdef0123"}}
	d.Instances = []report.Instance{{Source: "http://canary", Instance: "i1", PlanHash: "p1", Started: &started, State: "live", Phase: "traffic", Reachable: true}}
	for i := range 10 {
		p := report.Point{Point: goat.Point{
			ID: fmt.Sprintf("id%d", i), Name: fmt.Sprintf("TRACK_ID_%d", i+1), Kind: goat.KindChange, Package: "example.com/shop/cart", File: "cart/cart.go",
			Func: fmt.Sprintf("(*Cart).Do%d", i), Start: goat.Position{Line: 10 + i},
		}}
		line := report.Line{File: p.File, Line: 10 + i, Points: []string{p.ID}, Reached: "none"}
		if i < hit {
			p.Hit, p.Phase, line.Reached = true, word("traffic"), "all"
			d.Summary.Hit++
			d.Summary.LinesReached++
		}
		d.Points, d.Lines = append(d.Points, p), append(d.Lines, line)
	}
	d.Summary.Points, d.Summary.Lines = 10, 10
	return d
}

func judge(t *testing.T, yamlText string, d *report.Document, err error) gate.Finding {
	t.Helper()
	var node yaml.Node
	if bad := yaml.Unmarshal([]byte(yamlText), &node); bad != nil {
		t.Fatal(bad)
	}
	var s coverage.Settings
	if bad := settings.Decode("goat.yaml", node.Content[0], &s, &settings.Values{}); bad != nil {
		t.Fatal(bad)
	}
	c := &coverage.Check{Settings: s, From: []string{"http://canary"}, Now: func() time.Time { return now },
		Read: func(context.Context) (*report.Document, error) { return d, err }}
	return c.Look(context.Background())
}

// Every setting, at its threshold and one step beyond it.
func TestThresholds(t *testing.T) {
	for _, c := range []struct {
		yaml string
		d    func() *report.Document
		want gate.Verdict
		says string
	}{
		{"{}", hit(9), gate.Pass, "9 of 10 points ran in traffic"},
		{"{}", hit(8), gate.Fail, "did not run: cart/cart.go:18 in (*Cart).Do8"},
		{"{points: 0.8}", hit(8), gate.Pass, "8 of 10"},
		{"{points: 0.81}", hit(8), gate.Fail, "8 of 10"},
		{"{lines: 0.8}", hit(8), gate.Pass, "8 of 10 tracked lines"},
		{"{lines: 0.81}", hit(8), gate.Fail, "8 of 10 tracked lines"},
		{"{points: 0, lines: 0}", hit(0), gate.Pass, "0 of 10"},
		{"{must: [cart/**]}", hit(10), gate.Pass, "10 of 10 points of cart/**"},
		{"{must: [cart/**]}", hit(9), gate.Fail, "cart/cart.go:19"},
		{"{must: ['(*Cart).Do3']}", hit(4), gate.Pass, "1 of 1"},
		{"{must: ['(*Cart).Do4']}", hit(4), gate.Fail, "0 of 1"},
		{"{must: ['orders/**']}", hit(10), gate.Inconclusive, "matches nothing"},
		{"{must: ['orders/**'], mustAbsent: fail}", hit(10), gate.Fail, "matches nothing"},
		{"{points: 1, allow: [{match: '(*Cart).Do9', why: rare}]}", hit(9), gate.Pass, "9 of 9 points ran in traffic, without 1 point"},
		{"{lines: 1, allow: [{match: '(*Cart).Do9', why: rare}]}", hit(9), gate.Pass, "9 of 9 tracked lines"},
		{"{points: 1, allow: [{match: '(*Cart).Do9', why: rare, until: 2026-12-01}]}", hit(9), gate.Pass, "until 2026-12-01: rare"},
		{"{points: 1, allow: [{match: '(*Cart).Do9', why: rare, until: 2026-11-30}]}", hit(10), gate.Fail, "is over until 2026-11-30"},
		{"{must: [cart/**], allow: [{match: '(*Cart).Do9', why: rare}]}", hit(9), gate.Pass, "9 of 9 points of cart/**"},
		{"{instances: 1}", hit(10), gate.Pass, "1 process"},
		{"{instances: 2}", hit(10), gate.Inconclusive, "1 process"},
		{"{uptime: 1h}", hit(10), gate.Pass, "1 process"},
		{"{uptime: 1h1s}", hit(10), gate.Inconclusive, "is up for 1h0m0s, less than 1h0m1s"},
		{"{release: abcdef}", hit(10), gate.Pass, "is of the release"},
		{"{release: abcdee}", hit(10), gate.Inconclusive, "another release"},
		{"{release: abcdee, stale: fail}", hit(10), gate.Fail, "another release"},
	} {
		f := judge(t, c.yaml, c.d(), nil)
		if f.Verdict() != c.want || !strings.Contains(all(f), c.says) {
			t.Errorf("%s: %s, want %s with %q:\n%s", c.yaml, f.Verdict(), c.want, c.says, all(f))
		}
	}
}

func hit(n int) func() *report.Document { return func() *report.Document { return evidence(n) } }

func all(f gate.Finding) string {
	var b strings.Builder
	for _, r := range f.Reasons {
		fmt.Fprintf(&b, "%s %s %v %v\n", r.Verdict, r.Message, r.Value, r.Threshold)
	}
	return b.String()
}

// What the evidence lacks is said, and judged as was asked.
func TestWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		name, yaml string
		change     func(*report.Document)
		want       gate.Verdict
		says       string
	}{
		{"no points", "{}", func(d *report.Document) { d.Points = nil }, gate.Inconclusive, "nothing of the change can be watched"},
		{"no points, allowed", "{empty: pass}", func(d *report.Document) { d.Points = nil }, gate.Pass, "nothing of the change"},
		{"degraded", "{}", func(d *report.Document) { d.Degraded = []string{"example.com/x"} }, gate.Inconclusive, "example.com/x was built without"},
		{"degraded fails", "{degraded: fail}", func(d *report.Document) { d.Degraded = []string{"example.com/x"} }, gate.Fail, "example.com/x"},
		{"unread", "{}", unread, gate.Inconclusive, "connection refused"},
		{"unread passes", "{unread: pass}", unread, gate.Pass, "connection refused"},
		{"all unread", "{}", func(d *report.Document) { d.Instances[0].Reachable, d.Instances[0].Error = false, word("no") }, gate.Error, "no evidence: http://canary: no"},
		{"no process", "{}", func(d *report.Document) { d.Instances = nil }, gate.Inconclusive, "no process of the lane"},
		{"start-up", "{}", func(d *report.Document) { d.Instances[0].Phase = "startup" }, gate.Inconclusive, "still in its start-up"},
		{"older plans", "{}", func(d *report.Document) { other(d, -time.Hour) }, gate.Pass, "1 process was built from other plans"},
		{"older plans fail", "{otherPlans: fail}", func(d *report.Document) { other(d, -time.Hour) }, gate.Fail, "other plans"},
		{"a newer plan", "{}", func(d *report.Document) { other(d, time.Hour) }, gate.Inconclusive, "the newest process runs another plan"},
		{"no account", "{lines: 0.5}", func(d *report.Document) { d.Lines, d.LinesMissing = nil, "no plan" }, gate.Inconclusive, "no account of lines: no plan"},
		{"beside Go", "{}", beside, gate.Pass, "embed changed, which goat cannot see run: page.html"},
		{"beside Go fails", "{other: fail}", beside, gate.Fail, "page.html"},
		{"dirty", "{release: abc}", func(d *report.Document) { d.Identity.Dirty = true }, gate.Inconclusive, "not committed"},
		{"in no program", "{must: [gone.go]}", func(d *report.Document) { d.NotLinked = []goat.Point{{ID: "x", File: "gone.go"}} }, gate.Fail, "did not run: gone.go"},
	} {
		d := evidence(10)
		c.change(d)
		f := judge(t, c.yaml, d, nil)
		if f.Verdict() != c.want || !strings.Contains(all(f), c.says) {
			t.Errorf("%s: %s, want %s with %q:\n%s", c.name, f.Verdict(), c.want, c.says, all(f))
		}
	}
}

func unread(d *report.Document) {
	d.Instances = append(d.Instances, report.Instance{Source: "http://other", Error: word("connection refused")})
	d.Summary.Failed = 1
}

func beside(d *report.Document) { d.Other = []goat.Other{{Kind: "embed", Path: "page.html"}} }

func other(d *report.Document, later time.Duration) {
	at := d.Instances[0].Started.Add(later)
	d.Instances = append(d.Instances, report.Instance{Source: "http://other", Instance: "i2", PlanHash: "p0", Started: &at, Reachable: true})
}

// A package variable is initialised at start-up and never again.
func TestInitialisersNeedNoTraffic(t *testing.T) {
	d := evidence(9)
	d.Points[9].Func, d.Points[9].Phase = "", word("init")
	if f := judge(t, "{points: 1}", d, nil); f.Verdict() != gate.Pass {
		t.Error(all(f))
	}
}

func TestErrors(t *testing.T) {
	if f := judge(t, "{}", nil, errors.New("the disk is gone")); f.Verdict() != gate.Error || !strings.Contains(all(f), "the disk is gone") {
		t.Error(all(f))
	}
	wrong := &goat.Error{Code: goat.CodeUsage, Message: "--match: bad"}
	if f := judge(t, "{}", nil, wrong); f.Misconfigured != error(wrong) {
		t.Errorf("%+v", f)
	}
}

func TestPatterns(t *testing.T) {
	point := goat.Point{ID: "k3v2q0", Name: "TRACK_ID_7", Package: "example.com/shop/cart/item", File: "svc/cart/item/add.go", Func: "(*handler).create"}
	for pattern, want := range map[string]bool{
		"svc/cart/**": true, "svc/**": true, "svc/*/item/add.go": true, "**/add.go": true, "*.go": true, "add.go": true, "svc/cart": true, "svc/cart/": true,
		"./svc/cart/**": true, "/svc/**": true, "example.com/shop/...": true, "example.com/shop/cart/item": true, "example.com/*/cart/item": true,
		"(*handler).create": true, "item.(*handler).create": true, "example.com/shop/cart/item.(*handler).create": true, "(*handler).*": true,
		"k3v2q0": true, "TRACK_ID_7": true,
		"svc/car": false, "item/**": false, "*.js": false, "svc/*": true, "svc/*.go": false, "(*handler).crea": false, "(*server).create": false,
		"cart.(*handler).create": false, "example.com/shop": false, "TRACK_ID_70": false, "create": false,
	} {
		d := evidence(10)
		d.Points[0].Point = point
		d.Points[0].Hit = true
		f := judge(t, "{must: ['"+pattern+"']}", d, nil)
		if got := f.Verdict() == gate.Pass; got != want {
			t.Errorf("%s: %v, want %v", pattern, got, want)
		}
	}
}
