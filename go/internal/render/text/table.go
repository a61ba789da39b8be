// Package text writes documents as text for people.
package text

import (
	"strings"
	"unicode/utf8"
)

// Looks is how a text shall look: Verbose shows what is cut otherwise, Quiet leaves the
// head out, Colour paints for a terminal.
type Looks struct{ Verbose, Quiet, Colour bool }

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
type table struct{ rows [][]cell }

func (t *table) add(cells ...cell) { t.rows = append(t.rows, cells) }

// write appends the rows to b, indented; no line ends in a blank.
func (t *table) write(b *strings.Builder, indent string) {
	var widths []int
	for _, row := range t.rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c.text))
		}
	}
	for _, row := range t.rows {
		b.WriteString(indent)
		gap := 0
		for i, c := range row {
			if c.text != "" {
				b.WriteString(strings.Repeat(" ", gap))
				gap = 0
				if c.paint != nil {
					b.WriteString(c.paint(c.text))
				} else {
					b.WriteString(c.text)
				}
			}
			gap += widths[i] - utf8.RuneCountInString(c.text) + 2
		}
		b.WriteByte('\n')
	}
}
