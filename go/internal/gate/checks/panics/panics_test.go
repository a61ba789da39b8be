package panics_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/checks/panics"
	"github.com/goat-trace/goat/go/internal/gate/diagnosed"
)

func cause(key string, line int, change func(*goat.Panic)) goat.Panic {
	p := goat.Panic{Key: key, Kind: "panic", Type: "string", Class: "defect", Recovered: "yes", Count: 1,
		Place: &goat.DumpFrame{Func: "main." + key, File: "main.go", Line: line}}
	if change != nil {
		change(&p)
	}
	return p
}

// canary has two new causes in changed code with five panics, one elsewhere that ended three
// processes, one that the stable side has, too, and two that are no defects.
func canary() *panics.Record {
	return &panics.Record{Change: "v1 to v2", Recorded: []string{"s"}, PanicsResult: &goat.PanicsResult{Panics: []goat.Panic{
		cause("a", 1, func(p *goat.Panic) { p.Changed, p.Count = true, 2 }),
		cause("b", 2, func(p *goat.Panic) { p.Changed, p.Count = true, 3 }),
		cause("c", 3, func(p *goat.Panic) { p.Count, p.Ended, p.Recovered = 3, 3, "no" }),
		cause("old", 4, func(p *goat.Panic) { p.Changed, p.Count, p.Ended = true, 9, 9 }),
		cause("flow", 5, func(p *goat.Panic) { p.Changed, p.Class = true, "flow" }),
		cause("abort", 6, func(p *goat.Panic) { p.Changed, p.Class = true, "abort" }),
	}}}
}

func stable() *panics.Record {
	return &panics.Record{Change: "v1 to v2", Recorded: []string{"b"}, PanicsResult: &goat.PanicsResult{Panics: []goat.Panic{cause("old", 4, func(p *goat.Panic) { p.Count = 5 })}}}
}

func n(i int) *int { return &i }

func settings() panics.Settings {
	return panics.Settings{Group: diagnosed.Group{Sources: []string{"s"}, Baseline: []string{"b"}},
		New: 2, Times: n(5), Ended: 3, Grown: n(4), Causes: n(4), Panics: n(17)}
}

func look(s panics.Settings, of, before *panics.Record) gate.Finding {
	check := &panics.Check{Settings: s, Read: func(_ context.Context, sources []string, failIf string) (*panics.Record, error) {
		if sources[0] == "b" {
			return before, nil
		}
		return of, nil
	}}
	return check.Look(context.Background())
}

// One step of each threshold flips the verdict.
func TestThresholds(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*panics.Settings)
		want   gate.Verdict
	}{
		"at all of them": {func(*panics.Settings) {}, gate.Pass},
		"new":            {func(s *panics.Settings) { s.New-- }, gate.Fail},
		"times":          {func(s *panics.Settings) { *s.Times-- }, gate.Fail},
		"ended":          {func(s *panics.Settings) { s.Ended-- }, gate.Fail},
		"grown":          {func(s *panics.Settings) { *s.Grown-- }, gate.Fail},
		"causes":         {func(s *panics.Settings) { *s.Causes-- }, gate.Fail},
		"panics":         {func(s *panics.Settings) { *s.Panics-- }, gate.Fail},
	} {
		s := settings()
		c.change(&s)
		if f := look(s, canary(), stable()); f.Verdict() != c.want {
			t.Errorf("%s: %s, want %s: %+v", name, f.Verdict(), c.want, f.Reasons)
		}
	}
}

// Without a baseline every cause counts, and defaults let none through.
func TestDefaultsLetNothingThrough(t *testing.T) {
	s := panics.Settings{Group: diagnosed.Group{Sources: []string{"s"}}}
	none := canary()
	none.Panics = none.Panics[4:]
	if f := look(s, none, nil); f.Verdict() != gate.Pass {
		t.Errorf("no defects: %+v", f.Reasons)
	}
	for i := range 4 {
		one := canary()
		one.Panics = one.Panics[i : i+1]
		if f := look(s, one, nil); f.Verdict() != gate.Fail {
			t.Errorf("%s: %+v", one.Panics[0].Key, f.Reasons)
		}
	}
}

// A panic that may be the baseline's at another line is neither a yes nor a no.
func TestALineThatMoved(t *testing.T) {
	s := panics.Settings{Group: diagnosed.Group{Sources: []string{"s"}, Baseline: []string{"b"}}}
	moved := canary()
	moved.Panics = []goat.Panic{cause("x", 40, func(p *goat.Panic) { p.Changed, p.Place.Func = true, "main.old" })}
	f := look(s, moved, stable())
	if f.Verdict() != gate.Inconclusive {
		t.Errorf("%+v", f.Reasons)
	}
	s.New = 1
	if f := look(s, moved, stable()); f.Verdict() != gate.Pass {
		t.Errorf("%+v", f.Reasons)
	}
}

// What proves nothing does not pass.
func TestNoDataIsNoPass(t *testing.T) {
	s := panics.Settings{Group: diagnosed.Group{Sources: []string{"s"}, Baseline: []string{"b"}}}
	for name, spoil := range map[string]func(of, before *panics.Record){
		"no record":              func(of, _ *panics.Record) { of.Silent = []string{"x.spool"} },
		"no room":                func(of, _ *panics.Record) { of.Lost = 1 },
		"no plan":                func(of, _ *panics.Record) { of.Change = "" },
		"cut off":                func(of, _ *panics.Record) { of.Sources = []goat.PanicsText{{Name: "s", Crashes: 1, Truncated: true}} },
		"a text without a crash": func(of, _ *panics.Record) { of.Sources = []goat.PanicsText{{Name: "log", Goroutines: 3}} },
		"a baseline without one": func(_, before *panics.Record) { before.Silent = []string{"y.spool"} },
	} {
		of, before := canary(), stable()
		of.Panics = nil
		if f := look(s, of, before); f.Verdict() != gate.Pass {
			t.Fatalf("%+v", f.Reasons)
		}
		spoil(of, before)
		if f := look(s, of, before); f.Verdict() != gate.Inconclusive {
			t.Errorf("%s: %s: %+v", name, f.Verdict(), f.Reasons)
		}
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	for _, c := range []struct {
		err   error
		wrong bool
	}{{errors.New("refused"), false}, {fmt.Errorf("failIf: %w", &goat.Error{Code: goat.CodeBadRequest, Message: "no figure"}), true}} {
		check := &panics.Check{Settings: settings(), Read: func(context.Context, []string, string) (*panics.Record, error) { return nil, c.err }}
		if f := check.Look(context.Background()); f.Verdict() != gate.Error || (f.Misconfigured != nil) != c.wrong {
			t.Errorf("%+v", f)
		}
	}
	if (&panics.Settings{}).Validate() == nil {
		t.Error("no sources are enough")
	}
}
