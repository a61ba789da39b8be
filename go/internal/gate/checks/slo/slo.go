package slo

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/prom"
)

// Check is the question with its server.
type Check struct{ Settings }

// Name is slo, with the name that it was given.
func (c *Check) Name() gate.Name {
	if c.Title == "" {
		return gate.Name{Check: "slo", Name: "slo"}
	}
	return gate.Name{Check: "slo", Name: c.Title}
}

// Explain says what is asked.
func (c *Check) Explain() []string {
	lines := []string{"ask " + c.shown() + ", all at one instant"}
	for i := range c.Rules {
		r := &c.Rules[i]
		for _, query := range c.counting(r) {
			lines = append(lines, fmt.Sprintf("%s: at least %g requests: %s", r.Name, c.samples(), c.fill(query, c.Canary)))
		}
		lines = append(lines, fmt.Sprintf("%s: %s: %s", r.Name, bounds(r), c.fill(r.Query, c.Canary)))
		if c.compares(r) {
			lines = append(lines, fmt.Sprintf("%s, stable side: %s", r.Name, c.fill(r.Query, c.Stable)))
		}
	}
	return lines
}

func bounds(r *Rule) string {
	var parts []string
	for _, b := range []struct {
		word  string
		value *float64
	}{{"at most", r.Max}, {"at least", r.Min}, {"at most, times the stable side's,", r.MaxRatio}, {"at least, times the stable side's,", r.MinRatio}} {
		if b.value != nil {
			parts = append(parts, fmt.Sprintf("%s %g", b.word, *b.value))
		}
	}
	return strings.Join(parts, ", ")
}

func (s *Settings) samples() float64 {
	if s.Samples == nil {
		return 1
	}
	return *s.Samples
}

// counting are the queries that count the requests of a rule.
func (s *Settings) counting(r *Rule) []string {
	switch {
	case s.samples() == 0:
		return nil
	case s.Traffic != "":
		return []string{s.Traffic}
	}
	return traffic(r.Query)
}

// compares tells whether the stable side is asked, too.
func (s *Settings) compares(r *Rule) bool {
	return s.Stable != "" && variable(r.Query, "canary") && !variable(r.Query, "stable")
}

// look is one look: everything is asked about one instant.
type look struct {
	*Check
	ctx    context.Context
	client prom.Client
	at     time.Time
	asked  map[string]*answer
	gate.Finding
}

// answer is one value, or why there is none.
type answer struct {
	value float64
	none  string
}

// oneRequest is how long one query may take.
const oneRequest = 10 * time.Second

// Look asks the server.
func (c *Check) Look(ctx context.Context) gate.Finding {
	l := &look{Check: c, ctx: ctx, asked: map[string]*answer{}}
	l.client = prom.Client{URL: c.Prometheus, Token: c.Token, Timeout: oneRequest}
	now, err := l.client.Query(ctx, "time()", time.Time{})
	if err != nil {
		return l.failed(err)
	}
	if len(now.Samples) != 1 {
		return gate.CouldNotLook(c.shown(), errors.New("the server does not know the time"))
	}
	l.at = now.Samples[0].Time
	if err := l.young(); err != nil {
		return l.failed(err)
	}
	for i := range c.Rules {
		if err := l.rule(&c.Rules[i]); err != nil {
			return l.failed(err)
		}
	}
	return l.Finding
}

// failed tells a question that is wrong from a server that cannot be asked.
func (l *look) failed(err error) gate.Finding {
	var failure *prom.Error
	if errors.As(err, &failure) && failure.Kind == prom.BadQuery {
		return gate.Finding{Misconfigured: fmt.Errorf("check.slo: %w", err)}
	}
	l.Add(gate.Reason{Verdict: gate.Error, Message: l.shown() + ": " + err.Error(), Query: l.shown()})
	return l.Finding
}

