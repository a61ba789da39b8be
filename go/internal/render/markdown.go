package render

import (
	"cmp"
	"fmt"
	"html"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/report"
)

// MarkdownLimit is how many characters a comment on GitHub may have. Bytes are counted,
// which are never fewer.
const MarkdownLimit = 65_536

// marker lets a bot find its own comment again.
const marker = "<!-- goat-report -->\n"

// markdown is a comment in the making, with room kept for its end.
type markdown struct {
	b    strings.Builder
	room int
	link Linker
	cut  int
}

// Linker gives the address of lines of a file, "" where there is none.
type Linker func(file string, first, last int) string

// Markdown is the report as a comment on a pull request: the sums, what did not run by
// file, and what ran at start-up only. It stays below MarkdownLimit, and says what it
// left out.
func Markdown(d *report.Document, link Linker) []byte {
	m := &markdown{link: link}
	end := markdownEnd(d)
	m.head(d)
	m.sums(d)
	m.groups(d)
	// The end and the line that says what was cut always fit.
	m.room = MarkdownLimit - m.b.Len() - len(end) - 400
	m.beside(d)
	m.unhit(d)
	m.startup(d)
	m.rest(d)
	if m.cut > 0 {
		fmt.Fprintf(&m.b, "\n**Cut:** %s left out, because a comment holds %d characters. `goat report --not-hit` lists all.\n",
			Plural(m.cut, "more place"), MarkdownLimit)
	}
	m.b.WriteString(end)
	return []byte(m.b.String())
}

func markdownEnd(d *report.Document) string {
	return fmt.Sprintf("\n%d of %d points ran\n", d.Summary.Hit, d.Summary.Points)
}

func (m *markdown) head(d *report.Document) {
	m.b.WriteString(marker)
	s := &d.Summary
	fmt.Fprintf(&m.b, "### goat: %d of %d points of the change ran%s\n\n", s.Hit, s.Points, percent(s.Hit, s.Points))
	id := &d.Identity
	var parts []string
	if id.App != "" {
		parts = append(parts, code(strings.TrimSpace(id.App+" "+id.Version)))
	}
	if id.PlanHash != "" {
		parts = append(parts, "base "+code(Base(&goat.Base{Ref: id.Base.Ref, Commit: id.Base.Commit})),
			"release "+code(Release(&goat.Release{Ref: id.Release.Ref, Commit: id.Release.Commit, Dirty: id.Dirty})))
	}
	read, tests := 0, 0
	for i := range d.Instances {
		if d.Instances[i].Reachable {
			read++
			if d.Instances[i].Tests {
				tests++
			}
		}
	}
	parts = append(parts, Plural(read, "process")+" read")
	if tests > 0 {
		parts = append(parts, fmt.Sprintf("**%d of them tests**", tests))
	}
	if s.Failed > 0 {
		parts = append(parts, fmt.Sprintf("**%s could not be read**", Plural(s.Failed, "source")))
	}
	m.b.WriteString(strings.Join(parts, " · ") + "\n\n")
	if text := CountingWords(&d.Counting); text != "" {
		m.b.WriteString("Counts: " + escape(text) + ".\n\n")
	}
}

func percent(part, whole int) string {
	if whole == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d %%)", part*100/whole)
}

func (m *markdown) sums(d *report.Document) {
	s := &d.Summary
	m.b.WriteString("| | ran | of | traffic | start-up | init | part | not |\n|---|--:|--:|--:|--:|--:|--:|--:|\n")
	p := s.Phases
	fmt.Fprintf(&m.b, "| points | %d | %d | %d | %d | %d | | %d |\n", s.Hit, s.Points, p.Traffic, p.Startup, p.Init, s.Points-p.Traffic-p.Startup-p.Init)
	if c := s.Changed; c != nil {
		for _, row := range []struct {
			name   string
			states *report.States
		}{{"lines in functions", &c.Code}, {"lines of package variables", &c.Initialisers}, {"deletions", &c.Deletions}} {
			if st := row.states; st.Lines > 0 {
				fmt.Fprintf(&m.b, "| %s | %d | %d | %d | %d | %d | %d | %d |\n", row.name, st.Ran(), st.Lines, st.Traffic, st.Startup, st.Init, st.Part, st.None)
			}
		}
		fmt.Fprintf(&m.b, "\n%s: %d of %s reached, %d not executable, %d untracked.\n",
			Plural(c.Lines, "changed line"), s.LinesReached, Plural(s.Lines, "tracked line"), c.NotExecutable, c.Untracked)
	} else {
		fmt.Fprintf(&m.b, "\nNo account of lines: %s.\n", escape(d.LinesMissing))
	}
}

