package watch

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/render"
	"github.com/goat-trace/goat/go/internal/report"
)

// view is what the user chose to see: a filter, a place in the list, the help.
type view struct {
	filter  string
	editing bool
	help    bool
	from    int
	rows    int // rows of points on the screen at the last drawing
	marked  map[string]time.Time
}

// shine is how long a new hit stands out.
const shine = 4 * time.Second

func (v *view) fresh(points []*report.Point, now time.Time) {
	if v.marked == nil {
		v.marked = map[string]time.Time{} // what ran before is not new
		return
	}
	for _, p := range points {
		v.marked[p.ID] = now
	}
}

// press takes a key in and reports whether it ends the watch.
func (v *view) press(k key) (quit bool) {
	if v.editing {
		v.edit(k)
		return false
	}
	switch k {
	case 'q':
		return true
	case '?', 'h':
		v.help = !v.help
	case '/':
		v.editing, v.help = true, false
	case keyEscape:
		v.help, v.filter, v.from = false, "", 0
	case 'j', keyDown:
		v.from++
	case 'k', keyUp:
		v.from--
	case ' ', keyPageDown:
		v.from += max(v.rows, 1)
	case 'b', keyPageUp:
		v.from -= max(v.rows, 1)
	case 'g', keyHome:
		v.from = 0
	}
	return false
}

// edit changes the filter, which holds from the first letter on.
func (v *view) edit(k key) {
	v.from = 0
	switch {
	case k == keyEnter:
		v.editing = false
	case k == keyEscape:
		v.editing, v.filter = false, ""
	case k == keyBackspace:
		if runes := []rune(v.filter); len(runes) > 0 {
			v.filter = string(runes[:len(runes)-1])
		} else {
			v.editing = false
		}
	case k >= ' ':
		v.filter += string(rune(k))
	}
}

// order is unhit first, then what proves least; of equals the newest hit, then the plan's order.
func order(points []report.Point, filter string) []*report.Point {
	var list []*report.Point
	words := strings.Fields(strings.ToLower(filter))
	for i := range points {
		p := &points[i]
		text := strings.ToLower(p.File + " " + p.Func + " " + p.Package + " " + phase(p))
		matches := true
		for _, word := range words {
			matches = matches && strings.Contains(text, word)
		}
		if matches {
			list = append(list, p)
		}
	}
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i], list[j]
		if weight(a) != weight(b) {
			return weight(a) < weight(b)
		}
		return a.Hit && a.FirstHit != nil && b.FirstHit != nil && a.FirstHit.After(*b.FirstHit)
	})
	return list
}

func weight(p *report.Point) int {
	switch phase(p) {
	case "no":
		return 0
	case "init":
		return 1
	case "startup":
		return 2
	}
	return 3
}

// size is that of the window, in cells; colour says whether it may be painted.
type size struct {
	width, height int
	colour        bool
}