// ask gives the one value of a query.
func (l *look) ask(query string) (*answer, error) {
	if known := l.asked[query]; known != nil {
		return known, nil
	}
	result, err := l.client.Query(l.ctx, query, l.at)
	if err != nil {
		return nil, err
	}
	for _, warning := range result.Warnings {
		l.Add(gate.Reason{Verdict: gate.Pass, Message: "the server warns: " + warning, Query: query})
	}
	a := &answer{}
	switch {
	case len(result.Samples) == 0:
		a.none = "the server has no data"
	case len(result.Samples) > 1:
		return nil, &prom.Error{Kind: prom.BadQuery, Query: query, Why: fmt.Sprintf("it gives %d series, and a rule needs one value: sum(...) or max(...) around it", len(result.Samples))}
	case math.IsNaN(result.Samples[0].Value):
		a.none = "the value is no number (NaN)"
	case math.IsInf(result.Samples[0].Value, 0):
		a.none = "the value is infinite"
	default:
		a.value = result.Samples[0].Value
	}
	l.asked[query] = a
	return a, nil
}

// young says whether the canary is up long enough, where that is asked for.
func (l *look) young() error {
	if l.Age <= 0 {
		return nil
	}
	query := "time() - min(process_start_time_seconds{" + l.Canary + "})"
	a, err := l.ask(query)
	if err != nil {
		return err
	}
	r := gate.Reason{Verdict: gate.Pass, Message: "the canary's oldest process is up long enough", Value: a.value, Threshold: l.Age.Seconds(), Unit: "s", Query: query}
	switch {
	case a.none != "":
		r.Verdict, r.Message, r.Value = gate.Inconclusive, "how long the canary is up is not known: "+a.none, nil
	case a.value < l.Age.Seconds():
		r.Verdict, r.Message = gate.Inconclusive, "the canary is too young to judge"
	}
	l.Add(r)
	return nil
}

// rule judges one rule, its traffic first.
func (l *look) rule(r *Rule) error {
	if r.histogram != "" {
		if err := l.form(r); err != nil {
			return err
		}
	}
	for _, side := range l.sides(r) {
		enough, err := l.traffic(r, side)
		if err != nil || !enough {
			return err
		}
	}
	query := l.fill(r.Query, l.Canary)
	canary, err := l.ask(query)
	if err != nil {
		return err
	}
	var stable *answer
	if l.compares(r) {
		if stable, err = l.ask(l.fill(r.Query, l.Stable)); err != nil {
			return err
		}
	}
	if canary.none != "" {
		l.Add(gate.Reason{Verdict: gate.Inconclusive, Message: r.Name + ": " + canary.none + l.unmatched("canary", l.Canary), Query: query})
		return nil
	}
	l.absolute(r, query, canary, stable)
	return l.relative(r, query, canary, stable)
}

// form takes the kind of histogram that the server has of the canary.
func (l *look) form(r *Rule) error {
	classic, err := l.ask(l.fill("count("+r.histogram+"_bucket{$canary})", l.Canary))
	if err != nil || classic.none == "" {
		r.Query = r.classic()
		return err
	}
	native, err := l.ask(l.fill("count("+r.histogram+"{$canary})", l.Canary))
	if err == nil && native.none == "" {
		r.Query = r.native()
	}
	return err
}

// side is one of the two, by its matchers.
type side struct{ name, matchers string }

// sides are those whose traffic decides about a rule.
func (l *look) sides(r *Rule) []side {
	sides := []side{{"canary", l.Canary}}
	if r.MaxRatio != nil || r.MinRatio != nil {
		sides = append(sides, side{"stable side", l.Stable})
	}
	return sides
}

