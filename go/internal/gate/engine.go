package gate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Options say how the checks are run.
type Options struct {
	// Timeout is for all checks together, Try for one look; 0 leaves Try to Timeout.
	Timeout, Try time.Duration
	// Retry is how often a check looks again that is inconclusive or could not look.
	Retry int
	// Pause is the wait before the second look; it doubles. 0 is [DefaultPause].
	Pause time.Duration
	// Inconclusive is keep, fail or pass.
	Inconclusive string
}

const (
	// DefaultPause is the wait before a check looks again.
	DefaultPause = 500 * time.Millisecond
	longestPause = 10 * time.Second
	// grace is how long a check may take to give up when its time is over.
	grace = 500 * time.Millisecond
)

// Run has all checks look, side by side, and ends by the deadline whatever they do. The
// error is the context's: whoever asked went away.
func Run(ctx context.Context, checks []Check, o Options) (*Document, error) {
	limited, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	answers := make([]chan Result, len(checks))
	for i, c := range checks {
		answers[i] = make(chan Result, 1)
		go func() { answers[i] <- runOne(limited, c, &o) }()
	}
	results := make([]Result, len(checks))
	for i := range checks {
		results[i] = <-answers[i]
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return conclude(results, o.Inconclusive, time.Now()), nil
}

// runOne looks until the answer is definite, the tries are used up, or time is.
func runOne(ctx context.Context, c Check, o *Options) Result {
	begin := time.Now()
	name := c.Name()
	r := Result{Check: name.Check, Name: name.Name}
	pause := o.Pause
	if pause <= 0 {
		pause = DefaultPause
	}
	for try := 0; ; try++ {
		finding, whole := look(ctx, c, o)
		// A look that was cut off says less than one before it that was not.
		if whole || r.Tries == 0 {
			r.take(&finding)
		}
		r.Tries++
		if r.definite() || try >= o.Retry || !wait(ctx, pause) {
			break
		}
		pause = min(2*pause, longestPause)
	}
	r.DurationMS = time.Since(begin).Milliseconds()
	return r
}

func (r *Result) take(f *Finding) {
	r.Verdict, r.Reasons, r.report, r.misconfigured = f.Verdict(), f.Reasons, f.Report, f.Misconfigured
	if f.Misconfigured != nil {
		r.Reasons = append(r.Reasons, Reason{Verdict: Error, Message: f.Misconfigured.Error()})
	}
	if len(r.Reasons) == 0 {
		r.Reasons = []Reason{{Verdict: Error, Message: "the check looked at nothing"}}
	}
}

func (r *Result) definite() bool {
	return r.Verdict == Pass || r.Verdict == Fail || r.misconfigured != nil
}

// wait sleeps for about the pause, so that not all who wait come back at once; false
// where the context ends before.
func wait(ctx context.Context, pause time.Duration) bool {
	spread := pause/2 + rand.N(pause)
	if end, limited := ctx.Deadline(); limited && time.Until(end) <= spread {
		return false // there would be no time left to look
	}
	timer := time.NewTimer(spread)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// look has a check look once. A check that neither answers nor heeds its context is left
// behind, so that it delays nobody.
func look(ctx context.Context, c Check, o *Options) (f Finding, whole bool) {
	limit := o.Timeout
	if o.Try > 0 && o.Try < limit {
		limit = o.Try
	}
	once, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	answer := make(chan Finding, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				answer <- CouldNotLook("", fmt.Errorf("the check panicked, which is a fault of goat: %v", p))
			}
		}()
		answer <- c.Look(once)
	}()
	select {
	case f = <-answer:
		// What a check says after its time is the consequence of that.
		if once.Err() == nil || f.Verdict() != Error {
			return f, true
		}
	case <-once.Done():
		// A moment to clean up: a check may have started a program.
		select {
		case <-answer:
		case <-time.After(grace):
		}
	}
	return lateFinding(ctx, once, c, o, limit), false
}

func lateFinding(ctx, once context.Context, c Check, o *Options, limit time.Duration) Finding {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return CouldNotLook("", context.Canceled)
	case ctx.Err() != nil:
		limit = o.Timeout
	}
	query := ""
	if lines := c.Explain(); len(lines) > 0 {
		query = lines[0]
	}
	return CouldNotLook(query, fmt.Errorf("no answer within %s", limit))
}
