package text

import (
	"fmt"
	"strings"

	"github.com/goat-trace/goat/go/internal/doctor"
	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/render"
)

// Doctor is a doctor's report for people.
func Doctor(report *doctor.Report, looks Looks) string {
	v := doctorView{report: printable.Copy(report), verbose: looks.Verbose, quiet: looks.Quiet, style: style{looks.Colour}}
	return v.text()
}

type doctorView struct {
	report         *doctor.Report
	verbose, quiet bool
	style          style
}

// shown is how many of a list are printed unless somebody asks for all.
func (v *doctorView) shown(all int) int {
	if v.verbose {
		return all
	}
	return min(all, 10)
}

func (v *doctorView) text() string {
	var b strings.Builder
	if !v.quiet {
		v.doors(&b)
	}
	v.checks(&b)
	v.refusals(&b)
	if !v.quiet {
		v.rebuilt(&b)
		v.flags(&b)
		v.missing(&b)
	}
	if v.report.Findings == 0 {
		b.WriteString(v.style.good("all is well") + "\n")
	} else {
		b.WriteString(v.style.bad(render.Plural(v.report.Findings, "finding")) + "\n")
	}
	return strings.TrimLeft(b.String(), "\n")
}

func (v *doctorView) doors(b *strings.Builder) {
	r := v.report
	fmt.Fprintf(b, "mode  %s\n      %s\n\n", v.style.bold(string(r.Mode)), r.Why)
	var t table
	for _, door := range r.Doors {
		row := plainCells(door.Command, string(door.Mode), door.Why)
		row[0].paint = v.style.bold
		t.add(row...)
	}
	t.write(b, "")
	b.WriteByte('\n')
}

func (v *doctorView) checks(b *strings.Builder) {
	var t table
	paint := map[doctor.Status]func(string) string{doctor.OK: v.style.good, doctor.Warn: v.style.warn, doctor.Fail: v.style.bad}
	for _, check := range v.report.Checks {
		if v.quiet && check.Status == doctor.OK {
			continue
		}
		row := plainCells(string(check.Status), check.Name, check.Message)
		row[0].paint = paint[check.Status]
		t.add(row...)
		if check.Hint != "" {
			t.add(plainCells("", "", "hint: "+check.Hint)...)
		}
	}
	t.write(b, "")
}

func (v *doctorView) refusals(b *strings.Builder) {
	for _, r := range v.report.Refusals {
		word := v.style.bad("refused")
		if r.Skipped {
			word = v.style.warn("skipped")
		}
		fmt.Fprintf(b, "\n%s  %s (%s)\n  %s\n", word, r.Command, r.Name, r.Message)
		if r.Hint != "" {
			fmt.Fprintf(b, "  hint: %s\n", r.Hint)
		}
	}
	b.WriteByte('\n')
}

func (v *doctorView) rebuilt(b *strings.Builder) {
	r := v.report.Rebuilt
	switch {
	case r == nil:
		return
	case r.All:
		fmt.Fprintf(b, "%s compiles every package once per plan: %d, %d of them the standard library's\n\n", r.Command, r.Total, r.Standard)
		return
	case len(r.Packages) == 0:
		fmt.Fprintf(b, "%s compiles what plain go compiles\n\n", r.Command)
		return
	}
	fmt.Fprintf(b, "%s compiles at most %d of %d packages for goat's sake, %d of the standard library:\n", r.Command, len(r.Packages), r.Total, r.Standard)
	var t table
	shown := r.Packages[:v.shown(len(r.Packages))]
	for _, pkg := range shown {
		t.add(plainCells(pkg.ImportPath, pkg.Reason)...)
	}
	t.write(b, "  ")
	v.more(b, len(r.Packages)-len(shown))
}

func (v *doctorView) more(b *strings.Builder, rest int) {
	if rest > 0 {
		fmt.Fprintf(b, "  and %d more (--verbose lists them)\n", rest)
	}
	b.WriteByte('\n')
}

func (v *doctorView) flags(b *strings.Builder) {
	f := v.report.Flags
	var t table
	if f.Goflags != "" {
		where := f.From
		if where == "environment" {
			where = "GOFLAGS"
		}
		t.add(plainCells(where, v.cut(f.Goflags))...)
	}
	for _, pkg := range f.Gcflags {
		t.add(plainCells("-gcflags", strings.Join(pkg.Flags, " ")+" kept for "+pkg.ImportPath)...)
	}
	if f.Overlay != "" {
		t.add(plainCells("-overlay", f.Overlay+", with goat's hooks added")...)
	}
	if len(f.Toolexec) > 0 {
		t.add(plainCells("-toolexec", strings.Join(f.Toolexec, " ")+", run behind goat's helper")...)
	}
	if v.verbose && len(f.Command) > 0 {
		line, err := gocmd.Join(f.Command)
		if err != nil {
			line = strings.Join(f.Command, " ")
		}
		t.add(plainCells("goat build", line)...)
	}
	if len(t.rows) == 0 {
		return
	}
	b.WriteString("flags\n")
	t.write(b, "  ")
	b.WriteByte('\n')
}

// cut shortens what is long for a reason that nobody wants to read: the markers.
func (v *doctorView) cut(text string) string {
	if v.verbose || len(text) <= 100 {
		return text
	}
	return text[:100] + "… (--verbose shows all)"
}

func (v *doctorView) missing(b *strings.Builder) {
	all := v.report.NotInstrumented
	if len(all) == 0 {
		return
	}
	b.WriteString("not instrumented\n")
	var t table
	shown := all[:v.shown(len(all))]
	for _, m := range shown {
		switch {
		case m.Package != "":
			t.add(plainCells(m.Package, "the package, in the last build", render.Words(m.Reason))...)
		case m.Lines == "":
			t.add(plainCells(m.File, "all "+render.Plural(m.Count, "changed line"), render.Words(m.Reason))...)
		default:
			t.add(plainCells(m.File, "lines "+m.Lines, render.Words(m.Reason))...)
		}
	}
	t.write(b, "  ")
	v.more(b, len(all)-len(shown))
}