// traffic tells whether there were enough requests to judge by.
func (l *look) traffic(r *Rule, s side) (enough bool, err error) {
	queries := l.counting(r)
	if len(queries) == 0 {
		if l.Samples != nil && *l.Samples > 0 {
			return false, &prom.Error{Kind: prom.BadQuery, Query: r.Query, Why: "samples is set, and no counter of requests stands in the query: set traffic"}
		}
		return true, nil
	}
	most, which, none := 0.0, l.fill(queries[0], s.matchers), ""
	for _, query := range queries {
		a, err := l.ask(l.fill(query, s.matchers))
		if err != nil {
			return false, err
		}
		if a.none != "" {
			none = a.none
		}
		if a.value > most {
			most, which = a.value, l.fill(query, s.matchers)
		}
	}
	reason := gate.Reason{Verdict: gate.Pass, Message: r.Name + ": requests of the " + s.name, Value: math.Round(most*100) / 100, Threshold: l.samples(), Unit: "requests", Query: which}
	if most < l.samples() {
		reason.Verdict, reason.Message = gate.Inconclusive, reason.Message+" are too few to judge by"
		if most == 0 && none != "" {
			reason.Message += ": " + none + l.unmatched(s.name, s.matchers)
		}
	}
	l.Add(reason)
	return most >= l.samples(), nil
}

// unmatched adds to a reason that no series at all has the matchers of a side.
func (l *look) unmatched(name, matchers string) string {
	if matchers == "" {
		return ""
	}
	a, err := l.ask("count({" + matchers + "})")
	if err != nil || a.none == "" {
		return "; where a series is missing because nothing happened, `or vector(0)` says so"
	}
	return fmt.Sprintf("; no series matches {%s}, the %s: is the label right?", matchers, name)
}

// absolute holds the canary against fixed bounds, and names the stable side's value.
func (l *look) absolute(r *Rule, query string, canary, stable *answer) {
	beside := ""
	if stable != nil && stable.none == "" {
		beside = fmt.Sprintf("; the stable side has %.4g", stable.value)
	}
	if r.Max != nil {
		verdict := gate.Pass
		if canary.value > *r.Max {
			verdict = gate.Fail
		}
		l.Add(gate.Reason{Verdict: verdict, Message: r.Name + " of the canary, at most the threshold" + beside, Value: canary.value, Threshold: *r.Max, Unit: r.Unit, Query: query})
	}
	if r.Min != nil {
		verdict := gate.Pass
		if canary.value < *r.Min {
			verdict = gate.Fail
		}
		l.Add(gate.Reason{Verdict: verdict, Message: r.Name + " of the canary, at least the threshold" + beside, Value: canary.value, Threshold: *r.Min, Unit: r.Unit, Query: query})
	}
}

// relative holds the canary against the stable side. Where that has nothing, no
// proportion says anything: two zeros are equal, and what is more than nothing is judged
// by max alone.
func (l *look) relative(r *Rule, query string, canary, stable *answer) error {
	if r.MaxRatio == nil && r.MinRatio == nil {
		return nil
	}
	query += "  /  " + l.fill(r.Query, l.Stable)
	ratio := 1.0
	switch {
	case stable.none != "":
		l.Add(gate.Reason{Verdict: gate.Inconclusive, Message: r.Name + " of the stable side: " + stable.none + l.unmatched("stable side", l.Stable), Query: query})
		return nil
	case stable.value == 0 && canary.value == 0:
	case stable.value == 0:
		verdict, judged := gate.Inconclusive, "set max, too"
		if r.Max != nil {
			verdict, judged = gate.Pass, "max alone judges"
		}
		l.Add(gate.Reason{Verdict: verdict, Message: r.Name + ": the stable side has 0, so there is no proportion: " + judged, Value: canary.value, Unit: r.Unit, Query: query})
		return nil
	default:
		ratio = canary.value / stable.value
	}
	message := fmt.Sprintf("%s of the canary in proportion to the stable side: %.4g to %.4g", r.Name, canary.value, stable.value)
	if r.MaxRatio != nil {
		verdict := gate.Pass
		if ratio > *r.MaxRatio {
			verdict = gate.Fail
		}
		l.Add(gate.Reason{Verdict: verdict, Message: message + ", at most the threshold", Value: ratio, Threshold: *r.MaxRatio, Unit: "times", Query: query})
	}
	if r.MinRatio != nil {
		verdict := gate.Pass
		if ratio < *r.MinRatio {
			verdict = gate.Fail
		}
		l.Add(gate.Reason{Verdict: verdict, Message: message + ", at least the threshold", Value: ratio, Threshold: *r.MinRatio, Unit: "times", Query: query})
	}
	return nil
}
