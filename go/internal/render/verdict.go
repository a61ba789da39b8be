package render

import (
	"fmt"
	"strings"

	"github.com/goat-trace/goat/go/internal/gate"
)

// CheckName is what a result is called: its check, and its own name where that says more.
func CheckName(r *gate.Result) string {
	if r.Name == "" || r.Name == r.Check {
		return r.Check
	}
	return r.Check + " " + r.Name
}

// Telling are the reasons that made the verdict of a check: those of its own verdict, else
// all of them.
func Telling(r *gate.Result) []gate.Reason {
	var telling []gate.Reason
	for _, reason := range r.Reasons {
		if reason.Verdict == r.Verdict {
			telling = append(telling, reason)
		}
	}
	if len(telling) == 0 {
		return r.Reasons
	}
	return telling
}

// ReasonText is a reason in one line, with what was seen and what it was held against.
func ReasonText(r *gate.Reason) string {
	text := r.Message
	value, threshold := measure(r.Value, r.Unit), measure(r.Threshold, r.Unit)
	switch {
	case value != "" && threshold != "":
		text += fmt.Sprintf(" (%s; threshold %s)", value, threshold)
	case value != "" && !strings.Contains(text, value):
		text += " (" + value + ")"
	case threshold != "" && !strings.Contains(text, threshold):
		text += " (threshold " + threshold + ")"
	}
	return text
}

// measure is a value with its unit. Ratios are percentages.
func measure(value any, unit string) string {
	number := ""
	switch v := value.(type) {
	case nil:
		return ""
	case float64:
		if unit == "ratio" {
			return fmt.Sprintf("%.4g%%", 100*v)
		}
		number = fmt.Sprintf("%.4g", v)
	case string:
		return v
	default:
		number = fmt.Sprint(v)
	}
	switch {
	case unit == "":
		return number
	case number == "1" && len(unit) > 2 && unit != "series":
		return Plural(1, singular(unit))
	}
	return number + " " + unit
}

// singular undoes [Plural].
func singular(units string) string {
	if one, es := strings.CutSuffix(units, "sses"); es {
		return one + "ss"
	}
	return strings.TrimSuffix(units, "s")
}

// VerdictSum is the last line of what people read.
func VerdictSum(d *gate.Document) string {
	counts := map[gate.Verdict]int{}
	for i := range d.Checks {
		counts[d.Checks[i].Verdict]++
	}
	var parts []string
	for _, v := range []gate.Verdict{gate.Error, gate.Fail, gate.Inconclusive, gate.Pass} {
		if counts[v] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[v], v))
		}
	}
	text := string(d.Verdict) + ": " + strings.Join(parts, ", ")
	if d.Inconclusive != gate.Keep && counts[gate.Inconclusive] > 0 && counts[gate.Error] == 0 {
		text += " (--inconclusive=" + d.Inconclusive + ")"
	}
	return text
}

// verdictMarker lets a bot find its own comment again.
const verdictMarker = "<!-- goat-check -->\n"

// VerdictMarkdown is the verdict as a comment or a step's summary.
func VerdictMarkdown(d *gate.Document) []byte {
	var b strings.Builder
	b.WriteString(verdictMarker)
	fmt.Fprintf(&b, "### goat check: %s\n\n", d.Verdict)
	if id := d.Identity; id != nil && id.App != "" {
		fmt.Fprintf(&b, "%s · release %s\n\n", code(strings.TrimSpace(id.App+" "+id.Version)), code(Short(id.Release.Commit)))
	}
	b.WriteString("| check | verdict | why |\n|---|---|---|\n")
	for i := range d.Checks {
		r := &d.Checks[i]
		why := ""
		if telling := Telling(r); len(telling) > 0 {
			why = ReasonText(&telling[0])
		}
		fmt.Fprintf(&b, "| %s | **%s** | %s |\n", escape(CheckName(r)), r.Verdict, escape(why))
	}
	for i := range d.Checks {
		b.WriteString(reasonsMarkdown(&d.Checks[i], MarkdownLimit-b.Len()-1000))
	}
	b.WriteString("\n" + escape(VerdictSum(d)) + "\n")
	return []byte(b.String())
}

// reasonsMarkdown are all reasons of a check, as far as there is room.
func reasonsMarkdown(r *gate.Result, room int) string {
	var b strings.Builder
	open := ""
	if r.Verdict != gate.Pass {
		open = " open"
	}
	fmt.Fprintf(&b, "\n<details%s><summary>%s: %s, %s</summary>\n\n", open, escape(CheckName(r)), r.Verdict, Plural(len(r.Reasons), "reason"))
	for i := range r.Reasons {
		reason := &r.Reasons[i]
		line := fmt.Sprintf("- **%s** %s\n", reason.Verdict, escape(ReasonText(reason)))
		if reason.Query != "" {
			line += "  - " + code(reason.Query) + "\n"
		}
		if b.Len()+len(line) > room {
			fmt.Fprintf(&b, "- and %d more\n", len(r.Reasons)-i)
			break
		}
		b.WriteString(line)
	}
	b.WriteString("\n</details>\n")
	return b.String()
}
