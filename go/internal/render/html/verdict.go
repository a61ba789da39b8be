package html

import (
	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/page"
	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/render"
)

// Verdict is the verdict as the evidence page shows it.
func Verdict(document *gate.Document) *page.Verdict {
	d := printable.Copy(document)
	section := &page.Verdict{State: string(d.Verdict), Sum: render.VerdictSum(d)}
	for i := range d.Checks {
		r := &d.Checks[i]
		check := page.Check{Name: render.CheckName(r), State: string(r.Verdict)}
		for j := range r.Reasons {
			reason := &r.Reasons[j]
			check.Reasons = append(check.Reasons, page.Reason{State: string(reason.Verdict), Text: render.ReasonText(reason), Query: reason.Query})
		}
		section.Checks = append(section.Checks, check)
	}
	return section
}
