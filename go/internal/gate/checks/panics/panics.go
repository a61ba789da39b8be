// Package panics asks whether a canary panics in a way that the stable side does not:
// above all in the code that the release changes, recovered or not.
package panics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/diagnosed"
)

// Settings are those of one group of processes.
type Settings struct {
	diagnosed.Group
	New    int  `key:"new" min:"0" help:"most root causes in changed code that the baseline does not have, recovered or not (0)"`
	Times  *int `key:"times" min:"0" help:"most panics of these causes, all together"`
	Ended  int  `key:"ended" min:"0" help:"most panics that ended a process, wherever their code is, of causes that the baseline does not have (0)"`
	Grown  *int `key:"grown" min:"0" help:"how many panics of one cause more than the baseline there may be"`
	Causes *int `key:"causes" min:"0" help:"most root causes in all"`
	Panics *int `key:"panics" min:"0" help:"most panics in all"`
}

// Record is what was read of one group of processes.
type Record struct {
	*goat.PanicsResult
	// Recorded are the sources that hold a record, which says of each panic of a process,
	// and also that there was none.
	Recorded []string
	// Silent are spools whose programs record no panics.
	Silent []string
	// Lost counts the panics for which a process had no room.
	Lost uint64
	// Change says between what the change lies that is marked; empty where nobody knows.
	Change string
}

// Check is the question about one group of processes.
type Check struct {
	Settings
	// Read reads panics, and marks those in changed code.
	Read func(ctx context.Context, sources []string, failIf string) (*Record, error)
}

// Name is panics, with the name that it was given.
func (c *Check) Name() gate.Name { return c.NameOf("panics") }

// Explain says what is read and judged.
func (c *Check) Explain() []string {
	lines, than := []string{"read the panics of " + c.Query()}, ""
	if len(c.Baseline) > 0 {
		lines, than = append(lines, "compared with "+strings.Join(c.Baseline, " ")), " that it does not have"
	}
	lines = append(lines, fmt.Sprintf("at most %d root causes in changed code%s, recovered or not", c.New, than))
	if c.Times != nil {
		lines = append(lines, fmt.Sprintf("at most %d panics of these", *c.Times))
	}
	lines = append(lines, fmt.Sprintf("at most %d panics ended a process, of causes%s", c.Ended, cmp.Or(than, " anywhere")))
	if c.Grown != nil && len(c.Baseline) > 0 {
		lines = append(lines, fmt.Sprintf("no cause with %d panics more", *c.Grown))
	}
	if c.Causes != nil {
		lines = append(lines, fmt.Sprintf("at most %d root causes in all", *c.Causes))
	}
	if c.Panics != nil {
		lines = append(lines, fmt.Sprintf("at most %d panics in all", *c.Panics))
	}
	if c.FailIf != "" {
		lines = append(lines, "not "+c.FailIf)
	}
	return lines
}

// Look reads and judges.
func (c *Check) Look(ctx context.Context) gate.Finding {
	canary, err := c.Read(ctx, c.Sources, c.FailIf)
	if err != nil {
		return c.NotRead("panics", err)
	}
	stable := &Record{PanicsResult: &goat.PanicsResult{}}
	if len(c.Baseline) > 0 {
		if stable, err = c.Read(ctx, c.Baseline, ""); err != nil {
			return gate.CouldNotLook(strings.Join(c.Baseline, " "), errors.New("the baseline: "+gate.Said(err)))
		}
	}
	var f gate.Finding
	c.judge(canary, stable, &f)
	c.missing("", canary, &f)
	c.missing("the baseline: ", stable, &f)
	diagnosed.Unmarked(canary.Change, &f)
	return f
}

// missing adds what keeps a record from saying that there was no panic.
func (c *Check) missing(of string, r *Record, f *gate.Finding) {
	add := func(format string, args ...any) {
		f.Add(gate.Reason{Verdict: gate.Inconclusive, Message: of + fmt.Sprintf(format, args...), Query: c.Query()})
	}
	if len(r.Silent) > 0 {
		add("%s: no record of panics, which proves nothing: only programs built with `goat build --panics` keep one", strings.Join(r.Silent, " "))
	}
	if r.Lost > 0 {
		add("there was no room for %d panics", r.Lost)
	}
	recorded := map[string]bool{}
	for _, name := range r.Recorded {
		recorded[name] = true
	}
	for i := range r.Sources {
		switch s := &r.Sources[i]; {
		case s.Truncated:
			add("%s ends in the middle", s.Name)
		case s.Crashes == 0 && !recorded[s.Name]:
			add("%s: no crash in it, which does not say that there was none", s.Name)
		}
	}
}

