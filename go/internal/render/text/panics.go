package text

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/render"
)

// panicRows is how many root causes a terminal shows.
const panicRows = 20

// Panics are panics for people, by root cause: those that ended a process first, those in
// changed code before the others. change names what the marks compare; top cuts the list,
// 0 does not.
func Panics(found *goat.PanicsResult, change string, top int, looks Looks) string {
	v := panicsView{found: printable.Copy(found), Looks: looks, style: style{looks.Colour}}
	if top == 0 && looks.Width > 0 && !looks.Verbose {
		top = panicRows
	}
	var b strings.Builder
	if change != "" && !v.Quiet {
		fmt.Fprintf(&b, "change  %s\n\n", printable.Text(change))
	}
	cut := 0
	for i := range v.found.Panics {
		p := &v.found.Panics[i]
		switch {
		case p.Class != goat.PanicDefect && !v.Verbose:
		case top > 0 && i >= top:
			cut++
		default:
			v.one(&b, p)
		}
	}
	v.rest(&b, cut)
	return b.String()
}

type panicsView struct {
	found *goat.PanicsResult
	Looks
	style style
}

func (v *panicsView) one(b *strings.Builder, p *goat.Panic) {
	word := goat.PanicKindWord(p.Kind)
	if p.Class != goat.PanicDefect {
		word += " (" + p.Class + ", no defect)"
	}
	fmt.Fprintf(b, "%s: %s", v.style.bad(word), firstLine(p.Message))
	if p.Type != "" {
		fmt.Fprintf(b, "  %s", v.style.faint(p.Type))
	}
	if p.Changed {
		fmt.Fprintf(b, "  %s", v.style.warn("changed"))
	}
	fmt.Fprintf(b, "  %s\n", v.style.faint(p.Key))
	fmt.Fprintf(b, "  %s\n", strings.Join(v.facts(p), ", "))
	for _, step := range p.Chain[min(1, len(p.Chain)):] {
		fmt.Fprintf(b, "  then panic: %s\n", firstLine(step.Message))
	}
	if p.Signal != "" {
		fmt.Fprintf(b, "  signal %s\n", p.Signal)
	}
	for _, test := range p.Tests {
		fmt.Fprintf(b, "  running: %s\n", test)
	}
	writeFrames(b, p.Frames, v.Looks, v.style)
	if p.Creator != "" {
		fmt.Fprintf(b, "  %s %s %s\n", v.style.faint("started by"), p.Creator, v.style.faint(render.ShortPlace(p.CreatorFile, p.CreatorLine)))
	}
	b.WriteByte('\n')
}

// facts are the figures of one root cause in words.
func (v *panicsView) facts(p *goat.Panic) []string {
	facts := []string{render.Plural(int(p.Count), "time"), cmp.Or(p.End(), "whether it was recovered is not known")}
	if p.Inferred {
		facts = append(facts, "message inferred from the stack")
	}
	if p.Goroutine != 0 {
		text := fmt.Sprintf("goroutine %d", p.Goroutine)
		if p.Parent != nil {
			text += fmt.Sprintf(" of goroutine %d", *p.Parent)
		}
		facts = append(facts, text)
	}
	for _, phase := range []string{"init", "startup", "traffic"} {
		if n := p.Phases[phase]; n > 0 {
			facts = append(facts, fmt.Sprintf("%d in %s", n, phase))
		}
	}
	if len(p.Lanes) > 0 {
		facts = append(facts, "lane "+strings.Join(p.Lanes, " "))
	}
	if len(p.Instances) > 1 {
		facts = append(facts, render.Plural(len(p.Instances), "process"))
	}
	if p.Last != nil {
		facts = append(facts, "last "+*p.Last)
	}
	return facts
}

func firstLine(text string) string {
	line, _, more := strings.Cut(text, "\n")
	if more {
		line += " …"
	}
	return line
}

// rest sums up.
func (v *panicsView) rest(b *strings.Builder, cut int) {
	if cut > 0 {
		fmt.Fprintf(b, "%s more; --verbose shows all\n", render.Plural(cut, "root cause"))
	}
	writeVerdict(b, v.found.FailIf, v.style)
	f := v.found.Figures
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if n := int(f[name]); n > 0 && !v.Verbose && (name == "flow" || name == "abort") {
			what := map[string]string{"flow": "the standard library's own way back", "abort": "http.ErrAbortHandler"}[name]
			fmt.Fprintf(b, "%s no defect (%s); --verbose shows them\n", render.Plural(n, "panic"), what)
		}
	}
	fmt.Fprintf(b, "%s, %s, %d ended a process, %d in changed code\n",
		render.Plural(int(f["causes"]), "root cause"), render.Plural(int(f["panics"]), "panic"), int(f["ended"]), int(f["panics.changed"]))
}