func (s size) paint(code, text string) string {
	if !s.colour || code == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// frame is the whole screen, line by line; no line is wider than the window.
func (w *watcher) frame(s size, now time.Time) []string {
	head := w.head(s, now)
	if w.view.help {
		return fit(append(head, help...), s.height)
	}
	if w.document == nil {
		return fit(append(head, "", "waiting for the sources …"), s.height)
	}
	list := order(w.document.Points, w.view.filter)
	room := max(s.height-len(head)-1, 1)
	w.view.rows = room
	w.view.from = max(min(w.view.from, len(list)-room), 0)
	shown := list[w.view.from:min(w.view.from+room, len(list))]
	lines := append(head, w.table(shown, s, now)...)
	lines = append(lines, w.rest(list, shown, s))
	if len(lines) > s.height {
		lines = append(lines[:s.height-1], lines[len(lines)-1])
	}
	return lines
}

func fit(lines []string, height int) []string { return lines[:min(len(lines), height)] }

// head says what is watched and how far it is.
func (w *watcher) head(s size, now time.Time) []string {
	title := "goat watch"
	d := w.document
	if d != nil {
		if name := strings.TrimSpace(d.Identity.App + " " + d.Identity.Version); name != "" {
			title += "  " + printable.Text(name)
		}
		if read := d.Summary.Sources - d.Summary.Failed; d.Summary.Sources != 1 || d.Summary.Failed > 0 {
			title += fmt.Sprintf("  %d of %d sources read", read, d.Summary.Sources)
		}
	}
	right := clock(now.Sub(w.began))
	if w.Timeout > 0 {
		right += " of " + clock(w.Timeout)
	}
	lines := []string{s.paint("1", spread(title, right, s.width))}
	if d == nil {
		return lines
	}
	lines = append(lines, w.progress(s))
	for _, problem := range w.problems() {
		lines = append(lines, s.paint("33", cut(problem, s.width)))
	}
	return lines
}

// problemsShown bounds how much of the window sources that fail may take.
const problemsShown = 2

func (w *watcher) problems() []string {
	var list []string
	more := 0
	for i := range w.document.Instances {
		in := &w.document.Instances[i]
		switch {
		case in.Error == nil:
		case len(list) == problemsShown:
			more++
		default:
			list = append(list, printable.Text(in.Source+": "+*in.Error))
		}
	}
	if more > 0 {
		list = append(list, fmt.Sprintf("and %d more that could not be read", more))
	}
	return list
}

// progress is a bar, the sum, and what is missing to the goal.
func (w *watcher) progress(s size) string {
	sum := w.document.Summary
	text := fmt.Sprintf("%d of %s ran", sum.Hit, render.Plural(sum.Points, "point"))
	if p := sum.Phases; p.Startup+p.Init > 0 {
		text += fmt.Sprintf(" (%d traffic, %d startup, %d init)", p.Traffic, p.Startup, p.Init)
	}
	if w.Until > 0 {
		text += fmt.Sprintf(", until %.4g%%: %d to go", 100*w.Until, max(goal(w.Until, sum.Points)-sum.Hit, 0))
	}
	if sum.Ratio == nil {
		return cut(text, s.width)
	}
	text = fmt.Sprintf("%3.0f%%  %s", float64(int(100**sum.Ratio)), text)
	cells := min(30, s.width-render.Columns(text)-2)
	if cells < 8 {
		return cut(text, s.width)
	}
	full := int(*sum.Ratio * float64(cells))
	return s.paint("32", strings.Repeat("█", full)) + s.paint("31", strings.Repeat("░", cells-full)) + "  " + text
}

// goal is how many points must have run for a share of them.
func goal(share float64, points int) int {
	n := int(share * float64(points))
	for float64(n) < share*float64(points) {
		n++
	}
	return n
}

// table is the shown points, in columns that fit the window; the place gives way last.
func (w *watcher) table(points []*report.Point, s size, now time.Time) []string {
	place, name := 0, 0
	for _, p := range points {
		place, name = max(place, render.Columns(placeOf(p))), max(name, render.Columns(function(p)))
	}
	const ran, first = 9, 19 // "✗ no", and a time
	room := s.width - ran - 2
	place = min(place, room)
	name = min(name, room-place-2)
	timed := room-place-name-4 >= first
	lines := make([]string, 0, len(points))
	for _, p := range points {
		sign, colour := look(p)
		if at, marked := w.view.marked[p.ID]; marked && now.Sub(at) < shine {
			colour += ";1;7"
		}
		line := pad(sign+" "+phase(p), ran) + "  " + pad(placeOf(p), place)
		if name >= 4 {
			line += "  " + pad(function(p), name)
		}
		if timed {
			line += "  " + when(p)
		}
		lines = append(lines, s.paint(colour, strings.TrimRight(cut(line, s.width), " ")))
	}
	return lines
}

func placeOf(p *report.Point) string {
	return printable.Text(render.Place(p.File, p.Start.Line, p.End.Line))
}

// look is a sign and a colour; the sign alone says it, too.
func look(p *report.Point) (sign, colour string) {
	switch weight(p) {
	case 0:
		return "✗", "31"
	case 1:
		return "○", "33"
	case 2:
		return "◌", "33"
	}
	return "✓", "32"
}

// rest counts what the window does not show, and names the keys.
func (w *watcher) rest(list, shown []*report.Point, s size) string {
	if w.view.editing {
		return cut("/"+printable.Text(w.view.filter)+"▏", s.width)
	}
	text := ""
	if hidden := len(list) - len(shown); hidden > 0 {
		unhit := 0
		for _, p := range list {
			if !p.Hit {
				unhit++
			}
		}
		for _, p := range shown {
			if !p.Hit {
				unhit--
			}
		}
		text = fmt.Sprintf("%d more (%d not run)", hidden, unhit)
	}
	if w.view.filter != "" {
		text = strings.TrimPrefix(text+fmt.Sprintf(", %d of %d match /%s", len(list), len(w.document.Points), printable.Text(w.view.filter)), ", ")
	}
	return s.paint("2", spread(text, "q quit  / filter  ? help", s.width))
}

var help = []string{
	"",
	"  q, Ctrl-C      leave; the table stays in the terminal",
	"  /              filter by file, function, package or phase; Enter keeps it, Esc drops it",
	"  j k, arrows    down and up; space and b by pages, g to the top",
	"  ?              this help",
	"",
	"  ✗ no           not reached            ○ init     only package initialisation reached it",
	"  ✓ traffic      hit by traffic         ◌ startup  only start-up reached it",
}

// lastTable is what stays in the terminal: the last frame, without the line of keys.
func (w *watcher) lastTable(s size) []string {
	if w.document == nil {
		return nil
	}
	w.view.help, w.view.editing, w.view.from, w.view.marked = false, false, 0, nil
	s.height--
	lines := w.frame(s, time.Now())
	if hidden := len(order(w.document.Points, w.view.filter)) - w.view.rows; hidden > 0 {
		lines[len(lines)-1] = fmt.Sprintf("%d more: goat report shows them", hidden)
		return lines
	}
	return lines[:len(lines)-1]
}

func clock(d time.Duration) string {
	s := int(d.Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
