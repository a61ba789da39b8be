package text

import (
	"cmp"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/render"
)

// PlanLooks is how a plan shall look. Explain adds the reason for each point and line,
// GoBuild says what plain go build does in this shell, if that is not plain; By is one of
// PlanKeys, or "" for packages with their files.
type PlanLooks struct {
	Looks
	GoBuild string
	Explain bool
	By      string
}

// Plan is a plan for people: sums first, the points themselves on request, or where a
// terminal has room for them.
func Plan(result *goat.Result, looks PlanLooks) string {
	v := planView{
		result: printable.Copy(result), goBuild: printable.Text(looks.GoBuild), explain: looks.Explain,
		verbose: looks.Verbose, quiet: looks.Quiet, style: style{looks.Colour}, by: looks.By, width: looks.Width,
	}
	return v.text()
}

type planView struct {
	result                  *goat.Result
	goBuild                 string
	explain, verbose, quiet bool
	style                   style
	by                      string
	width                   int
}

func (v *planView) text() string {
	var b strings.Builder
	if !v.quiet {
		v.head(&b)
	}
	if !v.quiet && len(v.result.Account)+len(v.result.Files) > 0 {
		b.WriteByte('\n')
		v.sums(&b)
	}
	if v.listed() {
		b.WriteByte('\n')
		v.points(&b)
	}
	if v.explain {
		v.lines(&b)
	}
	b.WriteByte('\n')
	v.account(&b)
	return strings.TrimLeft(b.String(), "\n")
}

// shown is how many of a list are printed unless somebody asks for all.
func (v *planView) shown(all int) int {
	if v.verbose || v.explain {
		return all
	}
	return min(all, 10)
}

func (v *planView) warnings(b *strings.Builder) {
	shown := v.shown(len(v.result.Warnings))
	for _, w := range v.result.Warnings[:shown] {
		fmt.Fprintf(b, "warning: %s: %s\n", render.Place(w.Path, w.Line, w.Line), w.Message)
	}
	if rest := len(v.result.Warnings) - shown; rest > 0 {
		fmt.Fprintf(b, "and %d more warnings (--verbose lists them)\n", rest)
	}
}

// head says what was compared, and how it was found.
func (v *planView) head(b *strings.Builder) {
	r := v.result
	var t table
	t.add(plainCells("module", r.Module)...)
	t.add(plainCells("base", render.Base(&r.Base))...)
	t.add(plainCells("release", render.Release(&r.Release))...)
	t.add(plainCells("how", fmt.Sprintf("precision %d (%s), granularity %s",
		r.Precision, precisionName(r.Precision), r.Granularity))...)
	t.add(plainCells("plan", r.PlanHash)...)
	if r.PlanDir != "" {
		t.add(plainCells("written", r.PlanDir)...)
	}
	if v.goBuild != "" {
		t.add(plainCells("go build", v.goBuild)...)
	}
	t.write(b, "")
}

func precisionName(p goat.Precision) string {
	switch p {
	case goat.PrecisionBlame:
		return "blame"
	case goat.PrecisionRenames:
		return "diff with renames"
	}
	return "diff without renames"
}

func (v *planView) points(b *strings.Builder) {
	t := table{width: v.width, shrink: []int{1, 2}}
	head := []string{"POINT", "PLACE", "FUNCTION", "KIND", "FORM"}
	if v.explain {
		head = append(head, "ID", "WHY THIS FORM")
	}
	t.add(v.headCells(head)...)
	for i := range v.result.Points {
		p := &v.result.Points[i]
		row := plainCells(p.Name, render.Place(p.File, p.Start.Line, p.End.Line), p.Func, string(p.Kind), string(p.Form))
		row[0].paint = v.style.faint
		if v.explain {
			row = append(row, cell{text: p.ID}, cell{text: formReason(p)})
		}
		t.add(row...)
	}
	t.write(b, "")
}

