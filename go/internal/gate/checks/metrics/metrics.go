// Package metrics holds the canary's metrics against the stable side's: what dashboards,
// alerts and judges rely on must still be there, and be the same. It also looks for faults
// of metrics in the Go sources.
package metrics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/ask"
)

// Settings are those of a pair of expositions.
type Settings struct {
	Title    string            `key:"name" help:"name of this check, where there are several"`
	Canary   string            `key:"canary" help:"address of the canary's metrics"`
	Stable   string            `key:"stable" help:"address of the stable side's metrics"`
	Headers  map[string]string `key:"headers" help:"request header for both"`
	Ignore   []string          `key:"ignore" help:"names of metrics, with *, that are not judged"`
	Growth   float64           `key:"growth" min:"1" help:"how many times the series of a metric may grow (2); below 100 series nothing counts"`
	Series   int               `key:"series" min:"0" help:"most series of one metric of the canary"`
	Require  []string          `key:"requireLabels" help:"labels that each metric of the canary must have"`
	Labels   []string          `key:"allowLabels" help:"labels that metrics of the canary may have; without it any"`
	Vanished string            `key:"vanished" oneof:"pass,inconclusive,fail" help:"verdict where a metric of the stable side is missing (fail)"`
	Source   bool              `key:"source" help:"whether the metrics in the Go sources of the release are judged, beside the base's: labels, registration (with goat-contract)"`
	Base     string            `key:"base" help:"the base of source, a ref; otherwise the one that goat plan takes"`
	Old      string            `key:"old" oneof:"pass,inconclusive,fail" help:"verdict on faults in the sources that the base has, too (pass: they are named)"`
	Lint     string            `key:"lint" oneof:"pass,inconclusive,fail" help:"verdict where the canary brings in names against the conventions (pass: they are named)"`
}

// SetDefaults sets what holds without a configuration.
func (s *Settings) SetDefaults() { s.Growth, s.Vanished, s.Lint, s.Old = 2, "fail", "pass", "pass" }

// Validate refuses what cannot be compared.
func (s *Settings) Validate() error {
	for _, side := range []struct{ key, url string }{{"canary", s.Canary}, {"stable", s.Stable}} {
		if s.Source && s.Canary+s.Stable == "" {
			break
		}
		if side.url == "" {
			return errors.New(side.key + " is missing: the address of its metrics")
		}
		if err := ask.CheckURL(side.url); err != nil {
			return fmt.Errorf("%s: %w", side.key, err)
		}
	}
	for _, pattern := range s.Ignore {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("ignore: %q is not a pattern", pattern)
		}
	}
	return nil
}

// Check is the question about a pair.
type Check struct {
	Settings
	// Compare are the repository and its two versions.
	Compare goat.FilesOptions
	// Contract is the program goat-contract; empty for the one beside goat or on PATH.
	Contract string
}

// Name is metrics, with the name that it was given.
func (c *Check) Name() gate.Name {
	if c.Title == "" {
		return gate.Name{Check: "metrics", Name: "metrics"}
	}
	return gate.Name{Check: "metrics", Name: c.Title}
}

// Explain says what is read.
func (c *Check) Explain() []string {
	var lines []string
	if c.Canary != "" {
		lines = append(lines, "compare the metrics of "+ask.Shown(c.Canary)+" with those of "+ask.Shown(c.Stable))
	}
	if c.Source {
		lines = append(lines, "look for faults of metrics in the Go sources of "+cmp.Or(c.Compare.Release, "the working tree")+
			" that "+cmp.Or(c.Settings.Base, c.Compare.Base, "the base (as goat plan takes it)")+" has not")
	}
	return lines
}

// look is one look.
type look struct {
	*Check
	canary, stable *exposition
	gate.Finding
}

// Look reads both sides and compares them.
func (c *Check) Look(ctx context.Context) gate.Finding {
	l := &look{Check: c}
	if c.Canary != "" {
		l.shown(ctx)
	}
	if c.Source {
		if err := l.source(ctx); err != nil {
			l.Add(gate.Reason{Verdict: gate.Error, Message: "sources: " + gate.Said(err), Query: "sources"})
		}
	}
	return l.Finding
}

// shown compares what two processes show.
func (l *look) shown(ctx context.Context) {
	c := l.Check
	var err error
	if l.stable, err = l.read(ctx, c.Stable, false); err == nil {
		l.canary, err = l.read(ctx, c.Canary, true)
	}
	if err != nil {
		l.Add(gate.Reason{Verdict: gate.Error, Message: err.Error(), Query: "GET " + ask.Shown(c.Canary)})
		return
	}
	if len(l.stable.order) == 0 || len(l.canary.order) == 0 {
		l.Add(gate.Reason{Verdict: gate.Inconclusive, Message: fmt.Sprintf("nothing to compare: the canary shows %d metrics, the stable side %d", len(l.canary.order), len(l.stable.order))})
		return
	}
	l.compare()
}

// accept asks for the text that all clients of Prometheus write.
const accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.9"

