package metrics

import (
	"cmp"
	"context"
	"fmt"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/contract"
)

// sources are the files that are looked at: no tests, and nobody else's code.
var sources = []string{"**/*.go", "**/go.mod", "!**/*_test.go", "!vendor/**", "!**/vendor/**", "!**/testdata/**"}

// most is how many findings are named.
const most = 50

// source judges the metrics in the Go sources. Both sides come from git.
func (l *look) source(ctx context.Context) error {
	options := l.Compare
	options.Base, options.Patterns = cmp.Or(l.Settings.Base, options.Base), sources
	files, err := goat.ReadFiles(ctx, options)
	if err != nil {
		return err
	}
	base, release := map[string]string{}, map[string]string{}
	unread := ""
	for i := range files.Files {
		pair := &files.Files[i]
		if pair.Problem != "" {
			unread = pair.Path + ": " + pair.Problem
		}
		keep(base, pair.Path, pair.Base)
		keep(release, pair.Path, pair.Release)
	}
	query := "Go sources, " + contract.Sides(files)
	answer, err := contract.Ask(ctx, l.Contract, &contract.Request{Op: "metrics", Base: contract.Side{Files: base}, Release: contract.Side{Files: release}})
	if err != nil {
		return err
	}
	if unread != "" {
		l.Add(gate.Reason{Verdict: gate.Inconclusive, Message: "part of the sources could not be read: " + unread, Query: query})
	}
	l.judgeSource(answer, query)
	return nil
}

func keep(files map[string]string, name string, text *string) {
	if text != nil {
		files[name] = *text
	}
}

func (l *look) judgeSource(answer *contract.Answer, query string) {
	failed, worst := 0, gate.Pass
	for i := range answer.Findings {
		one := &answer.Findings[i]
		if l.ignored(one.Subject) {
			continue
		}
		verdict := l.verdictOf(one)
		message := one.String()
		if one.Old {
			message += " (the base has it, too)"
		}
		if verdict != gate.Pass {
			failed++
			worst = gate.Worst(worst, verdict)
		}
		if i < most {
			l.Add(gate.Reason{Verdict: verdict, Message: message, Query: query, Place: one.At()})
		}
	}
	n := answer.Counts
	r := gate.Reason{Verdict: worst, Value: failed, Threshold: 0, Unit: "faults", Query: query}
	r.Message = fmt.Sprintf("in the sources: metrics %d, calls that give labels %d, not decided %d", n.Metrics, n.Uses, n.Open)
	switch {
	case n.Broken > 0:
		r.Verdict, r.Message = gate.Worst(worst, gate.Inconclusive), r.Message+fmt.Sprintf(", files that do not parse %d", n.Broken)
	case n.Metrics == 0:
		r.Verdict, r.Message = gate.Worst(worst, gate.Inconclusive), "in the sources: no metric of prometheus/client_golang is made in them, so that there is nothing to judge"
	}
	l.Add(r)
}

// verdictOf is what a finding of the sources comes to.
func (l *look) verdictOf(one *contract.Finding) gate.Verdict {
	switch {
	case one.Severity != contract.Breaking:
		return gate.Pass
	case one.Old:
		return gate.Verdict(l.Old)
	case one.ID == "metrics.vanished":
		return gate.Verdict(l.Vanished)
	}
	return gate.Fail
}