// inlineBudget is what a function may cost for the compiler to inline it.
const inlineBudget = 80

// largeWords say of a function what the compiler does at 5,000 nodes.
const largeWords = "; so large a function that its points may keep calls from being inlined into it"

// formReason says why a point has its form. The estimate is a lower bound, so it
// never says that a function is inlined.
func formReason(p *goat.Point) string {
	words := formWords(p)
	if p.Large {
		words += largeWords
	}
	return words
}

func formWords(p *goat.Point) string {
	cost := "cost not counted"
	if p.InlineCost != nil {
		cost = fmt.Sprintf("costs at least %d of %d", *p.InlineCost, inlineBudget)
	}
	switch p.FormReason {
	case "variable":
		return "after a package variable, in no function"
	case "starter":
		return "init and main are never inlined"
	case "noinline":
		return "//go:noinline"
	case "statement":
		return "go, defer and recover are never inlined"
	case "too_large":
		return "too large to be inlined: " + cost
	case "crowded":
		return "so many points that the guard stands in a function of its own: " + cost
	case "may_inline":
		if p.InlineCost != nil && *p.InlineCost > inlineBudget {
			return fmt.Sprintf("may be inlined: an estimate of %d is too near the limit of %d to tell", *p.InlineCost, inlineBudget)
		}
		return "may be inlined: " + cost
	case "asked":
		return "asked for"
	}
	return cmp.Or(p.Reason, p.FormReason)
}

func (v *planView) headCells(names []string) []cell {
	cells := plainCells(names...)
	for i := range cells {
		cells[i].paint = v.style.bold
	}
	return cells
}

// lines lists the account itself, in the order of the document.
func (v *planView) lines(b *strings.Builder) {
	names := map[string]string{}
	for i := range v.result.Points {
		names[v.result.Points[i].ID] = v.result.Points[i].Name
	}
	var t table
	t.add(v.headCells([]string{"LINE", "CLASS", "WHY OR POINTS"})...)
	for i := range v.result.Account {
		line := &v.result.Account[i]
		where := render.Place(line.File, line.Line, line.Line)
		if line.DeletedAfter != nil {
			where = fmt.Sprintf("%s:%d, %s deleted after it", line.File, *line.DeletedAfter, render.Plural(line.DeletedLines, "line"))
		}
		t.add(plainCells(where, className(line.Class), lineReason(line, names))...)
	}
	for _, file := range v.result.Files {
		t.add(plainCells(file.File+", "+render.Plural(file.Added, "line"), className(file.Class), render.Words(file.Reason))...)
	}
	if len(t.rows) > 1 {
		b.WriteByte('\n')
		t.write(b, "")
	}
}

func lineReason(line *goat.AccountLine, names map[string]string) string {
	named := func(ids []string) string {
		shown := make([]string, len(ids))
		for i, id := range ids {
			shown[i] = cmp.Or(names[id], id)
		}
		return strings.Join(shown, " ")
	}
	switch {
	case line.Class == goat.ClassTracked && line.Note == "case_expression":
		return named(line.Points) + " (the expression also runs where the clause is not taken)"
	case line.Class == goat.ClassTracked:
		return named(line.Points)
	case len(line.Effects) > 0:
		return render.Words(line.Reason) + ", changes what runs at " + named(line.Effects)
	}
	return render.Words(line.Reason)
}

func className(class goat.Class) string { return strings.ReplaceAll(string(class), "_", " ") }

