// Package gate answers whether a canary may be promoted: checks look, each says what it
// saw and how far that is from its threshold, and the worst of their verdicts is the
// gate's. It reads nothing itself; the checks stand in checks/NAME.
package gate

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/report"
)

// Format is the number of the verdict document.
const Format = 1

// Verdict is an answer.
type Verdict string

// The verdicts.
const (
	// Pass: what was looked at is as it should be.
	Pass Verdict = "pass"
	// Fail: the answer is no, and asking again would not change it.
	Fail Verdict = "fail"
	// Inconclusive: there is not enough to judge by.
	Inconclusive Verdict = "inconclusive"
	// Error: nobody could look.
	Error Verdict = "error"
)

// Verdicts are all, from the one that weighs least to the one that weighs most.
var Verdicts = []Verdict{Pass, Inconclusive, Fail, Error}

func (v Verdict) weight() int {
	for i, known := range Verdicts {
		if v == known {
			return i
		}
	}
	return len(Verdicts) // what is no verdict must not pass
}

// Worst is the one of the verdicts that weighs most. Without any there is nothing that
// could pass: the answer is error.
func Worst(verdicts ...Verdict) Verdict {
	if len(verdicts) == 0 {
		return Error
	}
	worst := verdicts[0]
	for _, v := range verdicts[1:] {
		if v.weight() > worst.weight() {
			worst = v
		}
	}
	if worst.weight() == len(Verdicts) {
		return Error
	}
	return worst
}

// Place is where in the sources something is.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Func string `json:"func"`
}

// Reason is one thing that was looked at.
type Reason struct {
	Verdict Verdict `json:"verdict"`
	// Message is one sentence.
	Message string `json:"message"`
	// Value is what was seen, Threshold what it is held against: numbers or texts; null
	// where there is none.
	Value     any    `json:"value"`
	Threshold any    `json:"threshold"`
	Unit      string `json:"unit"`
	// Query is what was asked: a query, a request, a source.
	Query string `json:"query"`
	// Place is where in the sources it is; null where that is no question.
	Place *Place `json:"place"`
}

// Name names a check: its kind, and its own name where there are several of the kind.
type Name struct{ Check, Name string }

// Finding is what one look gave.
type Finding struct {
	Reasons []Reason
	// Report is the evidence that the look was made on; nil where it was none of goat's.
	Report *report.Document
	// Misconfigured is set where the question is wrong, so that no repetition mends it.
	Misconfigured error
}

// Add adds a reason.
func (f *Finding) Add(r Reason) { f.Reasons = append(f.Reasons, r) }

// Verdict is the worst of the reasons.
func (f *Finding) Verdict() Verdict {
	if f.Misconfigured != nil {
		return Error
	}
	verdicts := make([]Verdict, len(f.Reasons))
	for i := range f.Reasons {
		verdicts[i] = f.Reasons[i].Verdict
	}
	return Worst(verdicts...)
}

// CouldNotLook is the finding of a check that got no answer.
func CouldNotLook(query string, err error) Finding {
	return Finding{Reasons: []Reason{{Verdict: Error, Message: err.Error(), Query: query}}}
}

// Said is an error on one line, with the path that it is about and what to do about it.
func Said(err error) string {
	var problem *goat.Error
	if !errors.As(err, &problem) {
		return err.Error()
	}
	text := err.Error()
	if problem.Path != "" && !strings.Contains(text, problem.Path) {
		text = problem.Path + ": " + text
	}
	if problem.Hint != "" {
		text += ": " + problem.Hint
	}
	return text
}

// Check is one question. Look asks once, and gives up when the context ends.
type Check interface {
	Name() Name
	// Explain says, line by line, what Look would ask.
	Explain() []string
	Look(ctx context.Context) Finding
}

// Result is what a check came to.
type Result struct {
	Check   string   `json:"check"`
	Name    string   `json:"name"`
	Verdict Verdict  `json:"verdict"`
	Reasons []Reason `json:"reasons"`
	// Tries counts the looks.
	Tries      int   `json:"tries"`
	DurationMS int64 `json:"durationMs"`

	report        *report.Document
	misconfigured error
}

// Coverage is how much of the change ran, by what counts.
type Coverage struct {
	Points int      `json:"points"`
	Hit    int      `json:"hit"`
	Ratio  *float64 `json:"ratio"`
}

// Document is the verdict (contracts: `goat check --format json`).
type Document struct {
	Format  int           `json:"format"`
	Goat    goat.Identity `json:"goat"`
	Verdict Verdict       `json:"verdict"`
	OK      bool          `json:"ok"`
	// Score is the part of the checks that pass.
	Score float64 `json:"score"`
	// Inconclusive says what an inconclusive verdict was taken for: keep, fail or pass.
	Inconclusive string   `json:"inconclusive"`
	Checks       []Result `json:"checks"`
	// Coverage and Identity are those of the evidence; null where none was looked at.
	Coverage    *Coverage        `json:"coverage"`
	Identity    *report.Identity `json:"identity"`
	GeneratedAt time.Time        `json:"generatedAt"`

	// Report is the evidence itself; nil where none was looked at.
	Report *report.Document `json:"-"`
	// Misconfigured are the questions that are wrong.
	Misconfigured []error `json:"-"`
}

// MarshalJSON writes empty lists as [].
func (r Result) MarshalJSON() ([]byte, error) {
	type result Result
	full := result(r)
	if full.Reasons == nil {
		full.Reasons = []Reason{}
	}
	return json.Marshal(full)
}

// What an inconclusive verdict may be taken for.
const (
	Keep   = "keep"
	AsFail = "fail"
	AsPass = "pass"
)

// Takes are the values of Options.Inconclusive.
var Takes = []string{Keep, AsFail, AsPass}

// take is a verdict as the caller wants it taken.
func take(v Verdict, inconclusive string) Verdict {
	switch {
	case v != Inconclusive:
	case inconclusive == AsFail:
		return Fail
	case inconclusive == AsPass:
		return Pass
	}
	return v
}

// conclude makes the document of the results.
func conclude(results []Result, inconclusive string, now time.Time) *Document {
	d := &Document{Format: Format, Inconclusive: inconclusive, Checks: results, GeneratedAt: now.UTC()}
	verdicts, passed := make([]Verdict, len(results)), 0
	for i := range results {
		r := &results[i]
		verdicts[i] = r.Verdict
		if take(r.Verdict, inconclusive) == Pass {
			passed++
		}
		if r.misconfigured != nil {
			d.Misconfigured = append(d.Misconfigured, r.misconfigured)
		}
		if r.report != nil && d.Report == nil {
			d.Report = r.report
		}
	}
	d.Verdict = take(Worst(verdicts...), inconclusive)
	d.OK = d.Verdict == Pass
	if len(results) > 0 {
		d.Score = float64(passed) / float64(len(results))
	}
	if d.Report != nil {
		s := &d.Report.Summary
		d.Coverage = &Coverage{Points: s.Points, Hit: s.Hit, Ratio: s.Ratio}
		d.Identity = &d.Report.Identity
	}
	return d
}
