package route

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/ask"
)

// Hits tells when the processes of some sources were last hit, and how exactly they know.
type Hits func(ctx context.Context, sources []string) (last time.Time, window time.Duration, err error)

// Check is the question about one route.
type Check struct {
	Settings
	Hits Hits
}

// Name is route, with the name of the route.
func (c *Check) Name() gate.Name {
	if c.Title == "" {
		return gate.Name{Check: "route", Name: "route"}
	}
	return gate.Name{Check: "route", Name: c.Title}
}

// fewProbes is how many are sent where nothing says how many.
const fewProbes = 5

func (c *Check) taggedProbes() int {
	switch {
	case !c.tagged():
		return 0
	case c.Probes == 0 || c.Share != nil && c.Probes > 100:
		return fewProbes
	}
	return c.Probes
}

func (c *Check) plainProbes() int {
	switch {
	case c.Probes > 0:
		return c.Probes
	case c.Share != nil:
		return enough(float64(*c.Share), float64(c.Sure))
	}
	return fewProbes
}

// judgesPlain tells whether requests without the tag are judged at all.
func (c *Check) judgesPlain() bool { return c.Share != nil || c.Without != nil || c.Expect.Tells() }

// Explain says what is sent and expected.
func (c *Check) Explain() []string {
	var lines []string
	if n := c.taggedProbes(); n > 0 {
		name, value := c.tag()
		lines = append(lines, fmt.Sprintf("%d requests %s with %s: %s", n, c.query(), name, value))
		if words := c.expected(); words != "" {
			lines = append(lines, "expecting "+words)
		}
	}
	if c.judgesPlain() {
		lines = append(lines, fmt.Sprintf("%d requests %s without the tag", c.plainProbes(), c.query()))
		switch {
		case c.Share != nil:
			least, most := interval(c.plainProbes(), float64(*c.Share), float64(c.Sure))
			lines = append(lines, fmt.Sprintf("expecting %s in %d to %d of them", c.Expect.Words(), least, most))
		case c.Without != nil:
			lines = append(lines, "expecting "+c.Without.Words())
		default:
			lines = append(lines, "expecting none with "+c.Expect.Words())
		}
	}
	for _, side := range []struct {
		name    string
		sources []string
	}{{"canary", c.Proof.Canary}, {"stable side", c.Proof.Stable}} {
		if len(side.sources) > 0 {
			lines = append(lines, "last hit of the "+side.name+": "+strings.Join(side.sources, ", "))
		}
	}
	return lines
}

func (c *Check) expected() string {
	if c.Expect == nil {
		return ""
	}
	return c.Expect.Words()
}

func (c *Check) query() string { return c.Method + " " + ask.Shown(c.URL) }

// Look sends the probes.
func (c *Check) Look(ctx context.Context) gate.Finding {
	var f gate.Finding
	if c.taggedProbes() > 0 {
		before, err := c.lastHits(ctx)
		if err != nil {
			return gate.CouldNotLook("last hits", err)
		}
		answers, err := c.send(ctx, c.taggedProbes(), true)
		if err != nil {
			return gate.CouldNotLook(c.query(), err)
		}
		c.judgeTagged(&f, answers)
		c.judgeHits(ctx, &f, before)
	}
	if c.judgesPlain() && ctx.Err() == nil {
		answers, err := c.send(ctx, c.plainProbes(), false)
		if err != nil {
			f.Add(gate.Reason{Verdict: gate.Error, Message: err.Error(), Query: c.query()})
			return f
		}
		c.judgePlain(&f, answers)
	}
	return f
}

// atOnce is how many probes are under way at a time.
const atOnce = 8