// tally is what one threshold counts: what is surely new, and what may be a panic of the
// baseline whose line moved.
type tally struct{ sure, perhaps uint64 }

func (t *tally) add(n uint64, old *goat.Panic) {
	if old == nil {
		t.sure += n
	} else {
		t.perhaps += n
	}
}

// judged is a reason; what may be old decides nothing.
func (t tally) judged(message string, most uint64, unit, query string) gate.Reason {
	r := diagnosed.Most(message, t.sure, most, unit, query)
	if r.Verdict == gate.Pass && t.sure+t.perhaps > most {
		r.Verdict = gate.Inconclusive
		r.Message += fmt.Sprintf(", and %d more if not the baseline's at another line", t.perhaps)
	}
	return r
}

func (c *Check) judge(canary, stable *Record, f *gate.Finding) {
	before := known(stable.Panics)
	var causes, times, ended tally
	var all, panics uint64
	for i := range canary.Panics {
		p := &canary.Panics[i]
		if p.Class != goat.PanicDefect {
			continue
		}
		all++
		panics += p.Count
		old, same := before.find(p)
		if same {
			c.grown(p, old, f)
			continue
		}
		if p.Changed {
			causes.add(1, old)
			times.add(p.Count, old)
		}
		ended.add(p.Ended, old)
		c.named(p, old, f)
	}
	query, fresh := c.Query(), ""
	if len(c.Baseline) > 0 {
		fresh = "new "
	}
	f.Add(causes.judged(fresh+"root causes in changed code", uint64(c.New), "causes", query))
	if c.Times != nil {
		f.Add(times.judged("panics of "+fresh+"root causes in changed code", uint64(*c.Times), "panics", query))
	}
	f.Add(ended.judged("panics that ended a process", uint64(c.Ended), "panics", query))
	if c.Causes != nil {
		f.Add(diagnosed.Most("root causes in all", all, uint64(*c.Causes), "causes", query))
	}
	if c.Panics != nil {
		f.Add(diagnosed.Most("panics in all", panics, uint64(*c.Panics), "panics", query))
	}
	c.Condition(canary.FailIf, f)
}

// named adds a reason for a cause that is not the baseline's, where it counts: with the
// verdict that it would have alone.
func (c *Check) named(p, old *goat.Panic, f *gate.Finding) {
	r := gate.Reason{Verdict: gate.Pass, Message: described(p), Value: p.Count, Unit: "panics", Query: c.Query(), Place: diagnosed.Place(p.Place)}
	switch {
	case p.Changed && c.New == 0, p.Ended > uint64(c.Ended):
		r.Verdict = gate.Fail
	case !p.Changed && p.Ended == 0:
		return
	}
	if p.Changed {
		r.Message = "in changed code: " + r.Message
	}
	if old != nil {
		r.Message += fmt.Sprintf("; the baseline has one of this kind in this function, at line %d", old.Place.Line)
		if r.Verdict == gate.Fail {
			r.Verdict = gate.Inconclusive
		}
	}
	f.Add(r)
}

// grown judges a cause that the baseline has, too.
func (c *Check) grown(p, old *goat.Panic, f *gate.Finding) {
	if c.Grown == nil {
		return
	}
	r := diagnosed.Most("the baseline's, too: "+described(p), p.Count-min(p.Count, old.Count), uint64(*c.Grown), "panics", c.Query())
	r.Place = diagnosed.Place(p.Place)
	f.Add(r)
}

// described is a cause in a few words.
func described(p *goat.Panic) string {
	text := fmt.Sprintf("%d × %s", p.Count, p.Headline())
	if p.Place != nil {
		text += " in " + p.Place.Func
	}
	if end := p.End(); end != "" {
		text += ", " + end
	}
	return text + " (" + p.Key + ")"
}

// causes are the root causes of a baseline.
type causes struct {
	byKey map[string]*goat.Panic
	// byFunc are the same without their line: an edit moves it.
	byFunc map[moved]*goat.Panic
}

type moved struct{ kind, typ, function string }

func known(list []goat.Panic) causes {
	k := causes{map[string]*goat.Panic{}, map[moved]*goat.Panic{}}
	for i := range list {
		p := &list[i]
		k.byKey[p.Key] = p
		if p.Place != nil {
			k.byFunc[movedOf(p)] = p
		}
	}
	return k
}

func movedOf(p *goat.Panic) moved { return moved{p.Kind, p.Type, p.Place.Func} }

// find is the baseline's panic of this cause, or else one of its kind in the same function.
func (k causes) find(p *goat.Panic) (old *goat.Panic, same bool) {
	if old = k.byKey[p.Key]; old != nil {
		return old, true
	}
	if p.Place != nil {
		old = k.byFunc[movedOf(p)]
	}
	return old, false
}
