package text

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/render"
)

// dumpRows is how many clusters a terminal shows.
const dumpRows = 30

// Dump is a dump for people: crashes first, then the goroutines from cause over who
// started them to the stack, those that look most like a leak before the others. change
// names what the marks compare; top cuts the list, 0 does not.
func Dump(found *goat.DumpResult, change string, top int, looks Looks) string {
	v := dumpView{found: printable.Copy(found), Looks: looks, style: style{looks.Colour}}
	if top == 0 && looks.Width > 0 && !looks.Verbose {
		top = dumpRows
	}
	var b strings.Builder
	if !v.Quiet {
		v.head(&b, printable.Text(change))
	}
	v.crashes(&b)
	v.races(&b)
	cut := v.clusters(&b, top)
	v.gone(&b)
	v.locks(&b)
	v.rest(&b, cut)
	return b.String()
}

type dumpView struct {
	found *goat.DumpResult
	Looks
	style style
}

func (v *dumpView) head(b *strings.Builder, change string) {
	var t table
	for i := range v.found.Sources {
		s := &v.found.Sources[i]
		what := kindWords[s.Kind]
		if s.Goroutines > 0 {
			what += ", " + render.Plural(int(s.Goroutines), "goroutine")
		}
		if s.Dumps > 1 {
			what += fmt.Sprintf(" in %d dumps", s.Dumps)
		}
		if s.Parsed < s.Goroutines {
			what += v.style.bad(fmt.Sprintf(", %d of them cut off", s.Goroutines-s.Parsed))
		} else if s.Truncated {
			what += v.style.bad(", cut off in the middle")
		}
		if s.Broken != nil {
			what += v.style.bad(", then " + *s.Broken)
		}
		t.add(plainCells(s.Name, what)...)
	}
	if change != "" {
		t.add(plainCells("change", change)...)
	}
	t.write(b, "")
	b.WriteByte('\n')
}

var kindWords = map[string]string{
	"stacks": "all stacks", "crash": "crash", "profile": "goroutine profile", "proto": "goroutine profile", "race": "race report", "none": "nothing",
}

func (v *dumpView) crashes(b *strings.Builder) {
	for i := range v.found.Crashes {
		c := &v.found.Crashes[i]
		kind := goat.PanicKindWord(c.Kind)
		if c.Recovered == "yes" {
			kind = "recovered " + kind
		}
		fmt.Fprintf(b, "%s: %s", v.style.bad(kind), c.Message)
		if c.Goroutine != 0 {
			fmt.Fprintf(b, " [goroutine %d]", c.Goroutine)
		}
		b.WriteByte('\n')
		for _, step := range c.Chain[:max(len(c.Chain)-1, 0)] {
			fmt.Fprintf(b, "  after panic: %s\n", step.Message)
		}
		if c.Signal != "" {
			fmt.Fprintf(b, "  signal %s\n", c.Signal)
		}
		for _, test := range c.Tests {
			fmt.Fprintf(b, "  running: %s\n", test)
		}
		v.frames(b, c.Frames)
		b.WriteByte('\n')
	}
}

// frames writes the user's frames; without any, all of them.
func (v *dumpView) frames(b *strings.Builder, frames []goat.DumpFrame) {
	writeFrames(b, frames, v.Looks, v.style)
}

func writeFrames(b *strings.Builder, frames []goat.DumpFrame, looks Looks, s style) {
	own := ownFrames(frames)
	if looks.Verbose || len(own) == 0 {
		own = frames
	}
	var t table
	for i := range own {
		f := &own[i]
		t.add(cell{text: f.Func}, cell{text: render.ShortPlace(f.File, f.Line)}, cell{text: mark(f.Changed), paint: s.warn})
	}
	t.width, t.shrink = looks.Width, []int{0, 1}
	t.write(b, "  ")
}

func ownFrames(frames []goat.DumpFrame) []goat.DumpFrame {
	return slices.DeleteFunc(slices.Clone(frames), func(f goat.DumpFrame) bool { return !f.Own })
}

func mark(changed bool) string {
	if changed {
		return "changed"
	}
	return ""
}