// groups are the sums that were asked for by key.
func (m *markdown) groups(d *report.Document) {
	if d.Shown == nil || d.Shown.By == "" {
		return
	}
	fmt.Fprintf(&m.b, "\n| %s | ran | of | lines reached | of |\n|---|--:|--:|--:|--:|\n", d.Shown.By)
	for i := range d.Shown.Groups {
		g := &d.Shown.Groups[i]
		if m.b.Len() > MarkdownLimit/4 {
			fmt.Fprintf(&m.b, "| and %d more | | | | |\n", len(d.Shown.Groups)-i)
			break
		}
		fmt.Fprintf(&m.b, "| %s | %d | %d | %d | %d |\n", strings.ReplaceAll(code(g.Name), "|", `\|`), g.Hit, g.Points, g.LinesReached, g.Lines)
	}
	if d.Shown.Cut > 0 {
		fmt.Fprintf(&m.b, "| and %d more | | | | |\n", d.Shown.Cut)
	}
}

// block is a list that fits, or is cut with a count of what is left out.
type block struct{ head, foot string }

// list writes lines between a head and a foot, as far as there is room.
func (m *markdown) list(b block, lines []string) {
	if len(lines) == 0 {
		return
	}
	if m.room < len(b.head)+len(b.foot)+len(lines[0]) {
		m.cut += len(lines)
		return
	}
	m.room -= len(b.head) + len(b.foot)
	m.b.WriteString(b.head)
	for i, line := range lines {
		if m.room < len(line) {
			m.cut += len(lines) - i
			break
		}
		m.room -= len(line)
		m.b.WriteString(line)
	}
	m.b.WriteString(b.foot)
}

// details is a list that is folded up.
func details(summary string) block {
	return block{"\n<details><summary>" + summary + "</summary>\n\n", "\n</details>\n"}
}

// beside lists panics and waiting goroutines near the change; others are counted.
func (m *markdown) beside(d *report.Document) {
	var lines []string
	far := 0
	for i := range d.Panics {
		p := &d.Panics[i]
		switch {
		case p.Class != goat.PanicDefect:
		case p.Near == "":
			far++
		default:
			lines = append(lines, fmt.Sprintf("- %s: %s, %s, in %s%s\n", code(p.Headline()), Plural(int(p.Count), "time"), PanicEnd(&p.Panic), code(PanicPlace(&p.Panic)), nearNote(p.Near)))
		}
	}
	if far > 0 {
		lines = append(lines, fmt.Sprintf("- and %s outside of the change\n", Plural(far, "root cause")))
	}
	m.list(block{"\n#### Panics\n\n", ""}, lines)
	lines = nil
	if d.Dump != nil {
		for i := range d.Dump.Clusters {
			if c := &d.Dump.Clusters[i]; c.Near != "" && c.Dimension != "running" {
				lines = append(lines, fmt.Sprintf("- %s: %s, in %s%s\n", Plural(int(c.Count), "goroutine"), WaitWords(&c.DumpCluster), code(FramesPlace(c.Frames)), nearNote(c.Near)))
			}
		}
	}
	m.list(block{"\n#### Goroutines that wait near the change\n\n", ""}, lines)
	if d.BesideMissing != "" {
		m.list(block{"\n", ""}, []string{"Panics and goroutines are not shown: " + escape(d.BesideMissing) + ".\n"})
	}
}

func nearNote(near string) string {
	if near == report.NearFunction {
		return ", **in a changed function**"
	}
	return ", in a changed file"
}

// unhit lists what did not run, package by package.
func (m *markdown) unhit(d *report.Document) {
	runs := Unhit(d)
	if len(runs) == 0 {
		return
	}
	head := fmt.Sprintf("\n#### Did not run: %s\n", Plural(len(runs), "place"))
	if m.room < len(head) {
		m.cut += len(runs)
		return
	}
	m.room -= len(head)
	m.b.WriteString(head)
	if len(runs) <= unfolded {
		m.list(block{"\n", ""}, m.places(runs))
		return
	}
	var order []string
	byPackage := map[string][]Run{}
	for _, r := range runs {
		if byPackage[r.Point.Package] == nil {
			order = append(order, r.Point.Package)
		}
		byPackage[r.Point.Package] = append(byPackage[r.Point.Package], r)
	}
	for _, name := range order {
		summary := fmt.Sprintf("%s: %s", html.EscapeString(printable.Text(cmp.Or(name, "unknown package"))), Plural(len(byPackage[name]), "place"))
		m.list(details(summary), m.places(byPackage[name]))
	}
}

