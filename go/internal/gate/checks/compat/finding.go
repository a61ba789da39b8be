package compat

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/contract"
)

// finding is what every part of the check finds.
type finding = contract.Finding

const (
	breaking = contract.Breaking
	warning  = contract.Warning
	info     = contract.Info
)

// buf tells whether its rule has one of the names that buf promises to keep.
func buf(f *finding) bool { return strings.HasPrefix(f.ID, "protobuf.") }

// ignoring finds the entry that means a finding.
func (s *Settings) ignoring(f *finding) *Ignore {
	for i := range s.Ignore {
		entry := &s.Ignore[i]
		if (entry.ID == "" || matches(entry.ID, f.ID) || buf(f) && matches(entry.ID, f.Rule)) &&
			(entry.Place == "" || matches(entry.Place, f.Place.File) || matches(entry.Place, f.Subject)) {
			return entry
		}
	}
	return nil
}

// matches holds a name against a glob; ** at the end takes what is below.
func matches(pattern, name string) bool {
	if below, all := strings.CutSuffix(pattern, "/**"); all && strings.HasPrefix(name, below+"/") {
		return true
	}
	// Subjects hold characters that mean something in globs: (*T).M.
	ok, err := path.Match(pattern, name)
	return pattern == name || err == nil && ok
}

// most is how many findings of one kind are named.
const most = 50

// judge makes reasons of what was found in one subject of the check.
func (s *Settings) judge(f *gate.Finding, what, query string, found []finding, now time.Time) {
	slices.SortStableFunc(found, func(a, b finding) int {
		return cmp.Compare(weight(a.Severity), weight(b.Severity))
	})
	counts := map[string]int{}
	failed, meant := 0, 0
	for i := range found {
		one := &found[i]
		counts[one.Severity]++
		verdict := gate.Pass
		if one.Severity == breaking || one.Severity == warning && s.Level == warning {
			verdict = gate.Fail
		}
		message := one.String()
		if entry := s.ignoring(one); entry != nil && verdict == gate.Fail {
			switch {
			case !entry.Until.End.IsZero() && !now.Before(entry.Until.End):
				message += " (was to be ignored until " + entry.Until.End.Add(-1).UTC().Format(time.DateOnly) + ": " + entry.Why + ")"
			default:
				verdict = gate.Pass
				meant++
				message += " (ignored: " + entry.Why + ")"
			}
		}
		if verdict == gate.Fail {
			failed++
		}
		if one.Severity != info && (verdict == gate.Fail && failed <= most || verdict == gate.Pass && counts[one.Severity] <= most) {
			f.Add(gate.Reason{Verdict: verdict, Message: message, Query: query, Place: one.At()})
		}
	}
	verdict := gate.Pass
	if failed > 0 {
		verdict = gate.Fail
	}
	message := fmt.Sprintf("%s: %d breaking, %d warnings, %d that break nobody", what, counts[breaking], counts[warning], counts[info])
	if meant > 0 {
		message += fmt.Sprintf("; %d ignored with a reason", meant)
	}
	if failed > most {
		message += fmt.Sprintf("; the first %d are named", most)
	}
	f.Add(gate.Reason{Verdict: verdict, Message: message, Value: failed, Threshold: 0, Unit: "findings", Query: query})
}

func weight(severity string) int { return slices.Index([]string{breaking, warning, info}, severity) }
