// Package text writes documents as text for people.
package text

import (
	"slices"
	"strings"

	"github.com/goat-trace/goat/go/internal/render"
)

// Looks is how a text shall look: Verbose shows what is cut otherwise, Quiet leaves the
// head out, Colour paints for a terminal. Width is the terminal's in columns; 0 means
// that there is none, and nothing is cut to fit.
type Looks struct {
	Verbose, Quiet, Colour bool
	Width                  int
}

// style writes text in colour on a terminal and plain elsewhere. Colour only
// underlines what the words already say.
type style struct{ on bool }

func (s style) paint(code, text string) string {
	if !s.on || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) good(text string) string  { return s.paint("32", text) }
func (s style) bad(text string) string   { return s.paint("31", text) }
func (s style) warn(text string) string  { return s.paint("33", text) }
func (s style) faint(text string) string { return s.paint("2", text) }
func (s style) bold(text string) string  { return s.paint("1", text) }

// cell is one field of a table: its text and how it is painted.
type cell struct {
	text  string
	paint func(string) string
}

func plainCells(texts ...string) []cell {
	cells := make([]cell, len(texts))
	for i, text := range texts {
		cells[i].text = text
	}
	return cells
}

// table is rows of cells whose columns start at the same place.
type table struct {
	rows [][]cell
	// width is that of the terminal, 0 for none; the columns in shrink are shortened
	// until the rows fit.
	width  int
	shrink []int
	// right are the columns of numbers.
	right map[int]bool
}

func (t *table) add(cells ...cell) { t.rows = append(t.rows, cells) }

// write appends the rows to b, indented; no line ends in a blank.
func (t *table) write(b *strings.Builder, indent string) {
	widths := t.widths(len(indent))
	for _, row := range t.rows {
		b.WriteString(indent)
		gap := 0
		for i, c := range row {
			text := shorten(c.text, widths[i])
			free := widths[i] - render.Columns(text)
			if text != "" {
				if t.right[i] {
					gap, free = gap+free, 0
				}
				b.WriteString(strings.Repeat(" ", gap))
				gap = 0
				if c.paint != nil {
					text = c.paint(text)
				}
				b.WriteString(text)
			}
			gap += free + 2
		}
		b.WriteByte('\n')
	}
}

// least is what a shortened column keeps.
const least = 12

// widths are those of the columns, the long ones shortened in turn to fit the terminal.
func (t *table) widths(indent int) []int {
	var widths []int
	for _, row := range t.rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], render.Columns(c.text))
		}
	}
	if t.width == 0 {
		return widths
	}
	over := indent - t.width - 2
	for _, w := range widths {
		over += w + 2
	}
	for over > 0 {
		widest := -1
		for _, i := range t.shrink {
			if i < len(widths) && widths[i] > least && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
		over--
	}
	return widths
}

// shorten cuts a text to a width. The end of a path or a function says more than its
// beginning.
func shorten(text string, limit int) string {
	if render.Columns(text) <= limit {
		return text
	}
	runes := []rune(text)
	slices.Reverse(runes)
	used, keep := 1, 0
	for keep < len(runes) && used+render.RuneColumns(runes[keep]) <= limit {
		used += render.RuneColumns(runes[keep])
		keep++
	}
	kept := runes[:keep]
	slices.Reverse(kept)
	return "…" + string(kept)
}
