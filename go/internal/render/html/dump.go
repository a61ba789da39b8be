package html

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/page"
	"github.com/goat-trace/goat/go/internal/printable"
)

// Dump makes the page of a dump. change names what the marks compare.
func Dump(found *goat.DumpResult, change string) (*page.Sheet, error) {
	document, err := json.Marshal(found)
	if err != nil {
		return nil, err
	}
	found = printable.Copy(found)
	s := &page.Sheet{Title: "goroutine dump – goat", Document: document}
	for i := range found.Sources {
		s.Lines = append(s.Lines, found.Sources[i].Name)
	}
	if change != "" {
		s.Lines = append(s.Lines, "change: "+printable.Text(change))
	}
	s.Figures = dumpFigures(found)
	s.Notes = dumpNotes(found)
	s.Groups = append(crashGroups(found), clusterGroups(found)...)
	return s, nil
}

func dumpFigures(found *goat.DumpResult) []page.Figure {
	figure := func(name, key string, bad bool) page.Figure {
		value := found.Figures[key]
		return page.Figure{Value: fmt.Sprint(uint64(value)), Name: name, Bad: bad && value > 0}
	}
	return []page.Figure{
		figure("goroutines", "goroutines", false), figure("clusters", "clusters", false), figure("in changed code", "goroutines.changed", true),
		figure("leaked", "leaked", true), figure("never wake", "neverWakes", true), figure("crashes", "crashes", true),
		figure("races", "races", true), figure("deadlocks", "deadlocks", true),
	}
}

func dumpNotes(found *goat.DumpResult) []string {
	var notes []string
	if found.Source.Truncated {
		notes = append(notes, fmt.Sprintf("The dump is cut off: %d of %d goroutines were read.", found.Source.Parsed, found.Source.Goroutines))
	}
	for i := range found.Source.NotParsed {
		n := &found.Source.NotParsed[i]
		notes = append(notes, fmt.Sprintf("Not read: %s:%d, %d lines: %s", n.Source, n.Line, n.Lines, n.Text))
	}
	for _, circle := range found.Deadlocks {
		notes = append(notes, fmt.Sprintf("Goroutines %v wait for each other.", circle))
	}
	for i := range found.Locks {
		l := &found.Locks[i]
		for _, o := range l.Owners {
			notes = append(notes, fmt.Sprintf("%d goroutines wait for %s %s; goroutine %d in %s may hold it (confidence %s).",
				l.Waiters, l.Kind, l.Address, o.Goroutine, o.Func, o.Confidence))
		}
	}
	return notes
}

func crashGroups(found *goat.DumpResult) []page.SheetGroup {
	var g page.SheetGroup
	g.Title = "crashes and races"
	for i := range found.Crashes {
		c := &found.Crashes[i]
		row := page.SheetRow{ID: fmt.Sprintf("crash-%d", i), Group: c.Kind, Count: c.Kind, Head: c.Message, Changed: c.Changed, Stack: stackOf(c.Frames)}
		for _, step := range c.Chain[:max(len(c.Chain)-1, 0)] {
			row.Facts = append(row.Facts, "after panic: "+step.Message)
		}
		g.Rows = append(g.Rows, row)
	}
	for i := range found.Races {
		r := &found.Races[i]
		row := page.SheetRow{ID: fmt.Sprintf("race-%d", i), Group: "race", Count: "race", Head: "data race at " + r.Address, Changed: r.Changed}
		for _, list := range [][]goat.DumpAccess{r.Accesses, r.Created} {
			for j := range list {
				a := &list[j]
				row.Stack = append(row.Stack, page.SheetFrame{Func: fmt.Sprintf("%s, goroutine %d", a.Operation, a.Goroutine)})
				row.Stack = append(row.Stack, stackOf(a.Frames)...)
			}
		}
		g.Rows = append(g.Rows, row)
	}
	if len(g.Rows) == 0 {
		return nil
	}
	return []page.SheetGroup{g}
}

// clusterGroups are the clusters by cause, in the order of their first.
func clusterGroups(found *goat.DumpResult) []page.SheetGroup {
	var groups []page.SheetGroup
	at := map[string]int{}
	counts := map[string]uint64{}
	clusters := append(slices.Clone(found.Clusters), found.Gone...)
	for i := range clusters {
		c := &clusters[i]
		name := strings.TrimSpace(c.Dimension + " " + c.Primitive)
		if c.NeverWakes {
			name += ", never wakes"
		}
		if _, known := at[name]; !known {
			at[name] = len(groups)
			groups = append(groups, page.SheetGroup{Title: name})
		}
		g := &groups[at[name]]
		counts[name] += c.Count
		g.Note = fmt.Sprintf("%d goroutines", counts[name])
		g.Rows = append(g.Rows, clusterRow(c, name))
	}
	return groups
}

func clusterRow(c *goat.DumpCluster, group string) page.SheetRow {
	row := page.SheetRow{ID: c.ID, Group: group, Count: fmt.Sprint(c.Count), Changed: c.Changed, Stack: stackOf(c.Frames)}
	for i := range row.Stack {
		if f := &row.Stack[i]; f.Own || i == len(row.Stack)-1 {
			row.Head, row.Place = f.Func, f.Place
			break
		}
	}
	if c.Changed {
		row.Marks = append(row.Marks, "changed")
	}
	if c.Leaked > 0 {
		row.Marks = append(row.Marks, fmt.Sprintf("%d leaked", c.Leaked))
	}
	if c.Delta != nil && c.Delta.Kind != "same" {
		row.Marks = append(row.Marks, fmt.Sprintf("%s %+d", c.Delta.Kind, c.Delta.Count))
	}
	if c.WaitMinutes.Max > 0 {
		row.Marks = append(row.Marks, fmt.Sprintf("%d..%d min", c.WaitMinutes.Min, c.WaitMinutes.Max))
	}
	if c.Creator != "" {
		row.Facts = append(row.Facts, fmt.Sprintf("started by %s %s", c.Creator, placeOf(c.CreatorFile, c.CreatorLine)))
	}
	for _, l := range c.Labels {
		row.Facts = append(row.Facts, fmt.Sprintf("%d with labels %v", l.Count, l.Labels))
	}
	if len(c.Examples) > 0 {
		row.Facts = append(row.Facts, fmt.Sprintf("goroutines %v, cluster %s, leak score %.0f", c.Examples, c.ID, c.LeakScore))
	}
	return row
}

func stackOf(frames []goat.DumpFrame) []page.SheetFrame {
	list := make([]page.SheetFrame, len(frames))
	for i := range frames {
		f := &frames[i]
		list[i] = page.SheetFrame{Func: f.Func, Place: placeOf(f.File, f.Line), Changed: f.Changed, Own: f.Own}
	}
	return list
}

func placeOf(file string, line int) string {
	if file == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", path.Clean(strings.ReplaceAll(file, `\`, "/")), line)
}
