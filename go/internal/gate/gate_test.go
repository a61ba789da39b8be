package gate_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goat-trace/goat/go/internal/gate"
)

// told is a check that says what it was told to say, look by look.
type told struct {
	says  []gate.Verdict
	looks *atomic.Int32
	hang  bool // heeds nothing
	slow  bool // gives up when told to
	panic bool
	wrong error
}

func (c told) Name() gate.Name   { return gate.Name{Check: "told"} }
func (c told) Explain() []string { return []string{"asks itself"} }

func (c told) Look(ctx context.Context) gate.Finding {
	n := int(c.looks.Add(1)) - 1
	switch {
	case c.hang:
		select {}
	case c.slow:
		<-ctx.Done()
		return gate.CouldNotLook("", ctx.Err())
	case c.panic:
		panic("told to")
	case c.wrong != nil:
		return gate.Finding{Misconfigured: c.wrong}
	case len(c.says) == 0:
		return gate.Finding{}
	}
	return gate.Finding{Reasons: []gate.Reason{{Verdict: c.says[min(n, len(c.says)-1)], Message: "told"}}}
}

func says(verdicts ...gate.Verdict) told { return told{says: verdicts, looks: new(atomic.Int32)} }

var quick = gate.Options{Timeout: time.Minute, Pause: time.Nanosecond, Inconclusive: gate.Keep}

func run(t *testing.T, o gate.Options, checks ...gate.Check) *gate.Document {
	t.Helper()
	d, err := gate.Run(context.Background(), checks, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The truth table, written out: every combination over three checks, with each way to
// take what is inconclusive, against a rule that is not the engine's.
func TestTruthTable(t *testing.T) {
	rows := 0
	for _, a := range gate.Verdicts {
		for _, b := range gate.Verdicts {
			for _, c := range gate.Verdicts {
				for _, taken := range gate.Takes {
					rows++
					o := quick
					o.Inconclusive = taken
					d := run(t, o, says(a), says(b), says(c))
					if want := expected([]gate.Verdict{a, b, c}, taken); d.Verdict != want || d.OK != (want == gate.Pass) {
						t.Errorf("%s %s %s with --inconclusive=%s: %s (ok %v), want %s", a, b, c, taken, d.Verdict, d.OK, want)
					}
				}
			}
		}
	}
	if rows != 4*4*4*3 {
		t.Fatalf("%d rows", rows)
	}
}

func expected(verdicts []gate.Verdict, taken string) gate.Verdict {
	text := fmt.Sprint(verdicts)
	switch {
	case strings.Contains(text, "error"):
		return gate.Error
	case strings.Contains(text, "fail"), strings.Contains(text, "inconclusive") && taken == "fail":
		return gate.Fail
	case strings.Contains(text, "inconclusive") && taken == "keep":
		return gate.Inconclusive
	}
	return gate.Pass
}

// What is said first and what later, with and without tries left.
func TestRetries(t *testing.T) {
	for _, first := range gate.Verdicts {
		for _, second := range gate.Verdicts {
			for retry := range 3 {
				c := says(first, second)
				o := quick
				o.Retry = retry
				d := run(t, o, c)
				definite := first == gate.Pass || first == gate.Fail
				looks, want := 1, first
				if !definite && retry > 0 {
					looks, want = 2, second
					if retry > 1 && (second == gate.Inconclusive || second == gate.Error) {
						looks = 3
					}
				}
				if got := int(c.looks.Load()); got != looks || d.Verdict != want || d.Checks[0].Tries != looks {
					t.Errorf("%s, then %s, --retry=%d: %s after %d looks (%d told), want %s after %d",
						first, second, retry, d.Verdict, got, d.Checks[0].Tries, want, looks)
				}
			}
		}
	}
}

func TestAHungCheckDelaysNoOther(t *testing.T) {
	o := quick
	o.Timeout = 50 * time.Millisecond
	for _, hung := range []told{{hang: true, looks: new(atomic.Int32)}, {slow: true, looks: new(atomic.Int32)}} {
		d := run(t, o, hung, says(gate.Pass))
		if d.Checks[0].Verdict != gate.Error || d.Checks[1].Verdict != gate.Pass || d.Verdict != gate.Error {
			t.Errorf("%+v", d)
		}
		if r := d.Checks[0].Reasons; len(r) != 1 || r[0].Message != "no answer within 50ms" || r[0].Query != "asks itself" {
			t.Errorf("%+v", r)
		}
	}
}

// With a limit for one look, a hung look is followed by another.
func TestEachTryHasItsOwnTime(t *testing.T) {
	c := told{slow: true, looks: new(atomic.Int32)}
	o := quick
	o.Try, o.Retry = 10*time.Millisecond, 2
	d := run(t, o, c)
	if d.Checks[0].Tries != 3 || d.Checks[0].Reasons[0].Message != "no answer within 10ms" {
		t.Errorf("%+v", d.Checks[0])
	}
}

// inconclusive, then cut off by the deadline: the whole answer stands.
type thenHangs struct{ told }

func (c thenHangs) Look(ctx context.Context) gate.Finding {
	if c.looks.Load() > 0 {
		c.slow = true
	}
	return c.told.Look(ctx)
}

func TestALookThatIsCutOffDoesNotReplaceOneThatWasNot(t *testing.T) {
	o := quick
	o.Try, o.Retry = 20*time.Millisecond, 1
	d := run(t, o, thenHangs{says(gate.Inconclusive)})
	if d.Verdict != gate.Inconclusive || d.Checks[0].Tries != 2 {
		t.Errorf("%+v", d)
	}
}

func TestNothingPassesByAccident(t *testing.T) {
	wrong := errors.New("no such query")
	for name, c := range map[string]told{
		"said nothing": says(),
		"panicked":     {panic: true, looks: new(atomic.Int32)},
		"wrong":        {wrong: wrong, looks: new(atomic.Int32)},
		"nonsense":     says("perhaps"),
	} {
		d := run(t, quick, c)
		if d.Verdict != gate.Error || d.OK || len(d.Checks[0].Reasons) == 0 {
			t.Errorf("%s: %+v", name, d)
		}
		if name == "wrong" && !reflect.DeepEqual(d.Misconfigured, []error{wrong}) {
			t.Errorf("%v", d.Misconfigured)
		}
	}
	if d := run(t, quick); d.Verdict != gate.Error || d.OK {
		t.Errorf("no checks at all: %+v", d)
	}
	o := quick
	o.Inconclusive = gate.AsPass
	if d := run(t, o, says(gate.Error)); d.OK {
		t.Error("--inconclusive=pass took an error for a pass")
	}
}

func TestWhoAskedWentAway(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := gate.Run(ctx, []gate.Check{told{slow: true, looks: new(atomic.Int32)}}, quick); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