// send sends n requests, each on a connection of its own.
func (c *Check) send(ctx context.Context, n int, tagged bool) ([]*ask.Answer, error) {
	request := &ask.Request{Method: c.Method, URL: c.URL, Body: c.Body, Header: map[string]string{}}
	for name, value := range c.Headers {
		request.Header[name] = value
	}
	if name, value := c.tag(); tagged {
		request.Header[name] = value
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	answers, slots := make([]*ask.Answer, n), make(chan struct{}, atOnce)
	var group sync.WaitGroup
	for i := range n {
		group.Add(1)
		slots <- struct{}{}
		go func() {
			defer func() { <-slots; group.Done() }()
			if ctx.Err() != nil {
				return
			}
			answer, err := ask.Do(ctx, request)
			if err != nil {
				cancel(err) // the first failure is the one that is told
				return
			}
			answers[i] = answer
		}()
	}
	group.Wait()
	return answers, context.Cause(ctx)
}

func (c *Check) judgeTagged(f *gate.Finding, answers []*ask.Answer) {
	if c.Expect.Empty() {
		return
	}
	agree, first := tally(c.Expect, answers)
	verdict, message := gate.Pass, fmt.Sprintf("%d of %d requests with the tag were answered by the canary", agree, len(answers))
	if agree < len(answers) {
		verdict = gate.Fail
		message += ": " + first
	}
	f.Add(gate.Reason{Verdict: verdict, Message: message, Value: agree, Threshold: len(answers), Unit: "answers", Query: c.asked(true)})
}

func (c *Check) asked(tagged bool) string {
	if !tagged {
		return c.query()
	}
	name, value := c.tag()
	return c.query() + " " + name + ": " + value
}

// tally counts the answers that are as expected; first is how the first other one differs.
func tally(e *ask.Expect, answers []*ask.Answer) (agree int, first string) {
	for _, a := range answers {
		ok, differs := e.Matches(a)
		switch {
		case ok:
			agree++
		case first == "":
			first = differs
		}
	}
	return agree, first
}

func (c *Check) judgePlain(f *gate.Finding, answers []*ask.Answer) {
	switch n := len(answers); {
	case c.Share != nil:
		f.Add(c.judgeShare(answers))
	case c.Without != nil:
		agree, first := tally(c.Without, answers)
		r := gate.Reason{Verdict: gate.Pass, Message: fmt.Sprintf("%d of %d requests without the tag were answered as expected", agree, n),
			Value: agree, Threshold: n, Unit: "answers", Query: c.asked(false)}
		if agree < n {
			r.Verdict, r.Message = gate.Fail, r.Message+": "+first
		}
		f.Add(r)
	default:
		agree, _ := tally(c.Expect, answers)
		r := gate.Reason{Verdict: gate.Pass, Message: fmt.Sprintf("%d of %d requests without the tag were answered by the canary", agree, n),
			Value: agree, Threshold: 0, Unit: "answers", Query: c.asked(false)}
		if agree > 0 {
			r.Verdict = gate.Fail
		}
		f.Add(r)
	}
	if c.Share != nil && c.Without != nil {
		f.Add(c.judgeRest(answers))
	}
}

// judgeRest holds what the canary did not answer against what stable answers are like.
func (c *Check) judgeRest(answers []*ask.Answer) gate.Reason {
	var rest []*ask.Answer
	for _, a := range answers {
		if ok, _ := c.Expect.Matches(a); !ok {
			rest = append(rest, a)
		}
	}
	agree, first := tally(c.Without, rest)
	r := gate.Reason{Verdict: gate.Pass, Message: fmt.Sprintf("%d of the %d other answers are as expected", agree, len(rest)),
		Value: agree, Threshold: len(rest), Unit: "answers", Query: c.asked(false)}
	if agree < len(rest) {
		r.Verdict, r.Message = gate.Fail, r.Message+": "+first
	}
	return r
}

// judgeShare holds the canary's part against the interval around its share.
func (c *Check) judgeShare(answers []*ask.Answer) gate.Reason {
	n, share, sure := len(answers), float64(*c.Share), float64(c.Sure)
	agree, _ := tally(c.Expect, answers)
	least, most := interval(n, share, sure)
	r := gate.Reason{
		Verdict: gate.Pass, Value: float64(agree) / float64(n), Threshold: share, Unit: "ratio", Query: c.asked(false),
		Message: fmt.Sprintf("the canary answered %d of %d requests; a share of %.4g%% gives %d to %d of them in %.4g%% of all cases", agree, n, 100*share, least, most, 100*sure),
	}
	switch {
	case agree == 0 && least == 0:
		r.Verdict, r.Message = gate.Inconclusive, r.Message+fmt.Sprintf("; so few requests do not tell the share from none, %d would", enough(share, sure))
	case agree < least || agree > most:
		r.Verdict = gate.Fail
	}
	return r
}
