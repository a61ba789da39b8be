package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/diag/recorded"
	"github.com/goat-trace/goat/go/internal/report"
)

// version is GET /version of a live process.
type version struct {
	identityJSON
	Phase      string             `json:"phase"`
	Components list[identityJSON] `json:"components"`
	Siblings   list[sibling]      `json:"siblings"`
}

type identityJSON struct {
	ID            int                `json:"id"`
	Goat          *string            `json:"goat"`
	App           string             `json:"app"`
	Version       string             `json:"version"`
	Component     string             `json:"component"`
	Module        string             `json:"module"`
	Mode          string             `json:"mode"`
	Base          string             `json:"base"`
	BaseCommit    string             `json:"baseCommit"`
	Release       string             `json:"release"`
	ReleaseCommit string             `json:"releaseCommit"`
	Dirty         bool               `json:"dirty"`
	ContentHash   string             `json:"contentHash"`
	PlanHash      string             `json:"planHash"`
	Granularity   string             `json:"granularity"`
	Precision     int                `json:"precision"`
	Build         *goat.BuildContext `json:"build"`
	Plain         []string           `json:"plain"`
	Instance      string             `json:"instance"`
	Started       *time.Time         `json:"started"`
	Degraded      []string           `json:"degraded"`
	Lane          string             `json:"lane"`
	Window        string             `json:"window"`
}

// track is what is taken of GET /track of a live process.
type track struct {
	results []trackResult
	pool    *pool // of the points
	points  int   // that were read
}

type trackResult struct {
	id     int
	name   string
	points []report.Seen
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

func readLive(ctx context.Context, r *Request, source string, address *url.URL) []report.Observation {
	if address.Scheme == "" {
		return failed(source, errors.New("not a URL of a program: http://HOST:PORT or unix:/PATH"))
	}
	if address.User != nil {
		source = address.Redacted() // a report is passed on
	}
	return r.Live(ctx, source, address, nil)
}

// Reach finds another port of the process that is read; it returns how the port is named
// in the report, and where it is asked.
type Reach func(ctx context.Context, port string) (name string, address *url.URL, err error)

// Live reads the process at an address, and its siblings. The report names it as is said
// here; reach finds its siblings, nil on the host of the address.
func (r *Request) Live(ctx context.Context, name string, address *url.URL, reach Reach) []report.Observation {
	l := newLive(r, address)
	l.name, l.reach = name, reach
	defer l.client.CloseIdleConnections()
	first, siblings, err := l.observe(ctx, "")
	if err != nil {
		return failed(name, err)
	}
	return append(first, l.readSiblings(ctx, r, first[0].Instance, siblings)...)
}

// observe reads one process; instance, if not empty, is the one that it must be.
func (l *live) observe(ctx context.Context, instance string) ([]report.Observation, list[sibling], error) {
	var v version
	if err := l.get(ctx, "version", maxVersion, v.decode); err != nil {
		return nil, nil, err
	}
	if v.Goat == nil {
		return nil, nil, errNotGoat
	}
	if instance != "" && v.Instance != instance {
		return nil, nil, errors.New("another process answers there")
	}
	t, err := l.track(ctx, v.Instance)
	if err != nil {
		return nil, nil, err
	}
	all := observe(l.name, &v, &t)
	// They are the process's: one of its components stands for it.
	l.diagnose(ctx, &all[0])
	return all, v.Siblings, nil
}

// diagnose asks for the panics on record and, where it may, for the goroutines.
func (l *live) diagnose(ctx context.Context, o *report.Observation) {
	var text []byte
	l.tag = ""
	switch err := l.get(ctx, "panics", recorded.Most, keepAll(&text)); {
	case errors.Is(err, errNotGoat):
		// Only programs that were built with --panics have them.
	case err != nil:
		o.Err = fmt.Errorf("its panics: %w", err)
	default:
		r, err := recorded.Decode(text, l.name)
		switch {
		case r.Format == 0: // another program's path of this name
		case err != nil:
			o.Err = fmt.Errorf("its panics: %w", err)
		default:
			o.Panics = eventsOf(r)
		}
	}
	if l.token == "" || l.memory != nil {
		return // shown to who has a token; and who looks each second does not stop the process as often
	}
	l.base.RawQuery = "debug=1"
	defer func() { l.base.RawQuery = "" }()
	// Where the process does not show them, nobody has asked it to.
	if err := l.get(ctx, "debug/pprof/goroutine", maxTrack, keepAll(&text)); err == nil && utf8.Valid(text) {
		o.Goroutines = &goat.DumpSource{Name: l.name, Text: ptr(string(text)), Instance: o.Instance}
	}
}

func ptr[T any](v T) *T { return &v }

func keepAll(into *[]byte) func(io.Reader) error {
	return func(r io.Reader) (err error) {
		*into, err = io.ReadAll(r)
		return err
	}
}

// track asks for the points of an instance, unless they are what they were.
func (l *live) track(ctx context.Context, instance string) (track, error) {
	known := l.memory.track(instance)
	l.tag = known.tag
	t := track{pool: l.pool}
	err := l.get(ctx, "track", maxTrack, t.decode)
	if errors.Is(err, errUnchanged) {
		return known.track, nil
	}
	if err == nil {
		l.memory.keep(instance, kept{l.tag, t})
	}
	return t, err
}

func micros(t *time.Time) report.Micros {
	if t == nil {
		return 0
	}
	return report.MicrosOf(*t)
}

// observe joins the two documents, component by component.
func observe(source string, v *version, t *track) []report.Observation {
	identities := map[int]*identityJSON{}
	for i := range v.Components {
		identities[v.Components[i].ID] = &v.Components[i]
	}
	var all []report.Observation
	for _, result := range t.results {
		id := identities[result.id]
		if id == nil || id.Component != result.name {
			id = &v.identityJSON
		}
		o := fromIdentity(source, id)
		o.Phase, o.Points = v.Phase, result.points
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
		State: "live", Degraded: id.Degraded, Build: id.Build, Plain: id.Plain, Reachable: true, Lane: id.Lane,
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

func trackPoint(item *trackItem, known *pool) report.Seen {
	s := report.Seen{
		Point: known.one(&goat.Point{
			ID: item.Point, Name: item.Name, Kind: goat.Kind(item.Kind), Form: goat.Form(item.Form),
			Package: item.Package, File: item.File, Func: item.Func,
			Start: goat.Position{Line: item.Line}, End: goat.Position{Line: item.EndLine},
		}),
		Hit: item.Count > 0,
	}
	if s.Point.Form == goat.FormCount {
		s.Count = item.Count
	}
	if item.Phase != nil {
		s.Phase = strings.ToLower(*item.Phase)
	}
	s.First, s.Last = micros(item.FirstHit), micros(item.LastHit)
	if p := item.Phases; p != nil {
		s.Firsts = [...]report.Micros{micros(p.Init), micros(p.Startup), micros(p.Traffic)}
	} else if rank := report.Rank(s.Phase); rank > 0 {
		// A runtime that knows only the first of all.
		s.Firsts[rank-1] = s.First
	}
	return s
}
