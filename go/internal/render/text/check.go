package text

import (
	"strings"

	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/render"
)

// Check is a verdict for people: a row per check, below it the reasons of what is not a
// pass (with --verbose of all), and the whole in the last line.
func Check(document *gate.Document, looks Looks) string {
	d := printable.Copy(document)
	s := style{looks.Colour}
	var b strings.Builder
	if id := d.Identity; id != nil && !looks.Quiet && id.App != "" {
		b.WriteString(strings.TrimSpace(id.App+" "+id.Version) + ", release " + render.Short(id.Release.Commit) + "\n\n")
	}
	t := table{width: looks.Width, shrink: nil}
	for i := range d.Checks {
		r := &d.Checks[i]
		reasons := render.Telling(r)
		switch {
		case looks.Verbose:
			reasons = r.Reasons
		case r.Verdict == gate.Pass && len(reasons) > 1:
			reasons = reasons[:1]
		}
		row := []cell{{text: render.CheckName(r)}, {text: string(r.Verdict), paint: s.verdict(r.Verdict)}}
		for j := range reasons {
			if j > 0 {
				row = plainCells("", "")
			}
			t.add(append(row, cell{text: render.ReasonText(&reasons[j])})...)
			if q := reasons[j].Query; q != "" && looks.Verbose {
				t.add(cell{}, cell{}, cell{text: "  " + q, paint: s.faint})
			}
		}
	}
	t.write(&b, "")
	b.WriteString("\n" + s.verdict(d.Verdict)(render.VerdictSum(d)) + "\n")
	return b.String()
}

func (s style) verdict(v gate.Verdict) func(string) string {
	switch v {
	case gate.Pass:
		return s.good
	case gate.Inconclusive:
		return s.warn
	}
	return s.bad
}

// CheckPlan is what checks would ask, without asking.
func CheckPlan(checks []gate.Check) string {
	var b strings.Builder
	for i, c := range checks {
		if i > 0 {
			b.WriteByte('\n')
		}
		name := c.Name()
		b.WriteString(render.CheckName(&gate.Result{Check: name.Check, Name: name.Name}) + "\n")
		for _, line := range c.Explain() {
			b.WriteString("  " + printable.Text(line) + "\n")
		}
	}
	return b.String()
}
