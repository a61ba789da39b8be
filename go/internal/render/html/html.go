// Package html draws a report as the evidence page: one file that needs nothing else, or
// the same page live.
package html

import (
	"bytes"
	"encoding/json"
	"path"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/goat-trace/goat/go/internal/gittext"
	"github.com/goat-trace/goat/go/internal/page"
	"github.com/goat-trace/goat/go/internal/report"
)

// Wanted are the texts that a page of the report shows. hash gives the hash that a file of
// a package had in the release, "" where it is not known.
func Wanted(d *report.Document, hash func(importPath, file string) string) gittext.Request {
	packages := packagesOf(d)
	r := gittext.Request{
		Hash: func(file string) string { return hash(packages[path.Dir(file)], file) },
		Base: d.Identity.Base.Commit, Release: d.Identity.Release.Commit, WorkTree: d.Identity.Dirty,
	}
	seen := map[string]bool{}
	for _, l := range rowsOf(d) {
		if l.row.Whole == 0 && !seen[l.file] {
			seen[l.file] = true
			r.Files = append(r.Files, l.file)
		}
	}
	return r
}

// Page makes the page of a report. The texts are those that [Wanted] asked for; noText
// says why there are none.
func Page(d *report.Document, texts map[string]*gittext.File, noText error) (*page.Page, error) {
	text, err := encode(d)
	if err != nil {
		return nil, err
	}
	p := &page.Page{Title: title(d), Report: text, Files: filesOf(d)}
	if noText != nil && len(p.Files) > 0 {
		p.NoText = noText.Error()
	}
	for i := range p.Files {
		if t := texts[p.Files[i].Path]; t != nil {
			addText(&p.Files[i], t)
		}
	}
	return p, nil
}

// encode is the document in one line. What says the same twice for every point is left
// out, for it would be half of a large page: lanes, where all processes are in the stable
// one, the phases of a point that has one, why a point has its form, and the evidence of
// each line, which the granularity gives.
func encode(d *report.Document) ([]byte, error) {
	short := *d
	named := slices.ContainsFunc(d.Instances, func(i report.Instance) bool { return i.Lane != "" })
	short.Points = slices.Clone(d.Points)
	for i := range short.Points {
		p := &short.Points[i]
		p.FormReason, p.InlineCost = "", nil
		if !named {
			p.Lanes = nil
		}
		if p.Phases != nil && phasesOf(p.Phases) < 2 {
			p.Phases = nil
		}
	}
	short.Account = slices.Clone(d.Account)
	for i := range short.Account {
		short.Account[i].Evidence = ""
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(&short); err != nil {
		return nil, err
	}
	text := bytes.TrimRight(b.Bytes(), "\n")
	// A point ends with its lanes. In a text there would be backslashes before the quotes.
	text = bytes.ReplaceAll(text, []byte(`"phases":null,`), nil)
	text = bytes.ReplaceAll(text, []byte(`,"lanes":null}`), []byte("}"))
	return text, nil
}

// phasesOf counts the phases in which a point was hit.
func phasesOf(f *report.FirstHits) int {
	n := 0
	for _, first := range []*time.Time{f.Init, f.Startup, f.Traffic} {
		if first != nil {
			n++
		}
	}
	return n
}

func title(d *report.Document) string {
	name := strings.TrimSpace(d.Identity.App + " " + d.Identity.Version)
	if name == "" {
		name = d.Identity.Module
	}
	return strings.TrimSpace(name + " – goat")
}

// filesOf are the files with changed lines, those with most unhit lines first.
func filesOf(d *report.Document) []page.File {
	packages := packagesOf(d)
	at := map[string]int{}
	var files []page.File
	unhit := map[string]int{}
	for _, l := range rowsOf(d) {
		i, known := at[l.file]
		if !known {
			i = len(files)
			at[l.file] = i
			files = append(files, page.File{Path: l.file, Package: packages[path.Dir(l.file)]})
		}
		files[i].Rows = append(files[i].Rows, l.row)
		if l.row.State == "none" || l.row.State == "part" {
			unhit[l.file]++
		}
	}
	for i := range files {
		sortRows(files[i].Rows)
	}
	sort.SliceStable(files, func(i, j int) bool {
		a, b := &files[i], &files[j]
		if unhit[a.Path] != unhit[b.Path] {
			return unhit[a.Path] > unhit[b.Path]
		}
		return a.Path < b.Path
	})
	return files
}

// packagesOf are the import paths by directory, as far as points tell.
func packagesOf(d *report.Document) map[string]string {
	packages := map[string]string{}
	for i := range d.Points {
		packages[path.Dir(d.Points[i].File)] = d.Points[i].Package
	}
	for i := range d.NotLinked {
		packages[path.Dir(d.NotLinked[i].File)] = d.NotLinked[i].Package
	}
	return packages
}

// sortRows brings rows into the order of the file; a deletion follows its line.
func sortRows(rows []page.Row) {
	place := func(r *page.Row) (int, int) {
		if r.Deleted > 0 {
			return r.DeletedAfter, 1
		}
		return r.Line, 0
	}
	sort.SliceStable(rows, func(i, j int) bool {
		a, after := place(&rows[i])
		b, behind := place(&rows[j])
		return a < b || a == b && after < behind
	})
}

func addText(f *page.File, t *gittext.File) {
	f.Text, f.NoText = t.Text, t.Missing
	if f.Text != nil && tooShort(f) {
		f.Text, f.NoText = nil, "changed since the release was built: its text then is not known"
	}
	for _, o := range t.Old {
		f.Old = append(f.Old, page.Old(o))
	}
}

// tooShort reports whether a text cannot be the one that the report is about.
func tooShort(f *page.File) bool {
	last := 0
	for i := range f.Rows {
		last = max(last, f.Rows[i].Line, f.Rows[i].DeletedAfter)
	}
	lines := bytes.Count(f.Text, []byte("\n"))
	if len(f.Text) > 0 && f.Text[len(f.Text)-1] != '\n' {
		lines++
	}
	return last > lines
}
