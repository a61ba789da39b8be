package browser_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gittext"
	"github.com/goat-trace/goat/go/internal/render/html"
	"github.com/goat-trace/goat/go/internal/report"
)

// write makes the page of a document that no program made.
func write(t testing.TB, d *report.Document, texts map[string]*gittext.File, noText error) (path string, size int) {
	t.Helper()
	p, err := html.Page(d, texts, noText)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path, b.Len()
}

func document(app string) *report.Document {
	d := &report.Document{Format: report.Format}
	d.Identity.App, d.Identity.Module, d.Identity.Granularity = app, "example.com/m", "patch"
	return d
}

// change adds one changed line with a point to a document.
func change(d *report.Document, file, function string, line int, state report.State) {
	p := report.Point{Instances: 1}
	p.ID, p.Name, p.Kind, p.File, p.Func = fmt.Sprintf("p%015d", len(d.Points)), fmt.Sprintf("TRACK_ID_%d", len(d.Points)+1), goat.KindChange, file, function
	p.Package = "example.com/m/" + filepath.Dir(file)
	p.Start, p.End = goat.Position{Line: line, Column: 2}, goat.Position{Line: line, Column: 30}
	if p.Hit = state == report.StateTraffic; p.Hit {
		phase, at := "traffic", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		p.Phase, p.FirstHit, p.HitInstances = &phase, &at, 1
		d.Summary.Hit++
	}
	d.Points = append(d.Points, p)
	d.Summary.Points++
	d.Account = append(d.Account, report.Change{File: file, Line: line, State: state, Points: []string{p.ID}, Evidence: "entered"})
}

// Whatever names and sources hold stays text: nothing runs, nothing becomes an element.
func TestHostileNamesStayText(t *testing.T) {
	const (
		file     = `a/<img src=x onerror=alert(1)>"'&` + "\u202e.go"
		function = `</script><script>alert(2)</script><!--`
		line     = `</div></section></script><script>alert(3)</script><b class="pwned">`
	)
	d := document(`<svg onload=alert(4)>`)
	change(d, file, function, 1, report.StateNone)
	reason := `"><script>alert(5)</script>`
	after := 1
	d.Account = append(d.Account, report.Change{File: file, DeletedAfter: &after, DeletedLines: 1, State: report.StateUntracked, Reason: reason})
	d.Instances = []report.Instance{{Source: `javascript:alert(6)<b class="pwned">`, Error: &reason}}
	d.Degraded = []string{line}
	path, _ := write(t, d, map[string]*gittext.File{file: {Text: []byte(line + "\n"), Old: []gittext.Old{{After: 1, Lines: []string{line}}}}}, nil)
	b := open(t, fileURL(path))
	b.run()
	b.press("j", "?")
	b.press("\x1b")
	if n := eval[int](b, `document.querySelectorAll('img, .pwned, body script:not([id]), object, iframe, svg[onload]').length`); n != 1 {
		t.Errorf("%d elements that must not be there (one script is the page's own)", n-1)
	}
	row := eval[map[string]string](b, `((e) => ({file: e.dataset.file, text: e.querySelector('.c').textContent}))(document.querySelector('p[data-line="1"]'))`)
	if row["file"] != file || row["text"] != line {
		t.Errorf("%q", row)
	}
	if head := eval[string](b, `document.querySelector('section.file h2').textContent`); head != strings.ReplaceAll(file, "\u202e", "‹U+202E›") {
		t.Errorf("the head says %q", head)
	}
}

// Without a repository the page has the lines, their states, and says why no text.
func TestWithoutText(t *testing.T) {
	d := document("app")
	change(d, "a/a.go", "F", 7, report.StateNone)
	path, _ := write(t, d, map[string]*gittext.File{"a/a.go": {}}, fmt.Errorf("no repository to take the text from"))
	b := open(t, fileURL(path))
	if note := eval[string](b, `document.getElementById('no-text').textContent`); note != "no repository to take the text from" {
		t.Errorf("the page says %q", note)
	}
	if n := eval[int](b, `document.querySelectorAll('p[data-line="7"][data-state=none]').length`); n != 1 {
		t.Errorf("%d rows", n)
	}
}

