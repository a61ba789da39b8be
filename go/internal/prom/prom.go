// Package prom asks a Prometheus server: instant queries of its HTTP API, and what its
// failures mean (https://prometheus.io/docs/prometheus/latest/querying/api/).
package prom

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// attempts is how often a query is sent when the failure may pass; the wait between
	// two of them begins with pause and doubles.
	attempts = 3
	pause    = 200 * time.Millisecond
	// maxAnswer bounds what a server may make us hold: 1,000,000 series take about as much.
	maxAnswer = 256 << 20
)

// Client asks one server. It may be used by several goroutines.
type Client struct {
	// URL is the server's address with the prefix of its paths, as in
	// https://user:password@prometheus.example/prefix.
	URL string
	// Token is sent as a bearer token; "" sends none.
	Token string
	// Timeout is for one request.
	Timeout time.Duration
}

// Sample is one series of an instant vector.
type Sample struct {
	Labels map[string]string
	Time   time.Time
	// Value may be NaN or infinite.
	Value float64
}

// Answer is what a query gave.
type Answer struct {
	Samples []Sample
	// Warnings say that part of the data may be missing.
	Warnings []string
}

// Kind says what a failure means for whoever asked.
type Kind int

const (
	// Unreachable means that nobody answered, or that the server was not able to.
	Unreachable Kind = iota
	// Refused means that the server wants other credentials.
	Refused
	// BadQuery means that the server understood the question and cannot answer it: the
	// selector or the expression is wrong.
	BadQuery
	// Stranger means that what answers is not a Prometheus.
	Stranger
)

// Error is a query that failed.
type Error struct {
	Kind  Kind
	Query string
	// Why is the server's own word, or the network's.
	Why string
}

func (e *Error) Error() string {
	switch e.Kind {
	case BadQuery:
		return fmt.Sprintf("the server cannot answer %s: %s", e.Query, e.Why)
	case Stranger:
		return "something answers there, but not a Prometheus: " + e.Why
	}
	return e.Why
}

// Is lets errors.Is tell a failure that may pass at the next attempt.
func (e *Error) Is(target error) bool { return target == errPassing && e.Kind == Unreachable }

var errPassing = errors.New("may pass")

// Query evaluates an expression that gives an instant vector or a scalar, at a moment; the
// zero time is the server's now. Failures that may pass are tried again.
func (c *Client) Query(ctx context.Context, query string, at time.Time) (*Answer, error) {
	wait := pause
	for attempt := 1; ; attempt++ {
		answer, err := c.once(ctx, query, at)
		if err == nil || !errors.Is(err, errPassing) || attempt == attempts {
			return answer, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(wait):
		}
		wait *= 2
	}
}

func (c *Client) once(ctx context.Context, query string, at time.Time) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	request, err := c.request(ctx, query, at)
	if err != nil {
		return nil, &Error{Stranger, query, err.Error()}
	}
	client := http.Client{
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
		// An answer from elsewhere would be another server's, and the token is for this one.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, &Error{Unreachable, query, c.explain(err)}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, &Error{Unreachable, query, c.explain(err)}
	case len(body) > maxAnswer:
		return nil, &Error{BadQuery, query, "the answer is larger than 256 MiB; ask for less"}
	}
	return decode(query, response, body)
}

func (c *Client) request(ctx context.Context, query string, at time.Time) (*http.Request, error) {
	base, err := url.Parse(c.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, errors.New("not a URL of a Prometheus: http://HOST:PORT")
	}
	form := url.Values{"query": {query}, "timeout": {strconv.FormatFloat(c.Timeout.Seconds(), 'f', 3, 64)}}
	if !at.IsZero() {
		form.Set("time", strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64))
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base.JoinPath("api/v1/query").String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	return request, nil
}

// explain says in few words, without the address, why nobody answered.
func (c *Client) explain(err error) string {
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Sprintf("no answer within %s", c.Timeout)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return err.Error()
}

// envelope is the frame of every answer of the API.
type envelope struct {
	Status    string   `json:"status"`
	ErrorType string   `json:"errorType"`
	Error     string   `json:"error"`
	Warnings  []string `json:"warnings"`
	Data      struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	} `json:"data"`
}

func decode(query string, response *http.Response, body []byte) (*Answer, error) {
	var e envelope
	if json.Unmarshal(body, &e) != nil || e.Status != "success" && e.Status != "error" {
		return nil, undecoded(query, response)
	}
	switch {
	case e.Status == "success" && response.StatusCode == http.StatusOK:
		return vector(query, &e)
	case response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusForbidden:
		return nil, &Error{Refused, query, "the server wants other credentials"}
	case e.ErrorType == "timeout" || e.ErrorType == "canceled" || e.ErrorType == "unavailable" || response.StatusCode >= 500:
		return nil, &Error{Unreachable, query, fmt.Sprintf("status %d, %s: %s", response.StatusCode, e.ErrorType, e.Error)}
	}
	return nil, &Error{BadQuery, query, e.Error}
}

// undecoded explains an answer that is not one of the API's.
func undecoded(query string, response *http.Response) error {
	switch status := response.StatusCode; {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return &Error{Refused, query, "the server wants other credentials"}
	case status >= 300 && status < 400:
		return &Error{Stranger, query, fmt.Sprintf("status %d to %q, which is not followed", status, response.Header.Get("Location"))}
	case status >= 500 || status == http.StatusTooManyRequests:
		return &Error{Unreachable, query, fmt.Sprintf("status %d", status)}
	default:
		return &Error{Stranger, query, fmt.Sprintf("status %d, %q", status, response.Header.Get("Content-Type"))}
	}
}

func vector(query string, e *envelope) (*Answer, error) {
	answer := &Answer{Warnings: e.Warnings}
	var err error
	switch e.Data.ResultType {
	case "vector":
		var rows []struct {
			Metric map[string]string `json:"metric"`
			Value  moment            `json:"value"`
		}
		err = json.Unmarshal(e.Data.Result, &rows)
		for _, row := range rows {
			answer.Samples = append(answer.Samples, Sample{row.Metric, row.Value.time, row.Value.value})
		}
	case "scalar":
		var value moment
		err = json.Unmarshal(e.Data.Result, &value)
		answer.Samples = []Sample{{nil, value.time, value.value}}
	default:
		return nil, &Error{BadQuery, query, "it gives a " + e.Data.ResultType + ", not one value per series"}
	}
	if err != nil {
		return nil, &Error{Stranger, query, "its answer is not of the form that the API documents"}
	}
	return answer, nil
}

// moment is [seconds, "value"].
type moment struct {
	time  time.Time
	value float64
}

// UnmarshalJSON reads the pair; the value is a text, since it may be NaN.
func (m *moment) UnmarshalJSON(data []byte) error {
	var pair []json.RawMessage
	var seconds float64
	var text string
	if err := json.Unmarshal(data, &pair); err != nil || len(pair) != 2 {
		return errors.New("not a pair")
	}
	if err := errors.Join(json.Unmarshal(pair[0], &seconds), json.Unmarshal(pair[1], &text)); err != nil {
		return err
	}
	value, err := strconv.ParseFloat(text, 64)
	m.time, m.value = time.UnixMicro(int64(math.Round(seconds*1e6))), value
	return err
}