// account sums up: the classes with their reasons, deletions, other files, points.
func (v *planView) account(b *strings.Builder) {
	s := &v.result.Summary
	switch {
	case s.AddedLines == 0 && s.Deletions == 0 && len(v.result.Files) > 0:
		fmt.Fprintf(b, "%s changed and cannot be compared\n", render.Plural(len(v.result.Files), "Go file"))
	case s.AddedLines == 0 && s.Deletions == 0:
		b.WriteString("no Go code changed between base and release\n")
	default:
		var t table
		t.add(plainCells("changed lines", strconv.Itoa(s.AddedLines), "in "+render.Plural(s.Files, "file"))...)
		t.add(plainCells("  tracked", strconv.Itoa(s.Tracked))...)
		t.add(plainCells("  not executable", strconv.Itoa(s.NotExecutable), v.reasons(goat.ClassNotExecutable))...)
		t.add(plainCells("  untracked", strconv.Itoa(s.Untracked), v.reasons(goat.ClassUntracked))...)
		if s.Deletions > 0 {
			t.add(plainCells("deletions", strconv.Itoa(s.Deletions))...)
		}
		t.write(b, "")
	}
	v.others(b)
	v.warnings(b)
	fmt.Fprintf(b, "%s in %s%s\n", render.Plural(s.Points, "point"), render.Plural(s.Packages, "package"), v.forms())
	v.outside(b)
}

// reasons counts the lines of a class by reason, most frequent first.
func (v *planView) reasons(class goat.Class) string {
	counts := map[string]int{}
	for i := range v.result.Account {
		line := &v.result.Account[i]
		if line.Class == class && line.DeletedAfter == nil {
			counts[line.Reason]++
		}
	}
	for _, file := range v.result.Files {
		if file.Class == class {
			counts[file.Reason] += file.Added
		}
	}
	return countList(counts)
}

// countList is "a 3, b 2", by count and then by name.
func countList(counts map[string]int) string {
	var names []string
	for name, count := range counts {
		if count > 0 { // A file may be without a changed line of its own.
			names = append(names, name)
		}
	}
	sort.Slice(names, func(i, j int) bool {
		if counts[names[i]] != counts[names[j]] {
			return counts[names[i]] > counts[names[j]]
		}
		return names[i] < names[j]
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %d", render.Words(name), counts[name])
	}
	return strings.Join(names, ", ")
}

// outside says what another build would have.
func (v *planView) outside(b *strings.Builder) {
	out := v.result.Summary.Outside
	if out == nil {
		return
	}
	if out.BuildConstraint > 0 {
		fmt.Fprintf(b, "besides %s in files for other systems or tags\n", render.Plural(out.BuildConstraint, "point"))
	}
	if out.NotInBuild > 0 {
		fmt.Fprintf(b, "besides %s in packages outside this build\n", render.Plural(out.NotInBuild, "point"))
	}
}

func (v *planView) forms() string {
	counts := map[string]int{}
	for i := range v.result.Points {
		counts[string(v.result.Points[i].Form)]++
	}
	if len(counts) == 0 {
		return ""
	}
	return " (" + countList(counts) + ")"
}

// others names what changed beside Go code: modules, assembly, embedded files.
func (v *planView) others(b *strings.Builder) {
	others := v.result.Summary.Other
	if len(others) == 0 {
		return
	}
	fmt.Fprintf(b, "%s changed beside Go code; goat cannot see whether they were used:\n", render.Plural(len(others), "thing"))
	shown := others[:v.shown(len(others))]
	var t table
	for i := range shown {
		t.add(plainCells(shown[i].Kind, shown[i].Path, otherDetail(&shown[i]))...)
	}
	t.write(b, "  ")
	if rest := len(others) - len(shown); rest > 0 {
		fmt.Fprintf(b, "  and %d more (--verbose lists them)\n", rest)
	}
}

func otherDetail(o *goat.Other) string {
	detail := ""
	switch {
	case o.Old != "" && o.New != "":
		detail = o.Old + " -> " + o.New
	case o.New != "":
		detail = "added " + o.New
	case o.Old != "":
		detail = "removed " + o.Old
	}
	if o.Replaced != "" {
		detail = strings.TrimSpace(detail + " (replaced by " + o.Replaced + ")")
	}
	if o.Note != "" {
		detail += ", " + o.Note
	}
	return detail
}
