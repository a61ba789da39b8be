package html

import (
	"github.com/goat-trace/goat/go/internal/page"
	"github.com/goat-trace/goat/go/internal/report"
)

// placed is a row and its file.
type placed struct {
	file string
	row  page.Row
}

// rowsOf are the report's changed lines as rows of the page; a file that is accounted for
// as a whole is one row.
func rowsOf(d *report.Document) []placed {
	if d.Account == nil {
		return rowsOfPoints(d)
	}
	rows := make([]placed, 0, len(d.Account)+len(d.Files))
	for i := range d.Account {
		c := &d.Account[i]
		row := page.Row{Line: c.Line, State: string(c.State), Reason: c.Reason}
		if c.DeletedAfter != nil {
			row.DeletedAfter, row.Deleted = *c.DeletedAfter, max(c.DeletedLines, 1)
		}
		rows = append(rows, placed{c.File, row})
	}
	for i := range d.Files {
		f := &d.Files[i]
		rows = append(rows, placed{f.File, page.Row{Whole: max(f.Added, 1), State: string(f.Class), Reason: f.Reason}})
	}
	return rows
}

// rowsOfPoints are the lines of the points, where there is no account of lines: what the
// programs themselves know.
func rowsOfPoints(d *report.Document) []placed {
	var rows []placed
	at := map[placed]int{}
	for i := range d.Points {
		p := &d.Points[i]
		state := report.StateNone
		if p.Hit && p.Phase != nil {
			state = report.State(*p.Phase)
		}
		for line := p.Start.Line; line <= p.End.Line && line-p.Start.Line < longest; line++ {
			place := placed{p.File, page.Row{Line: line}}
			if known, twice := at[place]; twice {
				if rows[known].row.State != string(state) {
					rows[known].row.State = string(report.StatePart)
				}
				continue
			}
			at[place] = len(rows)
			rows = append(rows, placed{p.File, page.Row{Line: line, State: string(state)}})
		}
	}
	return rows
}

// longest bounds the lines of one point: what a program says is not to be trusted.
const longest = 10000
