package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/report"
)

const (
	// attempts is how often a request is made when the failure may pass.
	attempts = 3
	// pause is the wait before the second attempt; it doubles.
	pause = 200 * time.Millisecond
	// maxAnswer bounds what a source may make us hold.
	maxAnswer = 256 << 20
)

// version is GET /version of a live process.
type version struct {
	identityJSON
	Phase      string         `json:"phase"`
	Components []identityJSON `json:"components"`
}

type identityJSON struct {
	ID            int        `json:"id"`
	Goat          *string    `json:"goat"`
	App           string     `json:"app"`
	Version       string     `json:"version"`
	Component     string     `json:"component"`
	Module        string     `json:"module"`
	Mode          string     `json:"mode"`
	Base          string     `json:"base"`
	BaseCommit    string     `json:"baseCommit"`
	Release       string     `json:"release"`
	ReleaseCommit string     `json:"releaseCommit"`
	Dirty         bool       `json:"dirty"`
	ContentHash   string     `json:"contentHash"`
	PlanHash      string     `json:"planHash"`
	Granularity   string     `json:"granularity"`
	Precision     int        `json:"precision"`
	Instance      string     `json:"instance"`
	Started       *time.Time `json:"started"`
	Degraded      []string   `json:"degraded"`
	Lane          string     `json:"lane"`
	Window        string     `json:"window"`
}

// track is GET /track of a live process.
type track struct {
	Results []struct {
		ID      int    `json:"id"`
		Name    string `json:"name"`
		Metrics struct {
			Items []trackItem `json:"items"`
		} `json:"metrics"`
	} `json:"results"`
}

type trackItem struct {
	Name     string            `json:"name"`
	Count    uint64            `json:"count"`
	Point    string            `json:"point"`
	Package  string            `json:"package"`
	File     string            `json:"file"`
	Line     int               `json:"line"`
	EndLine  int               `json:"endLine"`
	Func     string            `json:"func"`
	Kind     string            `json:"kind"`
	Form     string            `json:"form"`
	FirstHit *time.Time        `json:"firstHit"`
	LastHit  *time.Time        `json:"lastHit"`
	Phase    *string           `json:"phase"`
	Phases   *report.FirstHits `json:"phases"`
}

// live is one process and how to ask it.
type live struct {
	client *http.Client
	base   url.URL
	token  string
	limit  time.Duration
}

func readLive(ctx context.Context, r *Request, source string, address *url.URL) []report.Observation {
	if address.Scheme == "" {
		return failed(source, errors.New("not a URL of a program: http://HOST:PORT or unix:/PATH"))
	}
	l := newLive(r, address)
	defer l.client.CloseIdleConnections()
	var v version
	if err := l.get(ctx, "version", &v); err != nil {
		return failed(source, err)
	}
	if v.Goat == nil {
		return failed(source, errors.New("something answers there, but not an instrumented program"))
	}
	var t track
	if err := l.get(ctx, "track", &t); err != nil {
		return failed(source, err)
	}
	return observe(source, &v, &t)
}

func newLive(r *Request, address *url.URL) *live {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: false}
	base := *address
	if base.Scheme == "unix" {
		path := base.Path
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}
		base = url.URL{Scheme: "http", Host: "localhost"}
	}
	base.RawQuery, base.Fragment = "", ""
	return &live{client: &http.Client{Transport: transport}, base: base, token: r.Token, limit: r.Timeout}
}

// passing marks a failure that may be gone at the next attempt.
type passing struct{ error }

func (p passing) Unwrap() error { return p.error }

// get asks for one document, again after a failure that may pass.
func (l *live) get(ctx context.Context, path string, into any) error {
	wait := pause
	for attempt := 1; ; attempt++ {
		err := l.once(ctx, path, into)
		var again passing
		if err == nil || !errors.As(err, &again) {
			return err
		}
		if attempt == attempts || ctx.Err() != nil {
			return again.error
		}
		select {
		case <-ctx.Done():
			return again.error
		case <-time.After(wait):
		}
		wait *= 2
	}
}

