package page

import (
	"html/template"
	"io"
)

// Sheet is a page with the look of the evidence page for what is a list of stacks: figures
// first, then rows in groups, each of which opens.
type Sheet struct {
	// Title stands in the window's title; Lines below it.
	Title string
	Lines []string
	// Figures are the sums.
	Figures []Figure
	// Notes are what to know before reading on.
	Notes []string
	// Flame is a flame graph of FlameHeight rows; empty for none.
	Flame       []FlameBox
	FlameHeight int
	// Groups are the rows under their headings.
	Groups []SheetGroup
	// Document is what the page was made from, JSON.
	Document []byte
}

// Figure is a sum and what it counts.
type Figure struct {
	Value, Name string
	// Bad paints it as something to look into.
	Bad bool
}

// FlameBox is one box of a flame graph. Left and Width are percents of its width; Row 0 is
// the outermost.
type FlameBox struct {
	Left, Width float64
	Row         int
	Name, Title string
	Changed     bool
}

// flameRow is the height of a row of a flame graph in pixels.
const flameRow = 18

// Top is where the box begins, in pixels.
func (b FlameBox) Top() int { return b.Row * flameRow }

// SheetGroup is a heading and its rows.
type SheetGroup struct {
	Title, Note string
	Rows        []SheetRow
}

// SheetRow is one row: its head, and a stack below it.
type SheetRow struct {
	// ID and Group are in data-row and data-group.
	ID, Group   string
	Count       string
	Head, Place string
	Changed     bool
	Marks       []string
	Stack       []SheetFrame
	// Facts are lines below the stack.
	Facts []string
}

// SheetFrame is one frame of a stack.
type SheetFrame struct {
	Func, Place  string
	Changed, Own bool
}

var (
	sheetStyle  = style + read("css/sheet.css")
	sheetScript = join([]string{"sheet.js"})
	sheetShell  = templateOf("sheet")
)

// Write writes the page. What could turn or hide text is shown by its code.
func (s *Sheet) Write(w io.Writer) error {
	return sheetShell.Execute(w, map[string]any{
		"Title":    visible(s.Title),
		"Policy":   policyOf(sheetStyle, sheetScript, false),
		"Style":    template.CSS(sheetStyle),
		"Script":   template.JS(sheetScript),
		"Lines":    s.Lines,
		"Figures":  s.Figures,
		"Notes":    s.Notes,
		"Flame":    s.Flame,
		"Height":   s.FlameHeight * flameRow,
		"Groups":   s.Groups,
		"Document": template.JS(scriptSafe(s.Document)),
	})
}
