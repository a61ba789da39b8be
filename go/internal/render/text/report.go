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

// Report is a report for people: what did not run comes first, and the last line is the
// sum. On a terminal a long list is cut, unless looks say verbose.
func Report(document *report.Document, looks Looks) string {
	v := reportView{document: printable.Copy(document), Looks: looks, style: style{looks.Colour}}
	return v.text()
}

type reportView struct {
	document *report.Document
	Looks
	style style
}

func (v *reportView) text() string {
	var b strings.Builder
	if !v.Quiet {
		v.head(&b)
		b.WriteByte('\n')
	}
	shown := v.document.Shown
	switch {
	case shown != nil && shown.By != "":
		v.groups(&b, string(shown.By), shown.Groups, shown.Cut)
	case len(v.document.Points) > 0:
		v.points(&b)
	}
	v.lanes(&b)
	v.beside(&b)
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
		if i == instancesShown && !v.Verbose {
			t.add(plainCells("", fmt.Sprintf("and %d more (--verbose lists them)", len(v.document.Instances)-i))...)
			break
		}
		t.add(plainCells(label, describeInstance(&v.document.Instances[i], id.PlanHash))...)
		label = ""
	}
	if words := render.CountingWords(&v.document.Counting); words != "" {
		t.add(plainCells("counts", words)...)
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
	switch {
	case i.Error != nil && i.Reachable:
		parts = append(parts, "not read as a whole: "+*i.Error)
	case i.Error != nil:
		parts = append(parts, "not read: "+*i.Error)
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

// Bounds of what a terminal shows without --verbose.
const (
	pointsShown = 40
	groupsShown = 12
)

// cut is how many of n rows are shown, and how many are not.
func (v *reportView) cut(n, bound int) (shown, rest int) {
	if v.Verbose || v.Width == 0 {
		return n, 0
	}
	shown = min(n, bound)
	return shown, n - shown
}

// points lists the points, those that did not run first. Where not all fit, the packages
// come before them.
func (v *reportView) points(b *strings.Builder) {
	d := v.document
	points := d.Ordered()
	shown, rest := v.cut(len(points), pointsShown)
	if rest > 0 {
		groups := d.GroupBy(report.ByPackage)
		n, more := v.cut(len(groups), groupsShown)
		v.groups(b, string(report.ByPackage), groups[:n], more)
	}
	v.pointTable(b, points[:shown])
	switch {
	case rest > 0:
		unhit := 0
		for i := shown; i < len(points); i++ {
			if !points[i].Hit {
				unhit++
			}
		}
		fmt.Fprintf(b, "and %s, %d of which did not run (--verbose lists all, --not-hit what did not run, --by file sums up)\n",
			render.Plural(rest, "more point"), unhit)
	case d.Shown != nil && d.Shown.Cut > 0:
		fmt.Fprintf(b, "and %s\n", render.Plural(d.Shown.Cut, "more point"))
	}
	b.WriteByte('\n')
}

func (v *reportView) pointTable(b *strings.Builder, points []report.Point) {
	several, counting := v.several(), v.counting()
	head := []string{"PLACE", "FUNCTION", "RAN", "FIRST HIT"}
	if counting {
		head = append(head, "HITS")
	}
	if several {
		head = append(head, "PROCESSES")
	}
	panics, waiting := v.document.PanicsAt(), v.document.WaitingAt()
	if len(panics)+len(waiting) > 0 {
		head = append(head, "IN ITS FUNCTION")
	}
	t := v.table(head)
	t.shrink = []int{0, 1}
	for i := range points {
		p := &points[i]
		row := plainCells(render.Place(p.File, p.Start.Line, p.End.Line), functionOf(p), "", firstHit(p))
		row[2] = v.ran(p)
		if counting {
			row = append(row, cell{text: hits(p)})
		}
		if several {
			row = append(row, cell{text: fmt.Sprintf("%d of %d", p.HitInstances, p.Instances)})
		}
		if len(panics)+len(waiting) > 0 {
			row = append(row, cell{render.BesideWords(panics[p.ID], waiting[p.ID]), v.style.bad})
		}
		t.add(row...)
	}
	t.write(b, "")
}

// table has a head in bold, and fits the terminal.
func (v *reportView) table(head []string) *table {
	t := &table{width: v.Width}
	cells := plainCells(head...)
	for i := range cells {
		cells[i].paint = v.style.bold
	}
	t.add(cells...)
	return t
}

// groups are sums, those with the most that did not run first.
func (v *reportView) groups(b *strings.Builder, key string, groups []report.Group, more int) {
	processes := key == string(report.ByLane) || key == string(report.ByHost)
	head := []string{strings.ToUpper(key), "RAN", "OF", "TRAFFIC"}
	lines := v.document.Lines != nil
	if lines {
		head = append(head, "LINES "+strings.ToUpper(v.evidence()), "OF")
	}
	if processes {
		head = append(head, "PROCESSES")
	}
	t := v.table(head)
	t.shrink = []int{0}
	t.right = map[int]bool{1: true, 2: true, 3: true, 4: true, 5: true, 6: true}
	for i := range groups {
		g := &groups[i]
		row := plainCells(g.Name, fmt.Sprint(g.Hit), fmt.Sprint(g.Points), fmt.Sprint(g.Traffic))
		if lines {
			row = append(row, plainCells(fmt.Sprint(g.LinesReached), fmt.Sprint(g.Lines))...)
		}
		if processes {
			row = append(row, plainCells(fmt.Sprint(g.Instances))...)
		}
		if g.Hit < g.Points {
			row[1].paint = v.style.bad
		}
		t.add(row...)
	}
	t.write(b, "")
	if more > 0 {
		fmt.Fprintf(b, "and %d more (--by %s --verbose lists all)\n", more, key)
	}
	b.WriteByte('\n')
}

// evidence is what a hit vouches for: reached or entered.
func (v *reportView) evidence() string {
	return report.EvidenceOf(goat.Granularity(v.document.Identity.Granularity))
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
	case !p.Hit && p.Phase != nil:
		return cell{"no, " + *p.Phase, v.style.bad}
	case !p.Hit:
		return cell{"no", v.style.bad}
	case p.Phase == nil:
		return cell{"yes", v.style.good}
	case *p.Phase == report.PhaseTraffic:
		return cell{*p.Phase, v.style.good}
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

// lanes holds the gray lanes against the stable one.
func (v *reportView) lanes(b *strings.Builder) {
	split := v.document.Lanes
	if split == nil || v.Quiet {
		return
	}
	places := map[string]goat.Point{}
	for i := range v.document.Points {
		places[v.document.Points[i].ID] = v.document.Points[i].Point
	}
	var t table
	for _, row := range []struct {
		name string
		ids  []string
	}{{"only in the gray lane", split.OnlyGray}, {"only in the stable lane", split.OnlyStable}, {"in both", split.Both}} {
		var points []goat.Point
		for _, id := range row.ids {
			if p, known := places[id]; known {
				points = append(points, p)
			}
		}
		where := ""
		if len(points) > 0 && row.name != "in both" {
			where = placesOf(points)
		}
		t.add(plainCells("ran "+row.name, render.Plural(len(row.ids), "point"), where)...)
	}
	t.width, t.shrink = v.Width, []int{2}
	t.write(b, "")
	b.WriteByte('\n')
}

// rest says what the tables do not show.
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
	if n := d.Counting.SinceUnknown; n > 0 {
		fmt.Fprintf(b, "%s ran, and nobody knows whether since then: GOAT_WINDOW is off in their processes\n", render.Plural(n, "more point"))
	}
	switch {
	case d.Lines == nil:
		fmt.Fprintf(b, "no account of lines: %s\n", d.LinesMissing)
	case d.Summary.Lines > 0:
		fmt.Fprintf(b, "%d of %s %s\n", d.Summary.LinesReached, render.Plural(d.Summary.Lines, "tracked line"), v.evidence())
		v.lineStates(b)
	}
	if s := d.Summary.Panics; s != nil && s.Causes > 0 {
		fmt.Fprintln(b, render.PanicSumWords(s))
	}
	if p := d.Summary.Phases; p.Init+p.Startup > 0 {
		fmt.Fprintf(b, "by phase: %d traffic, %d startup, %d init\n", p.Traffic, p.Startup, p.Init)
	}
}

// lineStates tells the lines apart by what they prove, package variables by themselves:
// every start of the program initialises them.
func (v *reportView) lineStates(b *strings.Builder) {
	c := v.document.Summary.Changed
	if c == nil || c.Code.Startup+c.Code.Init+c.Code.Part+c.Initialisers.Lines == 0 {
		return
	}
	fmt.Fprintf(b, "lines in functions: %s\n", stateWords(&c.Code))
	if c.Initialisers.Lines > 0 {
		fmt.Fprintf(b, "lines of package variables: %s\n", stateWords(&c.Initialisers))
	}
}

func stateWords(s *report.States) string {
	text := fmt.Sprintf("%d traffic, %d startup, %d init", s.Traffic, s.Startup, s.Init)
	if s.Part > 0 {
		text += fmt.Sprintf(", %d in part", s.Part)
	}
	return text + fmt.Sprintf(", %d not", s.None)
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