func (l *live) once(ctx context.Context, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, l.limit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.base.JoinPath(path).String(), nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	if l.token != "" {
		request.Header.Set("Authorization", "Bearer "+l.token)
	}
	response, err := l.client.Do(request)
	if err != nil {
		return l.explain(err)
	}
	defer response.Body.Close()
	if err := statusError(response.StatusCode); err != nil {
		return err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return l.explain(err)
	case len(body) > maxAnswer:
		return errors.New("the answer is too large")
	case json.Unmarshal(body, into) != nil:
		return errors.New("something answers there, but not an instrumented program")
	}
	return nil
}

// explain says in few words why there is no answer.
func (l *live) explain(err error) error {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, syscall.ECONNREFUSED):
		return passing{errors.New("connection refused: nothing listens there")}
	case errors.As(err, &timeout) && timeout.Timeout():
		return passing{fmt.Errorf("no answer within %s", l.limit)}
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound || errors.Is(err, syscall.ENOENT) {
		return err
	}
	return passing{err}
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func statusError(status int) error {
	switch {
	case status == http.StatusOK:
		return nil
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return errors.New("the program wants a token: --token or GOAT_TOKEN")
	case status == http.StatusNotFound:
		return errors.New("something answers there, but not an instrumented program")
	case status >= 500 || status == http.StatusTooManyRequests:
		return passing{fmt.Errorf("status %d", status)}
	}
	return fmt.Errorf("status %d", status)
}

// observe joins the two documents, component by component.
func observe(source string, v *version, t *track) []report.Observation {
	identities := map[int]*identityJSON{}
	for i := range v.Components {
		identities[v.Components[i].ID] = &v.Components[i]
	}
	var all []report.Observation
	for i := range t.Results {
		id := identities[t.Results[i].ID]
		if id == nil || id.Component != t.Results[i].Name {
			id = &v.identityJSON
		}
		o := fromIdentity(source, id)
		o.Phase = v.Phase
		for j := range t.Results[i].Metrics.Items {
			o.Points = append(o.Points, trackPoint(&t.Results[i].Metrics.Items[j]))
		}
		all = append(all, o)
	}
	if len(all) == 0 {
		o := fromIdentity(source, &v.identityJSON)
		o.Phase = v.Phase
		all = append(all, o)
	}
	return all
}

func fromIdentity(source string, id *identityJSON) report.Observation {
	o := report.Observation{
		Source: source, Instance: id.Instance, Component: id.Component, Mode: id.Mode,
		State: "live", Degraded: id.Degraded, Reachable: true, Lane: id.Lane,
		Identity: report.Identity{
			App: id.App, Version: id.Version, Module: id.Module, PlanHash: id.PlanHash,
			Base: report.Ref{Ref: id.Base, Commit: id.BaseCommit}, Release: report.Ref{Ref: id.Release, Commit: id.ReleaseCommit},
			Dirty: id.Dirty, ContentHash: id.ContentHash, Granularity: id.Granularity, Precision: id.Precision,
		},
	}
	if id.Started != nil {
		o.Started = *id.Started
	}
	o.Window, _ = time.ParseDuration(id.Window)
	return o
}

func trackPoint(item *trackItem) report.Seen {
	s := report.Seen{
		Point: goat.Point{
			ID: item.Point, Name: item.Name, Kind: goat.Kind(item.Kind), Form: goat.Form(item.Form),
			Package: item.Package, File: item.File, Func: item.Func,
			Start: goat.Position{Line: item.Line}, End: goat.Position{Line: item.EndLine},
		},
		Hit: item.Count > 0,
	}
	if s.Point.Form == goat.FormCount {
		s.Count = item.Count
	}
	if item.Phase != nil {
		s.Phase = strings.ToLower(*item.Phase)
	}
	s.First, s.Last = orZero(item.FirstHit), orZero(item.LastHit)
	if p := item.Phases; p != nil {
		s.Firsts = [...]time.Time{orZero(p.Init), orZero(p.Startup), orZero(p.Traffic)}
	} else if rank := report.Rank(s.Phase); rank > 0 {
		// A runtime that knows only the first of all.
		s.Firsts[rank-1] = s.First
	}
	return s
}