// large is a change of n lines in files of 100 changed and 300 other lines.
func large(n int) (*report.Document, map[string]*gittext.File) {
	d := document("large")
	texts := map[string]*gittext.File{}
	for i := range n {
		file := fmt.Sprintf("pkg%02d/file%04d.go", i/1000, i/100)
		at := i%100*4 + 3
		if texts[file] == nil {
			var b strings.Builder
			b.WriteString("package p\n\n")
			for k := range 100 {
				fmt.Fprintf(&b, "\tresult%d, err := compute(ctx, input[%d], \"name %d\") // step %d of file %d\n\tif err != nil {\n\t\treturn nil, fmt.Errorf(\"step %d: %%w\", err)\n\t}\n", k, k, i*7+k, k, i/100, k)
			}
			texts[file] = &gittext.File{Text: []byte(b.String())}
		}
		// As in the shop of examples: of nine changed lines five have points, and of these
		// every second one begins a point.
		switch state := report.StateTraffic; {
		case i%9 >= 5:
			d.Account = append(d.Account, report.Change{File: file, Line: at, State: report.StateNotExecutable, Reason: "brace"})
		case i%9%2 == 1:
			before := d.Account[len(d.Account)-1]
			before.Line = at
			d.Account = append(d.Account, before)
		default:
			if i%2 == 0 {
				state = report.StateNone
			}
			change(d, file, fmt.Sprintf("(*handler).step%d", i/10), at, state)
		}
	}
	return d, texts
}

// drawnLazily: whatever the size, only what is near the window is drawn, and the rest when
// it comes near. A block has 75 rows.
func (b *tab) drawnLazily(lines int) {
	b.t.Helper()
	const drawn = `document.querySelectorAll('p[data-file] > .c').length`
	b.until(drawn + ` > 0`)
	if n := eval[int](b, drawn); n > 600 {
		b.t.Errorf("%d lines: %d of them are drawn at once", lines, n)
	}
	if n := eval[int](b, `document.querySelectorAll('#overview *, #bar *, #tree *, .facts *').length`); n > 2000 {
		b.t.Errorf("%d lines: %d elements stand around them", lines, n)
	}
	last := fmt.Sprintf("pkg%02d/file%04d.go", (lines-1)/1000, (lines-1)/100)
	section := fmt.Sprintf(`document.querySelector('p[data-file="%s"]').closest('section')`, last)
	if lines > 500 && eval[bool](b, section+`.querySelector('.c, .facts') !== null`) {
		b.t.Errorf("%d lines: %s is drawn, and far away", lines, last)
	}
	// What is drawn above it moves it away again: the reader goes on scrolling.
	b.until(`(` + section + `.scrollIntoView(), true) && ` + section + `.querySelector('p[data-file] > .c') !== null && ` + section + `.querySelector('.facts button') !== null`)
	if n := eval[int](b, drawn); n > 1500 {
		b.t.Errorf("%d lines: on the way to %s %d are drawn", lines, last, n)
	}
	// The tree opens what the place is in.
	b.run(chromedp.Evaluate(`location.hash = "#at=`+last+`"`, nil))
	b.until(`document.querySelector('#tree a[aria-current]')?.title === '` + last + `'`)
	b.run(chromedp.Evaluate(`scrollTo(0, 0)`, nil))
}

// A large change makes a page that is still small enough, drawn, and filtered.
func TestLargeChanges(t *testing.T) {
	for _, c := range []struct{ lines, most int }{{500, 400 << 10}, {5000, 2 << 20}, {50000, 20 << 20}} {
		d, texts := large(c.lines)
		path, size := write(t, d, texts, nil)
		if size > c.most {
			t.Errorf("%d lines make %d bytes", c.lines, size)
		}
		began := time.Now()
		b := open(t, fileURL(path))
		drawn := eval[float64](b, `performance.now()`)
		b.drawnLazily(c.lines)
		took := eval[float64](b, `(() => { const t0 = performance.now(); document.querySelector('.chip.is-none').click(); document.body.offsetHeight; return performance.now() - t0; })()`)
		scroll := eval[float64](b, `new Promise((done) => { const t0 = performance.now(); let n = 0, worst = 0, last = t0;
			const step = () => { const now = performance.now(); worst = Math.max(worst, now - last); last = now; scrollTo(0, n * 3000); if (n++ < 30) requestAnimationFrame(step); else done(worst); }; step(); })`)
		if rows := eval[int](b, `document.querySelectorAll('p[data-line]').length`); rows != c.lines {
			t.Errorf("%d of %d rows", rows, c.lines)
		}
		if left := eval[string](b, shownStates); left != "none" {
			t.Errorf("the filter leaves %q", left)
		}
		t.Logf("%d lines: %d KiB, drawn %.0f ms after the start of loading (%v with the browser's start), filter %.0f ms, worst frame of fast scrolling %.0f ms",
			c.lines, size>>10, drawn, time.Since(began).Round(time.Millisecond), took, scroll)
	}
}
