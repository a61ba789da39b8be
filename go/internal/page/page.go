// Package page is the evidence page: its template, its style and its script, and the
// static rows of changed lines in it. It knows nothing of reports: package render/html
// fills it, as one file that needs nothing else, and package ui serves the same bytes live.
//
// Whatever comes from sources, file names or programs is text here: the template escapes
// by context, rows are written by [row] alone, and the script builds nodes, never markup.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed head.html page.html sheet.html heat.html css js
var files embed.FS

// scripts in the order in which they are put into one function.
var scripts = []string{"words.js", "model.js", "filter.js", "beside.js", "overview.js", "tree.js", "code.js", "keys.js", "live.js", "start.js"}

var (
	style  = read("css/page.css")
	script = join(scripts)
	shell  = templateOf("page")
)

// templateOf is the page of that name, with the head that all have.
func templateOf(name string) *template.Template {
	shell := template.Must(template.New(name).Parse(read(name + ".html")))
	template.Must(shell.New("head").Parse(read("head.html")))
	return shell
}

func read(name string) string {
	text, err := files.ReadFile(name)
	if err != nil {
		panic(err) // embedded: cannot be missing in a program that was built
	}
	return string(text)
}

func join(names []string) string {
	var b strings.Builder
	b.WriteString("(() => {\n'use strict';\n")
	for _, name := range names {
		b.WriteString(read("js/" + name))
	}
	b.WriteString("})();\n")
	return b.String()
}

// Page is what one page shows.
type Page struct {
	// Title stands in the window's title.
	Title string
	// Report is the report document, JSON.
	Report []byte
	// Files are the files with changed lines, in the order in which they are drawn.
	Files []File
	// Verdict is the gate's answer, drawn above the evidence; nil where nobody asked.
	Verdict *Verdict
	// NoText says why no file has text; "" when files have, or say it themselves.
	NoText string
	// Events is the path of the event stream of a live page; "" for a page that is a file.
	Events string
}

// Verdict is an answer with the checks that made it.
type Verdict struct {
	// State is pass, fail, inconclusive or error; Sum the line that says it.
	State, Sum string
	Checks     []Check
}

// Check is one check with its reasons.
type Check struct {
	Name, State string
	Reasons     []Reason
}

// Reason is what a check looked at; Query is what it asked, "" for nothing.
type Reason struct{ State, Text, Query string }

// File is one file with changed lines.
type File struct {
	// Path is slash-separated, relative to the repository's root.
	Path string
	// Package is the import path, "" when nobody knows it.
	Package string
	// Text is the release's text; nil when it is not known, and NoText says why.
	Text   []byte
	NoText string
	// Old are the base's lines that are not in the release.
	Old []Old
	// Rows are the changed lines, by line; a deletion stands after its line.
	Rows []Row
}

// Old is a run of lines that the release no longer has.
type Old struct {
	// After is the line of the release behind which they stood; 0 for the file's head.
	After int
	Lines []string
}

// Row is a changed line, a place where lines were only deleted, or a file as a whole.
type Row struct {
	// Line is the line of the release; 0 for a deletion and for a file as a whole.
	Line int
	// Deleted counts the lines that were deleted after DeletedAfter; 0 for no deletion.
	DeletedAfter, Deleted int
	// Whole counts the changed lines of a file that is accounted for as a whole.
	Whole int
	// State and Reason are those of the report.
	State, Reason string
}

// policy forbids everything but the page's own style and script: no request, no markup
// out of strings, no frame, no form.
func policy(live bool) string { return policyOf(style, script, live) }

func policyOf(style, script string, live bool) string {
	connect := "'none'"
	if live {
		connect = "'self'"
	}
	return fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; connect-src %s; img-src data:; "+
		"base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
		digest(style), digest(script), connect)
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// Policy is the Content-Security-Policy of a live page, for its header; a header can
// also forbid frames.
func Policy() string { return policy(true) + "; frame-ancestors 'none'" }

// Write writes the page.
func (p *Page) Write(w io.Writer) error {
	text, err := p.pack()
	if err != nil {
		return err
	}
	return shell.Execute(w, map[string]any{
		"Title":   p.Title,
		"Policy":  policy(p.Events != ""),
		"Style":   template.CSS(style),
		"Script":  template.JS(script),
		"Report":  template.JS(scriptSafe(p.Report)),
		"Text":    template.JS(`"` + text + `"`),
		"Verdict": p.Verdict,
		"NoText":  p.NoText,
		"Events":  p.Events,
		"Files":   p.sections(),
	})
}

// scriptSafe keeps JSON the same document, and free of what could end a script element.
func scriptSafe(text []byte) string {
	text = bytes.ReplaceAll(text, []byte("<"), []byte(`\u003c`))
	text = bytes.ReplaceAll(text, []byte("\u2028"), []byte(`\u2028`))
	return string(bytes.ReplaceAll(text, []byte("\u2029"), []byte(`\u2029`)))
}
