package render

import (
	"cmp"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/report"
)

// Lines are the tracked lines by file and number. Without an account they are the lines
// that the regions of points cover, which is as much as can be said then.
func Lines(d *report.Document) []report.Line {
	lines := slices.Clone(d.Lines)
	if d.Lines == nil {
		lines = linesOfPoints(d)
	}
	slices.SortStableFunc(lines, func(a, b report.Line) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return lines
}

func linesOfPoints(d *report.Document) []report.Line {
	type place struct {
		file string
		line int
	}
	var lines []report.Line
	index := map[place]int{}
	for i := range d.Points {
		p := &d.Points[i]
		if p.Kind != goat.KindChange && p.Kind != "" {
			continue
		}
		for n := p.Start.Line; n <= max(p.Start.Line, p.End.Line); n++ {
			reached := "none"
			if p.Hit {
				reached = "all"
			}
			at, known := index[place{p.File, n}]
			if !known {
				index[place{p.File, n}] = len(lines)
				lines = append(lines, report.Line{File: p.File, Line: n, Points: []string{p.ID}, Reached: reached})
				continue
			}
			line := &lines[at]
			line.Points = append(line.Points, p.ID)
			if line.Reached != reached {
				line.Reached = "some"
			}
		}
	}
	return lines
}

// Run is a point that did not run, with the changed lines that it vouches for. Lines is
// empty for branches and deletions, which vouch for no line of the release.
type Run struct {
	Point *goat.Point
	// Phase is the one it ran in all the same, where that does not count; else "".
	Phase string
	// Degraded says that its package was built without points: nothing was seen of it.
	Degraded bool
	Lines    []int
}

// First and Last are the lines of the place.
func (r *Run) First() int {
	if len(r.Lines) > 0 {
		return r.Lines[0]
	}
	return max(r.Point.Start.Line, 1)
}

// Last is the last line of the place. A deletion has only the place of its cut.
func (r *Run) Last() int {
	switch {
	case len(r.Lines) > 0:
		return r.Lines[len(r.Lines)-1]
	case r.Point.Kind == goat.KindDeletion:
		return r.First()
	}
	return max(r.Point.End.Line, r.First())
}

// Unhit are the points that did not run, in the document's order, and after them those of
// packages that were built without points.
func Unhit(d *report.Document) []Run {
	vouched := map[string][]int{}
	for _, line := range Lines(d) {
		for _, id := range line.Points {
			vouched[id] = append(vouched[id], line.Line)
		}
	}
	var runs []Run
	for i := range d.Points {
		p := &d.Points[i]
		if p.Hit {
			continue
		}
		run := Run{Point: &p.Point, Lines: vouched[p.ID]}
		if p.Phase != nil {
			run.Phase = *p.Phase
		}
		runs = append(runs, run)
	}
	for i := range d.NotLinked {
		p := &d.NotLinked[i]
		if slices.Contains(d.Degraded, p.Package) {
			runs = append(runs, Run{Point: p, Degraded: true, Lines: vouched[p.ID]})
		}
	}
	return runs
}

// importNames gives each file of the report the name that go's tools know it by: the
// import path of its package, slash, base name.
func importNames(d *report.Document) map[string]string {
	names := map[string]string{}
	note := func(p *goat.Point) {
		if p.Package != "" {
			names[p.File] = p.Package + "/" + path.Base(p.File)
		}
	}
	for i := range d.NotLinked {
		note(&d.NotLinked[i])
	}
	for i := range d.Points {
		note(&d.Points[i].Point)
	}
	return names
}

// CountingWords says what counts as run in a report; "" where any hit does.
func CountingWords(c *report.Counting) string {
	var parts []string
	if c.Phase == report.PhaseTraffic {
		parts = append(parts, "only hits in the phase traffic")
	}
	if c.Since != nil {
		parts = append(parts, "hits since "+c.Since.Local().Format("2006-01-02 15:04:05"))
	}
	if c.Lane != nil {
		parts = append(parts, "processes of the lane "+report.LaneName(*c.Lane))
	}
	if c.Subtract != "" {
		parts = append(parts, fmt.Sprintf("without the %s that ran in %s", Plural(c.Subtracted, "point"), filepath.Base(c.Subtract)))
	}
	return strings.Join(parts, ", ")
}
