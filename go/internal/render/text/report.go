package text

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/render"
	"github.com/goat-trace/goat/go/internal/report"
)

// Report is a report for people. Its last line is the sum.
func Report(document *report.Document, looks Looks) string {
	v := reportView{document: printable.Copy(document), quiet: looks.Quiet, verbose: looks.Verbose, style: style{looks.Colour}}
	return v.text()
}

type reportView struct {
	document       *report.Document
	quiet, verbose bool
	style          style
}

func (v *reportView) text() string {
	var b strings.Builder
	if !v.quiet {
		v.head(&b)
		b.WriteByte('\n')
	}
	if len(v.document.Points) > 0 {
		v.points(&b)
		b.WriteByte('\n')
	}
	v.rest(&b)
	fmt.Fprintf(&b, "%d of %d points ran\n", v.document.Summary.Hit, v.document.Summary.Points)
	return b.String()
}

// head says what the report is about and where it comes from.
func (v *reportView) head(b *strings.Builder) {
	id := &v.document.Identity
	var t table
	if id.App != "" {
		t.add(plainCells("app", strings.TrimSpace(id.App+" "+id.Version))...)
	}
	if id.PlanHash != "" {
		base := goat.Base{Ref: id.Base.Ref, Commit: id.Base.Commit}
		release := goat.Release{Ref: id.Release.Ref, Commit: id.Release.Commit, Dirty: id.Dirty}
		t.add(plainCells("base", render.Base(&base))...)
		t.add(plainCells("release", render.Release(&release))...)
	}
	label := "from"
	for i := range v.document.Instances {
		if i == instancesShown && !v.verbose {
			t.add(plainCells("", fmt.Sprintf("and %d more (--verbose lists them)", len(v.document.Instances)-i))...)
			break
		}
		t.add(plainCells(label, describeInstance(&v.document.Instances[i], id.PlanHash))...)
		label = ""
	}
	t.write(b, "")
}

// instancesShown bounds the list of a large fleet.
const instancesShown = 10

func describeInstance(i *report.Instance, plan string) string {
	parts := []string{i.Source}
	if i.Started != nil {
		parts = append(parts, "started "+clock(*i.Started))
	}
	switch {
	case i.State == "alive":
		parts = append(parts, "running")
	case i.Ended != nil && (i.Ended.Phase == "startup" || i.Ended.Phase == "init"):
		// A command is over before its start-up is: nothing of it can be traffic.
		parts = append(parts, "the process ended in "+phaseWords[i.Ended.Phase])
	case i.State == "ended":
		parts = append(parts, "ended")
	}
	switch {
	case i.Tests:
		parts = append(parts, "tests")
	case i.Mode != "" && i.Mode != "exe":
		parts = append(parts, i.Mode)
	}
	if i.Lane != "" {
		parts = append(parts, "lane "+i.Lane)
	}
	if i.Image != "" {
		parts = append(parts, "image "+shortDigest(i.Image)+" plan "+cmp.Or(i.PlanHash, "none"))
	}
	if i.Reachable && i.PlanHash != plan {
		parts = append(parts, "built from plan "+cmp.Or(i.PlanHash, "none"))
	}
	if i.Error != nil {
		parts = append(parts, "not read as a whole: "+*i.Error)
	}
	return strings.Join(parts, ", ")
}

// shortDigest is as much of a digest as tells two of them apart.
func shortDigest(image string) string {
	algorithm, digest, found := strings.Cut(image, ":")
	if !found {
		return image
	}
	return algorithm + ":" + digest[:min(12, len(digest))]
}

var phaseWords = map[string]string{"init": "initialisation", "startup": "start-up"}

// clock is a time in the reader's zone, as long as needed to compare two of them.
func clock(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

func (v *reportView) points(b *strings.Builder) {
	several, counting := v.several(), v.counting()
	head := []string{"PLACE", "FUNCTION", "RAN", "FIRST HIT"}
	if counting {
		head = append(head, "HITS")
	}
	if several {
		head = append(head, "PROCESSES")
	}
	var t table
	cells := plainCells(head...)
	for i := range cells {
		cells[i].paint = v.style.bold
	}
	t.add(cells...)
	for i := range v.document.Points {
		p := &v.document.Points[i]
		row := plainCells(render.Place(p.File, p.Start.Line, p.End.Line), functionOf(p), "", firstHit(p))
		row[2] = v.ran(p)
		if counting {
			row = append(row, cell{text: hits(p)})
		}
		if several {
			row = append(row, cell{text: fmt.Sprintf("%d of %d", p.HitInstances, p.Instances)})
		}
		t.add(row...)
	}
	t.write(b, "")
}

// several says whether more than one process was read.
func (v *reportView) several() bool {
	for i := range v.document.Points {
		if v.document.Points[i].Instances > 1 {
			return true
		}
	}
	return false
}

func (v *reportView) counting() bool {
	for i := range v.document.Points {
		if v.document.Points[i].Count != nil {
			return true
		}
	}
	return false
}

// functionOf names the function, and what kind of point it is unless a plain change.
func functionOf(p *report.Point) string {
	name := cmp.Or(p.Func, "(package)")
	if p.Kind != goat.KindChange && p.Kind != "" {
		name += " [" + string(p.Kind) + "]"
	}
	return name
}

// ran is "no", or the phase: only traffic says something about the canary's work.
func (v *reportView) ran(p *report.Point) cell {
	switch {
	case !p.Hit:
		return cell{"no", v.style.bad}
	case p.Phase == nil:
		return cell{"yes", v.style.good}
	case *p.Phase == "traffic":
		return cell{"traffic", v.style.good}
	}
	return cell{*p.Phase, v.style.warn}
}

func firstHit(p *report.Point) string {
	if p.FirstHit == nil {
		return ""
	}
	return clock(*p.FirstHit)
}

func hits(p *report.Point) string {
	if p.Count == nil {
		return ""
	}
	return fmt.Sprint(*p.Count)
}

// rest says what the table does not show.
func (v *reportView) rest(b *strings.Builder) {
	d := v.document
	for _, name := range d.Degraded {
		fmt.Fprintf(b, "degraded: %s was built without its points\n", name)
	}
	if n := len(d.NotLinked); n > 0 {
		fmt.Fprintf(b, "%s and %s of the plan in code that none of these programs holds: %s\n",
			render.Plural(n, "more point"), render.Plural(d.Summary.LinesNotLinked, "tracked line"), placesOf(d.NotLinked))
	}
	if d.Dropped > 0 {
		fmt.Fprintf(b, "%s of programs built from other plans left out\n", render.Plural(d.Dropped, "point"))
	}
	switch {
	case d.Lines == nil:
		fmt.Fprintf(b, "no account of lines: %s\n", d.LinesMissing)
	case len(d.Lines) > 0:
		fmt.Fprintf(b, "%d of %s %s\n", d.Summary.LinesReached, render.Plural(len(d.Lines), "tracked line"), d.Lines[0].Evidence)
	}
	if p := d.Summary.Phases; p.Init+p.Startup > 0 {
		fmt.Fprintf(b, "by phase: %d traffic, %d startup, %d init\n", p.Traffic, p.Startup, p.Init)
	}
}

// placesShown bounds a list of places in a sentence.
const placesShown = 3

func placesOf(points []goat.Point) string {
	var places []string
	for i := range points {
		if i == placesShown {
			places = append(places, "...")
			break
		}
		places = append(places, render.Place(points[i].File, points[i].Start.Line, points[i].End.Line))
	}
	return strings.Join(places, ", ")
}
