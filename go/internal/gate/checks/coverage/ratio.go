package coverage

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/settings"
	"github.com/goat-trace/goat/go/internal/report"
)

// ran tells whether a point ran. What initialises package variables runs at every start
// and never by traffic: that it ran is all that can be asked of it.
func ran(p *report.Point) bool {
	return p.Hit || p.Func == "" && p.Phase != nil
}

// over tells whether an allowance has ended.
func (l *look) over(a *Allowance) bool { return a.Until != nil && !l.Now().Before(a.Until.End) }

// findAllowed takes out what did not run and need not.
func (l *look) findAllowed() {
	for i := range l.Allow {
		a := &l.Allow[i]
		for j := range l.d.Points {
			if p := &l.d.Points[j]; !l.over(a) && !ran(p) && matches(a.Match, &p.Point) {
				l.allowed[p.ID] = true
			}
		}
	}
}

// allowances says what was taken out, and which entries are over.
func (l *look) allowances() {
	for i := range l.Allow {
		a := &l.Allow[i]
		if l.over(a) {
			l.Add(gate.Reason{Verdict: gate.Fail, Message: fmt.Sprintf("the allowance for %s is over%s: remove or renew it (%s)", a.Match, until(a.Until), a.Why),
				Value: l.Now().UTC().Format("2006-01-02"), Threshold: a.Until.End.Add(-1).UTC().Format("2006-01-02")})
			continue
		}
		unhit := 0
		for j := range l.d.Points {
			if p := &l.d.Points[j]; l.allowed[p.ID] && matches(a.Match, &p.Point) {
				unhit++
			}
		}
		l.Add(gate.Reason{Verdict: gate.Pass, Message: fmt.Sprintf("%s of %s did not run and need not%s: %s",
			count(unhit, "point", "points"), a.Match, until(a.Until), a.Why), Value: unhit, Unit: "points"})
	}
}

// ratios judges how much of the change ran.
func (l *look) ratios() {
	all, hit := 0, 0
	var missing []*report.Point
	for i := range l.d.Points {
		p := &l.d.Points[i]
		switch {
		case ran(p):
			all, hit = all+1, hit+1
		case !l.allowed[p.ID]:
			all++
			missing = append(missing, p)
		}
	}
	if len(l.d.Points) == 0 {
		l.Add(gate.Reason{Verdict: gate.Verdict(l.Empty), Message: "the programs hold no points: nothing of the change can be watched", Value: 0, Unit: "points"})
		return
	}
	if l.Points != nil {
		verdict := l.ratio("points ran", hit, all, *l.Points)
		l.name(missing, verdict)
	}
	if l.Lines != nil {
		l.lines()
	}
}

// ratio adds the reason for a part of a whole. Where everything that did not run need not,
// nothing is missing.
func (l *look) ratio(what string, part, whole int, least settings.Share) gate.Verdict {
	value, verdict := 1.0, gate.Pass
	if whole > 0 {
		value = float64(part) / float64(whole)
	}
	if value < float64(least) {
		verdict = gate.Fail
	}
	message := fmt.Sprintf("%d of %d %s", part, whole, what)
	if l.Phase == report.PhaseTraffic {
		message += " in traffic"
	}
	if n := len(l.allowed); n > 0 {
		message += fmt.Sprintf(", without %s that need not", count(n, "point", "points"))
	}
	l.Add(gate.Reason{Verdict: verdict, Message: message, Value: value, Threshold: float64(least), Unit: "ratio", Query: l.query()})
	return verdict
}

func (l *look) query() string { return "goat report --phase " + l.Phase }

// named is how many points that did not run stand in the reasons.
const named = 20

// name names what did not run, as part of what fails.
func (l *look) name(missing []*report.Point, verdict gate.Verdict) {
	if verdict == gate.Pass {
		return
	}
	slices.SortStableFunc(missing, func(a, b *report.Point) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Start.Line, b.Start.Line))
	})
	for i, p := range missing {
		if i == named {
			l.Add(gate.Reason{Verdict: gate.Fail, Message: fmt.Sprintf("and %d more points did not run; goat report --phase %s --not-hit lists them", len(missing)-i, l.Phase)})
			return
		}
		l.Add(notRun(&p.Point, p.Phase))
	}
}

// notRun is the reason that names a point.
func notRun(p *goat.Point, phase *string) gate.Reason {
	message := "did not run: "
	if phase != nil {
		message = "ran in " + *phase + " only: "
	}
	where := p.File
	if p.Start.Line > 0 {
		where += fmt.Sprintf(":%d", p.Start.Line)
	}
	message += where
	if p.Func != "" {
		message += " in " + p.Func
	}
	if p.Kind != "" && p.Kind != goat.KindChange {
		message += " (" + string(p.Kind) + ")"
	}
	return gate.Reason{Verdict: gate.Fail, Message: message, Place: &gate.Place{File: p.File, Line: p.Start.Line, Func: p.Func}}
}

// lines judges by lines; a line counts as reached when all of its points ran or need not.
func (l *look) lines() {
	if l.d.Lines == nil {
		l.Add(gate.Reason{Verdict: gate.Inconclusive, Message: "no account of lines: " + l.d.LinesMissing, Threshold: float64(*l.Lines), Unit: "ratio"})
		return
	}
	done := map[string]bool{}
	for i := range l.d.Points {
		done[l.d.Points[i].ID] = ran(&l.d.Points[i])
	}
	reached, all := 0, 0
	for i := range l.d.Lines {
		unreached, excused := false, false
		for _, id := range l.d.Lines[i].Points {
			unreached = unreached || !done[id] && !l.allowed[id]
			excused = excused || l.allowed[id]
		}
		switch {
		case unreached:
			all++
		case !excused:
			all, reached = all+1, reached+1
		}
	}
	l.ratio("tracked lines were reached", reached, all, *l.Lines)
}

// must judges each pattern of what must have run, by the points of the plan: what no
// program holds did not run. What need not run is not asked for here either.
func (l *look) must() {
	for _, pattern := range l.Must {
		found, missing := 0, []gate.Reason{}
		for i := range l.d.Points {
			if p := &l.d.Points[i]; !l.allowed[p.ID] && matches(pattern, &p.Point) {
				found++
				if !ran(p) {
					missing = append(missing, notRun(&p.Point, p.Phase))
				}
			}
		}
		for i := range l.d.NotLinked {
			if p := &l.d.NotLinked[i]; matches(pattern, p) {
				found++
				missing = append(missing, notRun(p, nil))
			}
		}
		l.judgeMust(pattern, found, missing)
	}
}

func (l *look) judgeMust(pattern string, found int, missing []gate.Reason) {
	r := gate.Reason{Verdict: gate.Pass, Message: fmt.Sprintf("%d of %d points of %s, which must run, ran", found-len(missing), found, pattern),
		Value: found - len(missing), Threshold: found, Unit: "points", Query: l.query()}
	switch {
	case found == 0:
		r.Verdict, r.Message = gate.Verdict(l.Absent), pattern+" must run, and matches nothing of the change"
	case len(missing) > 0:
		r.Verdict = gate.Fail
	}
	l.Add(r)
	for i := range missing {
		if i == named {
			return
		}
		already := slices.ContainsFunc(l.Reasons, func(r gate.Reason) bool { return r.Message == missing[i].Message })
		if !already {
			l.Add(missing[i])
		}
	}
}
