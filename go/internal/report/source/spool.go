package source

import (
	"errors"
	"path/filepath"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/diag/recorded"
	"github.com/goat-trace/goat/go/internal/report"
	"github.com/goat-trace/goat/go/internal/spool"
)

func readDir(dir string) []report.Observation {
	results, err := spool.ReadDir(dir)
	if err != nil {
		return failed(dir, unreadable(dir, err))
	}
	if len(results) == 0 {
		return failed(dir, errors.New("no spool files in this directory"))
	}
	var all []report.Observation
	for _, result := range results {
		all = append(all, fromSpool(result))
	}
	return all
}

func fromSpool(result spool.Result) report.Observation {
	o := report.Observation{Source: filepath.ToSlash(result.Path), Err: spoolError(result)}
	file := result.File
	if file == nil {
		return o
	}
	id := &file.Identity
	o.Reachable = true
	o.Instance, o.Component, o.Mode, o.Host = id.Instance, id.Component, id.Mode, id.Host
	o.State, o.Started, o.Degraded = string(file.Live), file.Started, file.Degraded
	o.Lane, o.Window, o.Phase = id.Lane, file.Window, file.Phase
	if file.Live == spool.Ended {
		o.Ended = &report.Ended{Orderly: !file.Sealed.IsZero(), Phase: file.Phase}
		if o.Ended.Orderly {
			o.Ended.At = &file.Sealed
		}
	}
	o.Identity = report.Identity{
		App: id.App, Version: id.Version, Module: id.Module, PlanHash: file.Plan,
		Base: report.Ref{Ref: id.Base, Commit: id.BaseCommit}, Release: report.Ref{Ref: id.Release, Commit: id.ReleaseCommit},
		Dirty: id.Dirty, ContentHash: id.ContentHash, Granularity: id.Granularity, Precision: id.Precision,
	}
	if id.GOOS != "" {
		o.Build = &goat.BuildContext{GOOS: id.GOOS, GOARCH: id.GOARCH, Tags: id.Tags, Cgo: id.Cgo, GoVersion: id.GoVersion}
		o.Plain = id.Plain
	}
	for i := range file.Points {
		o.Points = append(o.Points, spoolPoint(&file.Points[i]))
	}
	addBeside(&o, result.Path)
	return o
}

// addBeside takes what lies beside a spool file: panics, and how the process ended.
func addBeside(o *report.Observation, path string) {
	beside, err := recorded.Read(path)
	if err != nil && o.Err == nil {
		o.Err = err
	}
	if beside.Record != nil {
		o.Panics = eventsOf(beside.Record)
	}
	o.Crash = beside.Crash
}

// eventsOf are the events of a record, not nil where there are none.
func eventsOf(r *recorded.Record) []goat.PanicEvent {
	if r.Panics == nil {
		return []goat.PanicEvent{}
	}
	return r.Panics
}

func spoolError(result spool.Result) error {
	if result.Err == nil {
		return nil
	}
	return unreadable(result.Path, result.Err)
}

func spoolPoint(p *spool.Point) report.Seen {
	return report.Seen{
		Point: &goat.Point{
			ID: p.ID, Name: p.Name, Kind: goat.Kind(p.Kind), Form: goat.Form(p.Form),
			Package: p.Package, File: p.File, Func: p.Func,
			Start: goat.Position{Line: p.Line, Column: p.Column},
			End:   goat.Position{Line: p.EndLine, Column: p.EndColumn},
		},
		Hit: p.Hit, Count: p.Count, Phase: p.Phase, First: report.MicrosOf(p.First), Last: report.MicrosOf(p.Last),
		Firsts: [...]report.Micros{report.MicrosOf(p.Firsts[0]), report.MicrosOf(p.Firsts[1]), report.MicrosOf(p.Firsts[2])},
	}
}
