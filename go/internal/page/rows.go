package page

import (
	"fmt"
	"html"
	"html/template"
	"strconv"
	"strings"
)

// blockRows is how many rows are laid out and drawn as one: the unit of laziness.
const blockRows = 75

// section is a file as the template shows it.
type section struct {
	Path    string
	Shown   string
	Package string
	NoText  string
	Blocks  template.HTML
}

func (p *Page) sections() []section {
	list := make([]section, len(p.Files))
	for i := range p.Files {
		f := &p.Files[i]
		list[i] = section{Path: f.Path, Shown: visible(f.Path), Package: f.Package, NoText: f.NoText, Blocks: template.HTML(f.blocks())}
	}
	return list
}

// blocks are the rows in blocks; the script draws what stands around them.
func (f *File) blocks() string {
	lines := splitLines(f.Text)
	old := map[int]string{}
	for i := range f.Old {
		old[f.Old[i].After] = strings.Join(f.Old[i].Lines, "\n")
	}
	var b strings.Builder
	for i := range f.Rows {
		if i%blockRows == 0 {
			if i > 0 {
				b.WriteString("</div>\n")
			}
			b.WriteString("<div class=b>")
		}
		r := &f.Rows[i]
		text := ""
		switch {
		case r.Deleted > 0:
			text = visible(old[r.DeletedAfter])
		case r.Line > 0 && r.Line <= len(lines):
			text = visible(lines[r.Line-1])
		}
		f.row(&b, r, text)
	}
	if len(f.Rows) > 0 {
		b.WriteString("</div>")
	}
	return b.String()
}

// row writes one changed line. It is the only place that writes markup without the
// template: every value is quoted and escaped here.
func (f *File) row(b *strings.Builder, r *Row, text string) {
	b.WriteString(`<p data-file="`)
	b.WriteString(html.EscapeString(f.Path))
	switch {
	case r.Deleted > 0:
		fmt.Fprintf(b, `" data-deleted-after="%d" data-deleted-lines="%d`, r.DeletedAfter, r.Deleted)
	case r.Whole > 0:
		fmt.Fprintf(b, `" data-whole="%d`, r.Whole)
	default:
		b.WriteString(`" data-line="`)
		b.WriteString(strconv.Itoa(r.Line))
	}
	b.WriteString(`" data-state="`)
	b.WriteString(html.EscapeString(r.State))
	if r.Reason != "" {
		b.WriteString(`" data-reason="`)
		b.WriteString(html.EscapeString(r.Reason))
	}
	b.WriteString(`">`)
	b.WriteString(html.EscapeString(text)) // the next paragraph, or the block's end, ends it
}

// splitLines gives a file's lines as the account counts them.
func splitLines(text []byte) []string {
	if len(text) == 0 {
		return nil
	}
	lines := strings.Split(string(text), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	return lines
}
