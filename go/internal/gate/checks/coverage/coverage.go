package coverage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/settings"
	"github.com/goat-trace/goat/go/internal/report"
)

// Check is the question with its source.
type Check struct {
	Settings
	// From names the sources, for the reasons.
	From []string
	// Read makes the report; what counts as run is settled by who made the check.
	Read func(context.Context) (*report.Document, error)
	// Now is the clock.
	Now func() time.Time
}

// Name is coverage.
func (c *Check) Name() gate.Name { return gate.Name{Check: "coverage", Name: "coverage"} }

// Explain says what is read and what it is held against.
func (c *Check) Explain() []string {
	lines := []string{"read " + strings.Join(c.From, ", ")}
	if c.Points != nil {
		lines = append(lines, fmt.Sprintf("at least %s of the points ran (%s)", percent(*c.Points), c.Phase))
	}
	if c.Lines != nil {
		lines = append(lines, fmt.Sprintf("at least %s of the tracked lines were reached (%s)", percent(*c.Lines), c.Phase))
	}
	for _, pattern := range c.Must {
		lines = append(lines, pattern+" must have run")
	}
	for i := range c.Allow {
		lines = append(lines, fmt.Sprintf("%s need not run%s: %s", c.Allow[i].Match, until(c.Allow[i].Until), c.Allow[i].Why))
	}
	return append(lines, "at least "+count(c.Minimum, "process", "processes")+" of the release, up for "+c.Uptime.String())
}

func percent(s settings.Share) string { return fmt.Sprintf("%.4g%%", 100*float64(s)) }

func until(d *settings.Date) string {
	if d == nil {
		return ""
	}
	return " until " + d.End.Add(-time.Second).UTC().Format(time.DateOnly)
}

// look is one look: the report, and the finding that grows.
type look struct {
	*Check
	d       *report.Document
	allowed map[string]bool // unhit points that need not run
	gate.Finding
}

// Look reads the sources and judges.
func (c *Check) Look(ctx context.Context) gate.Finding {
	document, err := c.Read(ctx)
	var e *goat.Error
	switch {
	case errors.As(err, &e) && (e.Code == goat.CodeUsage || e.Code == goat.CodePlanMismatch):
		return gate.Finding{Misconfigured: e}
	case err != nil:
		return gate.CouldNotLook(strings.Join(c.From, ", "), err)
	}
	l := &look{Check: c, d: document, allowed: map[string]bool{}}
	if document.Outcome() == report.Nothing {
		l.nothing()
		return l.Finding
	}
	l.Report = document
	// What people look for comes first: how much ran.
	l.findAllowed()
	l.ratios()
	l.must()
	l.allowances()
	l.sources()
	l.release()
	l.instances()
	l.degraded()
	l.notLinked()
	l.beside()
	return l.Finding
}

// nothing says of each source why it could not be read.
func (l *look) nothing() {
	for i := range l.d.Instances {
		if in := &l.d.Instances[i]; in.Error != nil {
			l.Add(gate.Reason{Verdict: gate.Error, Message: "no evidence: " + in.Source + ": " + *in.Error, Query: in.Source})
		}
	}
	if len(l.Reasons) == 0 {
		l.Add(gate.Reason{Verdict: gate.Inconclusive, Message: "no process of the lane among the sources", Query: strings.Join(l.From, ", ")})
	}
}

func (l *look) sources() {
	for i := range l.d.Instances {
		if in := &l.d.Instances[i]; in.Error != nil {
			l.Add(gate.Reason{Verdict: gate.Verdict(l.Unread), Message: "not read as a whole: " + *in.Error, Query: in.Source})
		}
	}
}

