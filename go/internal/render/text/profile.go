package text

import (
	"fmt"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/render"
)

// profileRows is how many functions are shown: those below cost nothing.
const profileRows = 30

// Profile is a profile for people: what the change costs, then the functions that cost
// most. names are the sources, change names what the marks compare; top cuts the list, 0
// takes the usual number.
func Profile(found *goat.ProfileResult, names []string, change string, top int, looks Looks) string {
	v := profileView{found: printable.Copy(found), Looks: looks, style: style{looks.Colour}}
	if top == 0 && !looks.Verbose {
		top = profileRows
	}
	var b strings.Builder
	if !v.Quiet {
		v.head(&b, names, change)
	}
	v.functions(&b, top)
	v.sum(&b)
	return b.String()
}

type profileView struct {
	found *goat.ProfileResult
	Looks
	style style
}

func (v *profileView) amount(value int64) string { return render.Amount(value, v.found.Type.Unit) }

func (v *profileView) head(b *strings.Builder, names []string, change string) {
	var t table
	for i, name := range names {
		label := ""
		if i == 0 {
			label = render.Plural(v.found.Source.Profiles, "profile")
		}
		t.add(plainCells(label, printable.Text(name))...)
	}
	what := v.found.Type.Type + ", " + render.Plural(int(v.found.Source.Samples), "sample")
	if s := v.found.Source.DurationSeconds; s > 0 {
		what += fmt.Sprintf(" in %.1fs", s)
	}
	t.add(plainCells("of", what)...)
	if change != "" {
		t.add(plainCells("change", printable.Text(change))...)
	}
	t.write(b, "")
	b.WriteByte('\n')
}

func (v *profileView) functions(b *strings.Builder, top int) {
	t := table{right: map[int]bool{0: true, 1: true, 2: true, 3: true, 4: true}}
	before := v.found.OldTotal != nil
	header := []string{"flat", "", "cum", ""}
	if before {
		header = append(header, "since")
	}
	t.add(plainCells(append(header, "function", "", "")...)...)
	for i := range v.found.Functions {
		if top > 0 && i == top {
			break
		}
		f := &v.found.Functions[i]
		row := plainCells(v.amount(f.Flat), render.Percent(f.FlatShare), v.amount(f.Cum), render.Percent(f.CumShare))
		if before {
			row = append(row, cell{text: sinceOf(f.Delta)})
		}
		row = append(row, cell{text: f.Func}, cell{text: render.ShortPlace(f.File, f.Line)}, cell{text: mark(f.Changed), paint: v.style.warn})
		t.add(row...)
	}
	at := 4
	if before {
		at++
	} else {
		delete(t.right, 4)
	}
	t.width, t.shrink = v.Width, []int{at, at + 1}
	t.write(b, "")
	if rest := len(v.found.Functions) - top; top > 0 && rest > 0 {
		fmt.Fprintf(b, "%s more (--top, --verbose)\n", render.Plural(rest, "function"))
	}
	b.WriteByte('\n')
}

// sinceOf is what became of a function: new, gone, or by how many points its share moved.
func sinceOf(d *goat.ProfileDelta) string {
	switch {
	case d == nil || d.Kind == "same":
		return ""
	case d.Kind == "new" || d.Kind == "gone":
		return d.Kind
	}
	return fmt.Sprintf("%+.1f", 100*d.CumShare)
}

// sum is the last line: the share of the change.
func (v *profileView) sum(b *strings.Builder) {
	c, kind := v.found.Change, v.found.Type.Type
	if v.found.Total == 0 {
		fmt.Fprintf(b, "nothing was measured: no %s\n", kind)
		return
	}
	if c == nil {
		fmt.Fprintf(b, "%s of %s in all; no plan of the change is at hand (--plan)\n", v.amount(v.found.Total), kind)
		return
	}
	line := fmt.Sprintf("share of the change: %s of %s (%s of %s), %s in %s themselves",
		render.Percent(c.Share), kind, v.amount(c.Value), v.amount(v.found.Total), render.Percent(c.OwnShare), render.Plural(c.Functions, "changed function"))
	if old := v.found.OldChange; old != nil {
		line += "; before: " + render.Percent(old.Share)
	}
	fmt.Fprintln(b, v.style.bold(line))
}
