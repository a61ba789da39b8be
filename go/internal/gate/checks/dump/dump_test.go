package dump_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/checks/dump"
	"github.com/goat-trace/goat/go/internal/gate/diagnosed"
)

// found are ten goroutines: two leaked, three new in changed code, five in a cluster that
// grew by four.
func found() *goat.DumpResult {
	d := &goat.DumpResult{Source: goat.DumpSummary{Goroutines: 10, Parsed: 10}}
	d.Clusters = []goat.DumpCluster{
		{ID: "d1a", Count: 2, Leaked: 2, Delta: &goat.DumpDelta{Kind: "same"}},
		{ID: "d1b", Count: 3, Changed: true, Delta: &goat.DumpDelta{Kind: "new", Count: 3}},
		{ID: "d1c", Count: 5, Delta: &goat.DumpDelta{Kind: "grown", Count: 4}, Frames: []goat.DumpFrame{{Func: "main.f", File: "main.go", Line: 3, Own: true}}},
	}
	return d
}

// One step of each threshold flips the verdict.
func TestThresholds(t *testing.T) {
	ten, nine := 10, 9
	at := dump.Settings{Group: diagnosed.Group{Sources: []string{"s"}, Baseline: []string{"b"}}, Leaked: 2, New: 3, Grown: 4, Most: &ten}
	for name, c := range map[string]struct {
		change func(*dump.Settings)
		want   gate.Verdict
	}{
		"at all of them": {func(*dump.Settings) {}, gate.Pass},
		"leaked":         {func(s *dump.Settings) { s.Leaked = 1 }, gate.Fail},
		"new":            {func(s *dump.Settings) { s.New = 2 }, gate.Fail},
		"grown":          {func(s *dump.Settings) { s.Grown = 3 }, gate.Fail},
		"goroutines":     {func(s *dump.Settings) { s.Most = &nine }, gate.Fail},
	} {
		s := at
		c.change(&s)
		f := look(s, found(), nil)
		if f.Verdict() != c.want {
			t.Errorf("%s: %s, want %s: %+v", name, f.Verdict(), c.want, f.Reasons)
		}
	}
	cut := found()
	cut.Source.Truncated, cut.Source.Parsed = true, 9
	if f := look(at, cut, nil); f.Verdict() != gate.Inconclusive {
		t.Errorf("cut off: %s", f.Verdict())
	}
	if f := lookAt(at, found(), "", nil); f.Verdict() != gate.Inconclusive {
		t.Errorf("nobody knows what is changed: %s", f.Verdict())
	}
}

func look(s dump.Settings, d *goat.DumpResult, err error) gate.Finding {
	return lookAt(s, d, "v1 to v2", err)
}

func lookAt(s dump.Settings, d *goat.DumpResult, change string, err error) gate.Finding {
	check := &dump.Check{Settings: s, Read: func(context.Context, *dump.Settings) (*goat.DumpResult, string, error) { return d, change, err }}
	return check.Look(context.Background())
}

func TestWhatCannotBeRead(t *testing.T) {
	s := dump.Settings{Group: diagnosed.Group{Sources: []string{"s"}}}
	if f := look(s, nil, errors.New("refused")); f.Verdict() != gate.Error || f.Misconfigured != nil {
		t.Errorf("%+v", f)
	}
	if f := look(s, nil, fmt.Errorf("failIf: %w", &goat.Error{Code: goat.CodeBadRequest, Message: "no figure"})); f.Misconfigured == nil {
		t.Errorf("%+v", f)
	}
	if err := (&dump.Settings{}).Validate(); err == nil {
		t.Error("no sources are enough")
	}
}