func (v *dumpView) races(b *strings.Builder) {
	for i := range v.found.Races {
		r := &v.found.Races[i]
		fmt.Fprintf(b, "%s at %s\n", v.style.bad("data race"), cmp.Or(r.Address, "an unknown address"))
		for _, list := range [][]goat.DumpAccess{r.Accesses, r.Created} {
			for j := range list {
				a := &list[j]
				fmt.Fprintf(b, " %s, goroutine %d\n", a.Operation, a.Goroutine)
				v.frames(b, a.Frames)
			}
		}
		b.WriteByte('\n')
	}
}

// cause is one heading: clusters with one cause, and who started them below it.
type cause struct {
	name     string
	count    uint64
	clusters []*goat.DumpCluster
}

// clusters writes the hierarchy and returns how many it left out.
func (v *dumpView) clusters(b *strings.Builder, top int) (cut int) {
	causes := v.causes()
	shown := 0
	for _, c := range causes {
		if top > 0 && shown >= top {
			cut += len(c.clusters)
			continue
		}
		fmt.Fprintf(b, "%s  %s\n", v.style.bold(c.name), v.style.faint(render.Plural(int(c.count), "goroutine")))
		creators, byCreator := creatorsOf(c.clusters)
		for _, creator := range creators {
			list := byCreator[creator]
			if top > 0 && shown+len(list) > top {
				cut += len(list) - max(top-shown, 0)
				list = list[:max(top-shown, 0)]
			}
			shown += len(list)
			if len(list) > 0 {
				v.started(b, list)
			}
		}
		b.WriteByte('\n')
	}
	return cut
}

// causes are the clusters by cause, in the order of their first; the runtime's own
// goroutines only where more is asked for.
func (v *dumpView) causes() []*cause {
	var list []*cause
	at := map[string]*cause{}
	for i := range v.found.Clusters {
		c := &v.found.Clusters[i]
		if c.Dimension == "runtime" && !v.Verbose {
			continue
		}
		name := causeName(c)
		if at[name] == nil {
			at[name] = &cause{name: name}
			list = append(list, at[name])
		}
		at[name].count += c.Count
		at[name].clusters = append(at[name].clusters, c)
	}
	return list
}

func causeName(c *goat.DumpCluster) string {
	name := c.Dimension
	if c.Primitive != c.Dimension {
		name += " " + c.Primitive
	}
	if c.NeverWakes {
		name += ", never wakes"
	}
	return name
}

func creatorsOf(clusters []*goat.DumpCluster) (order []string, by map[string][]*goat.DumpCluster) {
	by = map[string][]*goat.DumpCluster{}
	for _, c := range clusters {
		if by[c.Creator] == nil {
			order = append(order, c.Creator)
		}
		by[c.Creator] = append(by[c.Creator], c)
	}
	return order, by
}

// started writes the clusters of one creator.
func (v *dumpView) started(b *strings.Builder, list []*goat.DumpCluster) {
	if first := list[0]; first.Creator != "" {
		fmt.Fprintf(b, "  %s %s %s\n", v.style.faint("started by"), first.Creator, v.style.faint(render.ShortPlace(first.CreatorFile, first.CreatorLine)))
	}
	t := table{width: v.Width, shrink: []int{3, 4}, right: map[int]bool{0: true, 1: true}}
	for _, c := range list {
		where, at := whereOf(c)
		t.add(
			cell{text: strconv.FormatUint(c.Count, 10), paint: v.style.bold},
			cell{text: deltaText(c.Delta), paint: v.style.warn},
			cell{text: minutesText(c.WaitMinutes)},
			cell{text: where}, cell{text: at, paint: v.style.faint},
			cell{text: marks(c), paint: v.style.warn}, cell{text: c.ID, paint: v.style.faint},
		)
	}
	t.write(b, "    ")
}