// unfolded is how many places stand in the open.
const unfolded = 10

func (m *markdown) places(runs []Run) []string {
	lines := make([]string, len(runs))
	for i := range runs {
		r := &runs[i]
		text := m.place(r.Point.File, r.First(), r.Last()) + " " + code(cmp.Or(r.Point.Func, "(package)"))
		if r.Point.Kind != goat.KindChange && r.Point.Kind != "" {
			text += " " + string(r.Point.Kind)
		}
		switch {
		case r.Degraded:
			text += ", built without points"
		case r.Phase != "":
			text += ", only in " + r.Phase
		}
		lines[i] = "- " + text + "\n"
	}
	return lines
}

// place is a link to lines, where there is an address.
func (m *markdown) place(file string, first, last int) string {
	text := code(Place(file, first, last))
	if m.link == nil {
		return text
	}
	if address := m.link(file, first, last); address != "" {
		return "[" + text + "](" + address + ")"
	}
	return text
}

// startup lists what only initialisation or start-up reached.
func (m *markdown) startup(d *report.Document) {
	var lines []string
	for i := range d.Points {
		p := &d.Points[i]
		if p.Hit && p.Phase != nil && *p.Phase != report.PhaseTraffic {
			lines = append(lines, fmt.Sprintf("- %s %s %s\n", m.place(p.File, p.Start.Line, p.End.Line), code(cmp.Or(p.Func, "(package)")), *p.Phase))
		}
	}
	m.list(details(fmt.Sprintf("Ran only before traffic: %s", Plural(len(lines), "place"))), lines)
}

// rest names what nothing can be said of.
func (m *markdown) rest(d *report.Document) {
	var lines []string
	for _, name := range d.Degraded {
		lines = append(lines, "- "+code(name)+" was built without its points\n")
	}
	for i := range d.Files {
		f := &d.Files[i]
		lines = append(lines, fmt.Sprintf("- %s: %s, %s\n", code(f.File), Plural(f.Added, "line"), Words(f.Reason)))
	}
	for i := range d.Account {
		if c := &d.Account[i]; c.State == report.StateUntracked {
			lines = append(lines, fmt.Sprintf("- %s: %s\n", m.place(c.File, c.Line, c.Line), Words(c.Reason)))
		}
	}
	m.list(details("Changed, but not tracked"), lines)
	lines = nil
	for i := range d.Other {
		lines = append(lines, fmt.Sprintf("- %s %s\n", Words(d.Other[i].Kind), code(d.Other[i].Path)))
	}
	m.list(details("Changed beside Go code"), lines)
}

// code is a text as a code span, whatever it holds.
func code(text string) string {
	text = printable.Text(text)
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		return fence + " " + text + " " + fence
	}
	return fence + text + fence
}

// escape makes a text stand for itself in Markdown and in HTML.
func escape(text string) string {
	var b strings.Builder
	for _, r := range printable.Text(text) {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '&':
			b.WriteString("&amp;")
		case r < utf8.RuneSelf && strings.ContainsRune("\\`*_{}[]()#+!|~>@", r):
			b.WriteString(`\` + string(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// forgeKinds tell by the host how a forge names lines of a file at a commit.
func forge(host string) (folder, lines string) {
	switch {
	case strings.Contains(host, "gitlab"):
		return "/-/blob/", "#L%d-%d"
	case strings.Contains(host, "bitbucket"):
		return "/src/", "#lines-%d:%d"
	case strings.Contains(host, "gitea"), strings.Contains(host, "codeberg"), strings.Contains(host, "forgejo"):
		return "/src/commit/", "#L%d-L%d"
	case strings.Contains(host, "gitee"):
		return "/blob/", "#L%d-L%d"
	}
	return "/blob/", "#L%d-L%d"
}

// LinesAt links to a commit of the repository at this address of a forge, as its users
// open it in a browser. Without an address or a commit there are no links.
func LinesAt(repository, host, commit string) Linker {
	if repository == "" || commit == "" {
		return func(string, int, int) string { return "" }
	}
	folder, lines := forge(host)
	return func(file string, first, last int) string {
		address := strings.TrimSuffix(repository, "/") + folder + commit + "/" + strings.ReplaceAll(pathURI(path.Clean(file)), ")", "%29")
		if first <= 0 {
			return address
		}
		return address + fmt.Sprintf(lines, first, max(first, last))
	}
}
