package html

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/page"
	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/render"
)

// How much of a profile its page shows: what is below costs nothing.
const (
	profileFunctions = 200
	profileStacks    = 200
	// flameLeast is the least part of the total that is drawn.
	flameLeast = 0.001
	flameDepth = 200
)

// Profile makes the page of a profile: the share of the change, a flame graph, the
// functions and the stacks. names are the sources, change names what the marks compare.
func Profile(found *goat.ProfileResult, names []string, change string) *page.Sheet {
	s := &page.Sheet{Title: found.Type.Type + " profile – goat", Document: found.JSON}
	found = printable.Copy(found)
	for _, name := range names {
		s.Lines = append(s.Lines, printable.Text(name))
	}
	if change != "" {
		s.Lines = append(s.Lines, "change: "+printable.Text(change))
	}
	amount := func(value int64) string { return render.Amount(value, found.Type.Unit) }
	s.Figures = []page.Figure{{Value: amount(found.Total), Name: found.Type.Type}}
	if c := found.Change; c != nil {
		s.Figures = append(s.Figures,
			page.Figure{Value: render.Percent(c.Share), Name: "share of the change", Bad: c.Value > 0},
			page.Figure{Value: render.Percent(c.OwnShare), Name: "in changed functions themselves"},
			page.Figure{Value: fmt.Sprint(c.Functions), Name: "changed functions met"})
	} else {
		s.Notes = append(s.Notes, "No plan of the change is at hand: --plan names one.")
	}
	if old := found.OldChange; old != nil {
		s.Figures = append(s.Figures, page.Figure{Value: render.Percent(old.Share), Name: "share of the change before"})
	}
	s.Flame, s.FlameHeight = flame(found, amount)
	s.Groups = []page.SheetGroup{functionGroup(found, amount), stackGroup(found, amount)}
	return s
}

func functionGroup(found *goat.ProfileResult, amount func(int64) string) page.SheetGroup {
	shown := found.Functions[:min(len(found.Functions), profileFunctions)]
	g := page.SheetGroup{Title: "functions", Note: fmt.Sprintf("%d of %d, by what they cost in themselves", len(shown), len(found.Functions))}
	for i := range shown {
		f := &shown[i]
		row := page.SheetRow{ID: fmt.Sprintf("f%d", i), Group: "function", Count: render.Percent(f.FlatShare), Head: f.Func, Place: placeOf(f.File, f.Line), Changed: f.Changed}
		if f.Changed {
			row.Marks = append(row.Marks, "changed")
		}
		if d := f.Delta; d != nil && d.Kind != "same" {
			row.Marks = append(row.Marks, fmt.Sprintf("%s %+.1f points", d.Kind, 100*d.CumShare))
		}
		row.Facts = []string{fmt.Sprintf("%s in itself, %s (%s) with what it calls", amount(f.Flat), amount(f.Cum), render.Percent(f.CumShare))}
		g.Rows = append(g.Rows, row)
	}
	return g
}

func stackGroup(found *goat.ProfileResult, amount func(int64) string) page.SheetGroup {
	shown := found.Stacks[:min(len(found.Stacks), profileStacks)]
	g := page.SheetGroup{Title: "stacks", Note: fmt.Sprintf("the %d most costly", len(shown))}
	for i := range shown {
		stack := &shown[i]
		row := page.SheetRow{ID: fmt.Sprintf("s%d", i), Group: "stack", Count: amount(stack.Value), Stack: stackOf(stack.Frames)}
		row.Changed = slices.ContainsFunc(stack.Frames, func(f goat.DumpFrame) bool { return f.Changed })
		if row.Changed {
			row.Marks = append(row.Marks, "changed")
		}
		if len(row.Stack) > 0 {
			row.Head, row.Place = row.Stack[0].Func, row.Stack[0].Place
		}
		if stack.Old != nil {
			row.Facts = append(row.Facts, "before: "+amount(*stack.Old))
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

// node is a function in a flame graph, below those that call it.
type node struct {
	name    string
	value   int64
	changed bool
	inside  map[string]*node
}

// flame lays the stacks out, and says how many rows they take.
func flame(found *goat.ProfileResult, amount func(int64) string) ([]page.FlameBox, int) {
	root := node{inside: map[string]*node{}}
	for i := range found.Stacks {
		s := &found.Stacks[i]
		if s.Value <= 0 {
			continue
		}
		root.value += s.Value
		at := &root
		for depth, f := range slices.Backward(s.Frames) {
			if len(s.Frames)-depth > flameDepth {
				break
			}
			next := at.inside[f.Func]
			if next == nil {
				next = &node{name: f.Func, inside: map[string]*node{}}
				at.inside[f.Func] = next
			}
			next.value += s.Value
			next.changed = next.changed || f.Changed
			at = next
		}
	}
	var boxes []page.FlameBox
	height := 0
	if root.value > 0 {
		layOut(&root, &root, 0, 0, amount, &boxes, &height)
	}
	return boxes, height
}

func layOut(root, of *node, left float64, depth int, amount func(int64) string, boxes *[]page.FlameBox, height *int) {
	total := float64(root.value)
	list := make([]*node, 0, len(of.inside))
	for _, n := range of.inside {
		list = append(list, n)
	}
	slices.SortFunc(list, func(a, b *node) int { return cmp.Compare(a.name, b.name) })
	for _, n := range list {
		share := float64(n.value) / total
		if share >= flameLeast {
			*boxes = append(*boxes, page.FlameBox{
				Left: 100 * left, Width: 100 * share, Row: depth, Name: n.name, Changed: n.changed,
				Title: fmt.Sprintf("%s: %s, %.1f%%", n.name, amount(n.value), 100*share),
			})
			*height = max(*height, depth+1)
			layOut(root, n, left, depth+1, amount, boxes, height)
		}
		left += share
	}
}
