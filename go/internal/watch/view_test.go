package watch

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/render"
	"github.com/goat-trace/goat/go/internal/report"
	"github.com/goat-trace/goat/go/internal/report/follow"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// points makes a point for each phase, "" for one that did not run.
func points(phases ...string) *report.Document {
	d := &report.Document{}
	d.Summary.Sources = 1
	for i, phase := range phases {
		p := report.Point{}
		p.ID, p.File, p.Func = string(rune('a'+i)), "dir/"+string(rune('a'+i))+".go", "(*T).F"
		p.Start, p.End = goat.Position{Line: i + 1}, goat.Position{Line: i + 1}
		if p.Hit = phase != ""; p.Hit {
			at := noon.Add(time.Duration(i) * time.Second)
			p.Phase, p.FirstHit = &phase, &at
			d.Summary.Hit++
		}
		d.Points = append(d.Points, p)
	}
	d.Summary.Points = len(phases)
	ratio := float64(d.Summary.Hit) / float64(max(len(phases), 1))
	d.Summary.Ratio = &ratio
	return d
}

func TestUnhitFirst(t *testing.T) {
	d := points("traffic", "", "startup", "traffic", "init", "")
	var got []string
	for _, p := range order(d.Points, "") {
		got = append(got, p.ID)
	}
	if strings.Join(got, "") != "bfecda" {
		t.Errorf("got %q", got)
	}
	if list := order(d.Points, "  A.GO f"); len(list) != 1 || list[0].ID != "a" {
		t.Errorf("the filter finds %d", len(list))
	}
}

// Whatever the window's size, the frame fits in, and what is not shown is counted.
func TestFrameFits(t *testing.T) {
	d := points(strings.Split(strings.Repeat(",traffic,,startup,", 10), ",")...)
	d.Points[0].File = strings.Repeat("long/价格/", 30) + "x.go"
	d.Points[0].Func = "\x1b[2J\u202eevil\nname"
	failed := "no answer"
	d.Instances = []report.Instance{{Source: "http://a\x07", Error: &failed}, {Source: "b", Error: &failed}, {Source: "c", Error: &failed}}
	for _, help := range []bool{false, true} {
		for width := 1; width < 150; width += 7 {
			for height := 1; height < 60; height += 5 {
				w := &watcher{Options: &Options{Until: 0.9, Timeout: time.Minute}, document: d}
				w.view.help = help
				lines := w.frame(size{width: width, height: height}, noon)
				if len(lines) > height {
					t.Fatalf("%dx%d: %d lines", width, height, len(lines))
				}
				for _, line := range lines {
					if !help && render.Columns(line) > width {
						t.Fatalf("%dx%d: %d cells: %q", width, height, render.Columns(line), line)
					}
					if strings.ContainsAny(line, "\x1b\n\x07\u202e") {
						t.Fatalf("%q reaches the terminal", line)
					}
				}
			}
		}
	}
	w := &watcher{Options: &Options{}, document: d}
	d.Instances = nil
	last := w.frame(size{width: 80, height: 13}, noon)[12]
	if !strings.HasPrefix(last, "31 more (") {
		t.Errorf("the rest is counted as %q", last)
	}
}

func TestProgress(t *testing.T) {
	for _, c := range []struct {
		document *report.Document
		until    float64
		want     string
	}{
		{points("traffic", "", "startup"), 0, "66%  2 of 3 points ran (1 traffic, 1 startup, 0 init)"},
		{points("traffic", "", ""), 0.9, "33%  1 of 3 points ran, until 90%: 2 to go"},
		{points("traffic"), 1, "100%  1 of 1 point ran, until 100%: 0 to go"},
	} {
		for i := range c.document.Points {
			if p := c.document.Points[i].Phase; p != nil && *p == "traffic" {
				c.document.Summary.Phases.Traffic++
			} else if p != nil {
				c.document.Summary.Phases.Startup++
			}
		}
		w := &watcher{Options: &Options{Until: c.until}, document: c.document}
		if got := w.progress(size{width: 120}); !strings.HasSuffix(got, c.want) || !strings.ContainsAny(got, "█") {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	empty := points()
	empty.Summary.Ratio = nil
	w := &watcher{Options: &Options{Until: 0.5}, document: empty}
	if got := w.progress(size{width: 120}); got != "0 of 0 points ran, until 50%: 0 to go" {
		t.Errorf("got %q", got)
	}
}

func TestKeys(t *testing.T) {
	v := &view{rows: 5}
	for _, k := range []key{'j', keyDown, ' ', 'k', '/', 'a', '价', keyBackspace, 'q', keyEnter} {
		if v.press(k) {
			t.Fatalf("%q ends the watch", rune(k))
		}
	}
	if v.filter != "aq" || v.editing {
		t.Errorf("%+v", v)
	}
	v.press(keyEscape)
	if v.filter != "" || !v.press('q') {
		t.Errorf("%+v", v)
	}
}

func TestLines(t *testing.T) {
	d := points("traffic", "", "startup")
	s := &follow.State{Document: d, Fresh: []*report.Point{&d.Points[0], &d.Points[2]}}
	var out bytes.Buffer
	w := &watcher{Options: &Options{Out: &out}}
	if err := w.lines(s); err != nil {
		t.Fatal(err)
	}
	want := noon.Local().Format(time.DateTime) + "  traffic  dir/a.go:1  (*T).F  (1 of 3 points ran)\n"
	if got := out.String(); !strings.HasPrefix(got, want) || strings.Count(got, "\n") != 2 {
		t.Errorf("got %q, want %q", got, want)
	}
	out.Reset()
	w.JSON = true
	if err := w.lines(s); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		var h struct {
			ID      string
			Phase   string
			Summary struct{ Points, Hit int }
		}
		if err := json.Unmarshal([]byte(line), &h); err != nil || h.ID == "" || h.Phase == "" || h.Summary.Points != 3 {
			t.Errorf("%v: %s", err, line)
		}
	}
}

func TestCells(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  string
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"价格表", 5, "价格…"}, {"价格表", 4, "价…"}, {"e\u0301x", 2, "e\u0301x"}, {"ab", 0, ""}} {
		if got := cut(c.text, c.width); got != c.want || render.Columns(got) > c.width {
			t.Errorf("%q in %d: %q", c.text, c.width, got)
		}
	}
	if got := spread("left", "right", 12); got != "left   right" {
		t.Errorf("got %q", got)
	}
	if got := spread("left", "right", 9); got != "left" {
		t.Errorf("got %q", got)
	}
}
