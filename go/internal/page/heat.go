package page

import (
	"html/template"
	"io"
)

// Heat is a page with the look of the evidence page for what builds took: packages in
// rows, stages by platform in columns, the warmer the dearer.
type Heat struct {
	// Title stands in the window's title; Lines below it.
	Title   string
	Lines   []string
	Figures []Figure
	// Notes are what to know before reading on.
	Notes []string
	// Lanes are the platforms, on one scale from the start of each build.
	Lanes []HeatLane
	// Paths are the critical paths.
	Paths []HeatPath
	// Platforms and Columns are the two heads of the table; Rows have a cell per column.
	Platforms []HeatPlatform
	Columns   []string
	Rows      []HeatRow
	// Document is what the page was made from, JSON.
	Document []byte
}

// HeatLane is one build on the time line.
type HeatLane struct {
	Name, Note    string
	Width, Height int
	Bars          []HeatBar
}

// HeatBar is one process; Kind is its stage, a word.
type HeatBar struct {
	X, Y, Width int
	Kind, Title string
	Critical    bool
}

// HeatPath is a critical path.
type HeatPath struct {
	Title string
	Steps []HeatStep
}

// HeatStep is one action of a path.
type HeatStep struct {
	Took, What, Save, Waited string
	Points                   bool
}

// HeatPlatform is a platform over its columns.
type HeatPlatform struct {
	Name string
	Span int
}

// HeatRow is one package.
type HeatRow struct {
	Package, Note string
	// Total is all CPU time; rows come sorted by it.
	Total  string
	Points bool
	Cells  []HeatCell
}

// HeatCell is one stage; Level runs from 0, nothing, to 9, the dearest of the page. Value
// is what the column is sorted by.
type HeatCell struct {
	Level int
	Value int64
	Text  string
}

var (
	heatStyle  = style + read("css/sheet.css") + read("css/heat.css")
	heatScript = join([]string{"heat.js"})
	heatShell  = templateOf("heat")
)

// Write writes the page. What could turn or hide text is shown by its code.
func (h *Heat) Write(w io.Writer) error {
	return heatShell.Execute(w, map[string]any{
		"Title":    visible(h.Title),
		"Policy":   policyOf(heatStyle, heatScript, false),
		"Style":    template.CSS(heatStyle),
		"Script":   template.JS(heatScript),
		"Heat":     h,
		"Document": template.JS(scriptSafe(h.Document)),
	})
}
