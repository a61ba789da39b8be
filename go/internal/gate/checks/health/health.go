// Package health asks whether the canary says of itself that it is well: the status and
// the conditions of a health endpoint, the tag that it echoes, how fast it answers.
package health

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/ask"
)

// Settings are those of one endpoint.
type Settings struct {
	Title   string            `key:"name" help:"name of this check, where there are several"`
	URL     string            `key:"url" help:"address of the health endpoint"`
	Expect  ask.Expect        `key:"expect" help:"what the answer must be like; without a status: any below 300"`
	Headers map[string]string `key:"headers" help:"request header, as Authorization: Bearer ${TOKEN}"`
	Header  string            `key:"header" help:"request header that carries the gray tag"`
	Value   string            `key:"value" help:"the gray tag (--gray-tag)"`
	Echo    Echo              `key:"echo" help:"where the answer repeats the tag"`
	Latency time.Duration     `key:"latency" above:"0" help:"longest median time to the whole answer"`
	Probes  int               `key:"probes" min:"1" max:"1000" help:"how often it is asked (1; 5 where latency is set)"`
}

// Echo says where in the answer the tag stands.
type Echo struct {
	Header string `key:"header" help:"response header"`
	JSON   string `key:"json" help:"path in the JSON body"`
}

// Validate refuses what cannot be asked.
func (s *Settings) Validate() error {
	if s.URL == "" {
		return errors.New("url is missing: the address of the health endpoint")
	}
	if err := ask.CheckURL(s.URL); err != nil {
		return fmt.Errorf("url: %w", err)
	}
	if s.echoes() && s.Value == "" {
		return errors.New("echo is set, and no value that could be echoed: set value, or give --gray-tag")
	}
	if _, err := ask.ParsePath(s.Echo.JSON); err != nil {
		return fmt.Errorf("echo: %w", err)
	}
	if s.Probes == 0 {
		s.Probes = 1
		if s.Latency > 0 {
			s.Probes = 5
		}
	}
	return nil
}

func (s *Settings) echoes() bool { return s.Echo.Header != "" || s.Echo.JSON != "" }

// Check is the question about one endpoint.
type Check struct{ Settings }

// Name is health, with the name of the endpoint.
func (c *Check) Name() gate.Name { return gate.Name{Check: "health", Name: orElse(c.Title, "health")} }

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// Explain says what is requested and expected.
func (c *Check) Explain() []string {
	lines := []string{"GET " + ask.Shown(c.URL)}
	if c.Probes > 1 {
		lines[0] += fmt.Sprintf(", %d times", c.Probes)
	}
	if c.Header != "" {
		lines = append(lines, fmt.Sprintf("with the header %s: %s", c.Header, c.Value))
	}
	if words := c.Expect.Words(); words != "" {
		lines = append(lines, "expecting "+words)
	}
	if c.echoes() {
		lines = append(lines, fmt.Sprintf("expecting %q in %s", c.Value, c.echoPlace()))
	}
	if c.Latency > 0 {
		lines = append(lines, "expecting the median answer within "+c.Latency.String())
	}
	return lines
}

func (c *Check) echoPlace() string {
	if c.Echo.Header != "" {
		return "header " + c.Echo.Header
	}
	return c.Echo.JSON
}

// Look asks the endpoint.
func (c *Check) Look(ctx context.Context) gate.Finding {
	request := &ask.Request{URL: c.URL, Header: map[string]string{}}
	for name, value := range c.Headers {
		request.Header[name] = value
	}
	if c.Header != "" {
		request.Header[c.Header] = c.Value
	}
	query := "GET " + ask.Shown(c.URL)
	var f gate.Finding
	var took []time.Duration
	for range c.Probes {
		answer, err := ask.Do(ctx, request)
		if err != nil {
			return gate.CouldNotLook(query, err)
		}
		took = append(took, answer.Took)
		f = gate.Finding{}
		c.judge(&f, answer, query)
		if f.Verdict() != gate.Pass {
			return f // one bad answer of several is a bad answer
		}
	}
	if c.Latency > 0 {
		f.Add(c.speed(took, query))
	}
	return f
}

// judge holds one answer against all that is expected.
func (c *Check) judge(f *gate.Finding, a *ask.Answer, query string) {
	if c.Expect.Status == 0 {
		verdict := gate.Pass
		if a.Status >= 300 {
			verdict = gate.Fail
		}
		f.Add(gate.Reason{Verdict: verdict, Message: "status is " + ask.StatusText(a), Value: a.Status, Threshold: "below 300", Query: query})
	}
	for _, part := range c.Expect.Against(a) {
		verdict := gate.Pass
		if !part.OK {
			verdict = gate.Fail
		}
		f.Add(gate.Reason{Verdict: verdict, Message: part.String(), Query: query})
	}
	if c.echoes() {
		got := c.echo(a)
		verdict, message := gate.Pass, fmt.Sprintf("%s repeats the tag %q", c.echoPlace(), c.Value)
		if got != c.Value {
			verdict, message = gate.Fail, fmt.Sprintf("%s is %q, not the tag %q", c.echoPlace(), got, c.Value)
		}
		f.Add(gate.Reason{Verdict: verdict, Message: message, Query: query})
	}
}

func (c *Check) echo(a *ask.Answer) string {
	if c.Echo.Header != "" {
		return a.Header.Get(c.Echo.Header)
	}
	var document any
	path, err := ask.ParsePath(c.Echo.JSON)
	if json.Unmarshal(a.Body, &document) != nil || err != nil {
		return ""
	}
	for _, value := range path.Find(document) {
		return ask.Word(value)
	}
	return ""
}

func (c *Check) speed(took []time.Duration, query string) gate.Reason {
	slices.Sort(took)
	median := took[len(took)/2]
	verdict := gate.Pass
	if median > c.Latency {
		verdict = gate.Fail
	}
	return gate.Reason{Verdict: verdict, Message: fmt.Sprintf("median time of %d answers", len(took)),
		Value: milliseconds(median), Threshold: milliseconds(c.Latency), Unit: "ms", Query: query}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