func (l *look) read(ctx context.Context, url string, canary bool) (*exposition, error) {
	request := &ask.Request{URL: url, Header: map[string]string{"Accept": accept}}
	for name, value := range l.Headers {
		request.Header[name] = value
	}
	answer, err := ask.Do(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ask.Shown(url), err)
	}
	if answer.Status != http.StatusOK {
		return nil, fmt.Errorf("%s: status %s", ask.Shown(url), ask.StatusText(answer))
	}
	kind, shown := answer.Header.Get("Content-Type"), parse(answer.Body)
	base, _, err := mime.ParseMediaType(kind)
	if known := err == nil && (base == "text/plain" || base == "application/openmetrics-text"); !known {
		if len(shown.order) == 0 {
			return nil, fmt.Errorf("%s: something answers there, but not with metrics: %q", ask.Shown(url), kind)
		}
		if canary {
			l.Add(gate.Reason{Verdict: gate.Fail, Message: "Prometheus 3 refuses the content type", Value: kind, Threshold: "text/plain; version=0.0.4", Query: "GET " + ask.Shown(url)})
		}
	}
	return shown, nil
}

func (l *look) compare() {
	query := "GET " + ask.Shown(l.Canary)
	for _, problem := range l.canary.problems {
		l.Add(gate.Reason{Verdict: gate.Fail, Message: "the canary's metrics: " + problem, Query: query})
	}
	compared := 0
	for _, name := range l.stable.order {
		if l.ignored(name) {
			continue
		}
		compared++
		before, now := l.stable.families[name], l.canary.families[name]
		if now == nil {
			l.Add(gate.Reason{Verdict: gate.Verdict(l.Vanished), Message: name + " is missing: the stable side has it", Query: query})
			continue
		}
		l.family(before, now)
	}
	for _, name := range l.canary.order {
		if !l.ignored(name) {
			l.own(l.canary.families[name], l.stable.families[name])
		}
	}
	if l.Finding.Verdict() == gate.Pass || len(l.Reasons) == 0 {
		l.Add(gate.Reason{Verdict: gate.Pass, Message: fmt.Sprintf("all %d metrics of the stable side are as they were", compared), Value: compared, Unit: "metrics", Query: query})
	}
}

func (l *look) ignored(name string) bool {
	return slices.ContainsFunc(l.Ignore, func(pattern string) bool {
		is, _ := path.Match(pattern, name)
		return is
	})
}

// family holds a metric against what it was.
func (l *look) family(before, now *family) {
	say := func(value, threshold any, format string, args ...any) {
		l.Add(gate.Reason{Verdict: gate.Fail, Message: now.name + ": " + fmt.Sprintf(format, args...), Value: value, Threshold: threshold, Query: "GET " + ask.Shown(l.Canary)})
	}
	if before.kind != now.kind {
		say(now.kind, before.kind, "another type")
		return
	}
	if before.unit != now.unit {
		say(now.unit, before.unit, "another unit")
	}
	if gone := missing(before.labels, now.labels); len(gone) > 0 {
		say(nil, nil, "without the label %s", strings.Join(gone, ", "))
	}
	if gone := missing(before.bounds, now.bounds); len(gone) > 0 {
		what := "bucket le"
		if now.kind == "summary" {
			what = "quantile"
		}
		say(nil, nil, "without the %s %s", what, strings.Join(gone, ", "))
	}
	const few = 100
	if n := len(now.series); n > few && float64(n) > l.Growth*float64(len(before.series)) {
		say(n, int(l.Growth*float64(len(before.series))), "more series than %g times those of the stable side", l.Growth)
	}
}

func missing(before, now map[string]bool) []string {
	var gone []string
	for _, name := range sortedKeys(before) {
		if !now[name] {
			gone = append(gone, name)
		}
	}
	return gone
}

// own judges what of a metric needs no comparison; before is nil for a new one.
func (l *look) own(f, before *family) {
	query := "GET " + ask.Shown(l.Canary)
	if l.Series > 0 && len(f.series) > l.Series {
		l.Add(gate.Reason{Verdict: gate.Fail, Message: f.name + ": too many series", Value: len(f.series), Threshold: l.Series, Unit: "series", Query: query})
	}
	for _, name := range l.Require {
		if !f.labels[name] {
			l.Add(gate.Reason{Verdict: gate.Fail, Message: f.name + ": without the required label " + name, Query: query})
		}
	}
	for _, name := range sortedKeys(f.labels) {
		if len(l.Labels) > 0 && !slices.Contains(l.Labels, name) {
			l.Add(gate.Reason{Verdict: gate.Fail, Message: f.name + ": the label " + name + " is not among those allowed", Query: query})
		}
	}
	var old []string
	if before != nil {
		old = before.lint()
	}
	for _, problem := range f.lint() {
		if !slices.Contains(old, problem) {
			l.Add(gate.Reason{Verdict: gate.Verdict(l.Lint), Message: f.name + ": " + problem, Query: query})
		}
	}
	if before != nil {
		if added := missing(f.labels, before.labels); len(added) > 0 {
			l.Add(gate.Reason{Verdict: gate.Pass, Message: f.name + ": with the new label " + strings.Join(added, ", "), Query: query})
		}
	}
}