// whereOf is the first function of the user's, and its place.
func whereOf(c *goat.DumpCluster) (name, at string) {
	frames := ownFrames(c.Frames)
	if len(frames) == 0 {
		// Without code of the user's the outermost function says what it is.
		frames = slices.DeleteFunc(slices.Clone(c.Frames), func(f goat.DumpFrame) bool { return f.Func == "runtime.goexit" })
		frames = frames[max(len(frames)-1, 0):]
	}
	if len(frames) == 0 {
		return "(no stack)", ""
	}
	return frames[0].Func, render.ShortPlace(frames[0].File, frames[0].Line)
}

func marks(c *goat.DumpCluster) string {
	var words []string
	if c.Leaked > 0 {
		words = append(words, fmt.Sprintf("%d leaked", c.Leaked))
	}
	if c.Changed {
		words = append(words, "changed")
	}
	return strings.Join(words, ", ")
}

func deltaText(d *goat.DumpDelta) string {
	switch {
	case d == nil || d.Kind == "same":
		return ""
	case d.Kind == "new":
		return "new"
	}
	return fmt.Sprintf("%+d", d.Count)
}

func minutesText(w goat.DumpWait) string {
	switch {
	case w.Max == 0:
		return ""
	case w.Min == w.Max:
		return fmt.Sprintf("%d min", w.Max)
	}
	return fmt.Sprintf("%d..%d min", w.Min, w.Max)
}

func (v *dumpView) gone(b *strings.Builder) {
	if len(v.found.Gone) == 0 {
		return
	}
	b.WriteString(v.style.bold("gone") + "\n")
	var t table
	for i := range v.found.Gone {
		c := &v.found.Gone[i]
		where, at := whereOf(c)
		t.add(plainCells(deltaText(c.Delta), causeName(c), where, at)...)
	}
	t.write(b, "    ")
	b.WriteByte('\n')
}

func (v *dumpView) locks(b *strings.Builder) {
	for i := range v.found.Locks {
		l := &v.found.Locks[i]
		fmt.Fprintf(b, "%s %s: %s\n", v.style.bold(l.Kind), l.Address, render.Plural(int(l.Waiters), "waiter"))
		for _, o := range l.Owners {
			fmt.Fprintf(b, "    may be held by goroutine %d in %s (confidence %s: %s)\n", o.Goroutine, o.Func, o.Confidence, o.Why)
		}
	}
	for _, circle := range v.found.Deadlocks {
		fmt.Fprintf(b, "%s goroutines %s wait for each other\n", v.style.bad("deadlock:"), strings.Trim(fmt.Sprint(circle), "[]"))
	}
	if len(v.found.Locks) > 0 {
		b.WriteByte('\n')
	}
}

// rest says what is not shown and what was not read, and sums up.
func (v *dumpView) rest(b *strings.Builder, cut int) {
	if cut > 0 {
		fmt.Fprintf(b, "%s more; --verbose shows all\n", render.Plural(cut, "cluster"))
	}
	s := &v.found.Source
	if s.NotParsedLines > 0 {
		fmt.Fprintf(b, "%s not read:\n", render.Plural(int(s.NotParsedLines), "line"))
		for i, n := range s.NotParsed {
			if i == 5 && !v.Verbose {
				fmt.Fprintf(b, "    …\n")
				break
			}
			fmt.Fprintf(b, "    %s:%d: %s: %s\n", n.Source, n.Line, n.Reason, n.Text)
		}
	}
	writeVerdict(b, v.found.FailIf, v.style)
	var changed, leaked uint64
	for i := range v.found.Clusters {
		c := &v.found.Clusters[i]
		leaked += c.Leaked
		if c.Changed {
			changed += c.Count
		}
	}
	fmt.Fprintf(b, "%s, %s, %d in changed code, %d leaked\n",
		render.Plural(int(s.Goroutines), "goroutine"), render.Plural(len(v.found.Clusters), "cluster"), changed, leaked)
}

// writeVerdict says what became of --fail-if.
func writeVerdict(b *strings.Builder, f *goat.DumpVerdict, s style) {
	if f == nil {
		return
	}
	answer := s.good("holds not")
	if f.Failed {
		answer = s.bad("holds") + ": " + f.Because
	}
	fmt.Fprintf(b, "fail-if %s %s\n", f.Expression, answer)
}