// release holds what runs against what is to be judged.
func (l *look) release() {
	id := &l.d.Identity
	if l.Release != "" {
		verdict, message := gate.Pass, "the evidence is of the release"
		if id.Release.Commit == "" || !strings.HasPrefix(id.Release.Commit, l.Release) {
			verdict, message = gate.Verdict(l.Stale), "the evidence is of another release"
		} else if id.Dirty {
			verdict, message = gate.Verdict(l.Stale), "the evidence is of the release with changes that are not committed"
		}
		l.Add(gate.Reason{Verdict: verdict, Message: message, Value: id.Release.Commit, Threshold: l.Release})
	}
	others := map[string]int{}
	var newest *report.Instance
	for i := range l.d.Instances {
		in := &l.d.Instances[i]
		if !in.Reachable {
			continue
		}
		if in.PlanHash != id.PlanHash {
			others[in.PlanHash]++
		}
		if in.Started != nil && (newest == nil || in.Started.After(*newest.Started)) {
			newest = in
		}
	}
	if newest != nil && newest.PlanHash != id.PlanHash {
		l.Add(gate.Reason{Verdict: gate.Verdict(l.Stale), Message: "the newest process runs another plan than the one judged: " + newest.Source,
			Value: newest.PlanHash, Threshold: id.PlanHash, Query: newest.Source})
	} else if len(others) > 0 {
		l.Add(gate.Reason{Verdict: gate.Verdict(l.Others), Message: fmt.Sprintf("%s built from other plans; %d of their points are not among those judged",
			count(total(others), "process was", "processes were"), l.d.Dropped), Value: total(others), Threshold: 0, Unit: "processes"})
	}
}

func total(counts map[string]int) (sum int) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// instances counts the processes of the release whose evidence can be of traffic.
func (l *look) instances() {
	seen, ready, tests := map[string]bool{}, 0, 0
	young := ""
	for i := range l.d.Instances {
		in := &l.d.Instances[i]
		name := in.Instance
		if name == "" {
			name = in.Source
		}
		if !in.Reachable || in.PlanHash != l.d.Identity.PlanHash || seen[name] {
			continue
		}
		why := l.notReady(in)
		if why == "" {
			seen[name] = true
			ready++
			if in.Tests {
				tests++
			}
		} else if young == "" {
			young = "; " + in.Source + " " + why
		}
	}
	verdict := gate.Pass
	if ready < l.Minimum {
		verdict = gate.Inconclusive
	} else {
		young = ""
	}
	kind := ""
	if tests > 0 {
		kind = fmt.Sprintf(" (tests: %d)", tests)
	}
	l.Add(gate.Reason{Verdict: verdict, Message: count(ready, "process", "processes") + " of the release looked at" + kind + young,
		Value: ready, Threshold: l.Minimum, Unit: "processes", Query: strings.Join(l.From, ", ")})
}

// notReady says why a process does not count; "" where it does.
func (l *look) notReady(in *report.Instance) string {
	phase := in.Phase
	if in.Ended != nil && in.Ended.Phase != "" {
		phase = in.Ended.Phase
	}
	if l.Phase == report.PhaseTraffic && (phase == "init" || phase == "startup") && !in.Tests {
		return "is still in its start-up"
	}
	if l.Uptime <= 0 {
		return ""
	}
	end := l.Now()
	switch {
	case in.Started == nil:
		return "does not say since when it is up"
	case in.Ended != nil && in.Ended.At != nil:
		end = *in.Ended.At
	case in.State == "ended":
		return "has ended, nobody knows when"
	}
	if up := end.Sub(*in.Started); up < l.Uptime {
		return fmt.Sprintf("is up for %s, less than %s", up.Round(time.Second), l.Uptime)
	}
	return ""
}

func (l *look) degraded() {
	for _, name := range l.d.Degraded {
		l.Add(gate.Reason{Verdict: gate.Verdict(l.Degraded), Message: "package " + name + " was built without its points: its changes cannot be judged"})
	}
}

// notLinked says how much of the change is in no program that was looked at.
func (l *look) notLinked() {
	if n := l.d.Summary.NotLinked; n > 0 {
		l.Add(gate.Reason{Verdict: gate.Pass, Message: count(n, "point", "points") + " of the release stand in no program looked at, and are not judged", Value: n, Unit: "points"})
	}
}

// beside names what changed that no point can stand for.
func (l *look) beside() {
	for i := range l.d.Other {
		o := &l.d.Other[i]
		if o.Note == "tracked" {
			continue
		}
		l.Add(gate.Reason{Verdict: gate.Verdict(l.Other), Message: fmt.Sprintf("%s changed, which goat cannot see run: %s", strings.ReplaceAll(o.Kind, "_", " "), o.Path),
			Place: &gate.Place{File: o.Path}})
	}
}
