package report

import (
	"errors"
	"fmt"
	"time"

	"github.com/goat-trace/goat/go"
)

// Check says why a document that was read cannot be used as a report.
func (d *Document) Check() error {
	switch {
	case d.Instances == nil:
		return errors.New("not a report that `goat report --format json` wrote")
	case d.Format != Format:
		return fmt.Errorf("report format %d, this goat reads %d", d.Format, Format)
	case d.Shown.partial():
		return errors.New("saved with --not-hit or --top, so part of the points is not in it: save it without")
	}
	return nil
}

// Observations are the processes of a saved report, as a source gives them. The times of a
// point are those of its lane: which process had them is not kept.
func (d *Document) Observations(source string) []Observation {
	var all []Observation
	whole := false
	for i := range d.Instances {
		instance := &d.Instances[i]
		o := instance.observation(source, d)
		if instance.Error != nil {
			o.Err = fmt.Errorf("%s: %s", instance.Source, *instance.Error)
		}
		whole = whole || instance.Reachable && instance.Ran == "" && len(d.Points) > 0
		for j := range min(len(instance.Ran), len(d.Points)) {
			if instance.Ran[j] != notHeld {
				o.Points = append(o.Points, d.Points[j].seen(instance.Ran[j], instance.Lane))
			}
		}
		all = append(all, o)
	}
	if whole || len(all) == 0 {
		return []Observation{d.single(source)}
	}
	return all
}

func (i *Instance) observation(source string, d *Document) Observation {
	o := Observation{
		Source: source, Instance: i.Instance, Component: i.Component, Identity: d.Identity, Built: i.PlanHash,
		Mode: i.Mode, Host: i.Host, Image: i.Image, Lane: i.Lane, Phase: i.Phase, Ended: i.Ended, State: i.State,
		Degraded: d.Degraded, Build: i.Build, Plain: i.Plain, Reachable: i.Reachable,
	}
	if o.State != "ended" {
		o.State = "unknown" // what ran when the report was saved may be gone
	}
	o.Window, _ = time.ParseDuration(i.Window)
	if i.Started != nil {
		o.Started = *i.Started
	}
	return o
}

// single is a report that does not tell which process ran what.
func (d *Document) single(source string) Observation {
	o := Observation{Source: source, Identity: d.Identity, Degraded: d.Degraded, State: "unknown", Reachable: true}
	for i := range d.Points {
		p := &d.Points[i]
		s := Seen{Hit: p.Hit}
		if p.Phase != nil {
			s.Phase = *p.Phase
		}
		o.Points = append(o.Points, p.seen(s.letter(), ""))
	}
	for i := range d.Instances {
		if started := d.Instances[i].Started; started != nil && started.After(o.Started) {
			o.Started = *started
		}
	}
	return o
}

// seen is the point as a process knew it that wrote this letter.
func (p *Point) seen(letter byte, lane string) Seen {
	s := Seen{Point: &p.Point}
	if p.Count != nil {
		s.Count = *p.Count
	}
	switch letter {
	case 'i':
		s.Phase = "init"
	case 's':
		s.Phase = "startup"
	case 't':
		s.Phase = PhaseTraffic
	default:
		return s
	}
	s.Hit = true
	first, traffic, last := p.FirstHit, p.FirstTraffic, p.LastHit
	for i := range p.Lanes {
		if l := &p.Lanes[i]; l.Lane == lane {
			first, traffic, last = l.FirstHit, l.FirstTraffic, l.LastHit
		}
	}
	s.First, s.Last = microsOf(first), microsOf(last)
	if p.Phases != nil {
		s.Firsts[0], s.Firsts[1] = microsOf(p.Phases.Init), microsOf(p.Phases.Startup)
	}
	s.Firsts[2] = microsOf(traffic)
	return s
}

func microsOf(t *time.Time) Micros {
	if t == nil {
		return 0
	}
	return MicrosOf(*t)
}

// Kept is the plan that a saved report was made by, as far as the report carries it; nil
// without an account.
func (d *Document) Kept() *Account {
	if d.Account == nil {
		return nil
	}
	a := &Account{Hash: d.Identity.PlanHash, App: d.Identity.App, Version: d.Identity.Version}
	id, p := &d.Identity, &a.Plan
	p.Module, p.PlanHash = id.Module, id.PlanHash
	p.Base = goat.Base{Ref: id.Base.Ref, Commit: id.Base.Commit}
	p.Release = goat.Release{Ref: id.Release.Ref, Commit: id.Release.Commit, Dirty: id.Dirty, ContentHash: id.ContentHash}
	p.Granularity, p.Precision = goat.Granularity(id.Granularity), goat.Precision(id.Precision)
	for i := range d.Points {
		p.Points = append(p.Points, d.Points[i].Point)
	}
	p.Points = append(p.Points, d.NotLinked...)
	for i := range d.Account {
		p.Account = append(p.Account, d.Account[i].planned())
	}
	p.Files, p.Sources, p.Summary.Other = d.Files, d.Sources, d.Other
	return a
}

// planned is the line as the plan had it.
func (c *Change) planned() goat.AccountLine {
	line := goat.AccountLine{
		File: c.File, Line: c.Line, DeletedAfter: c.DeletedAfter, DeletedLines: c.DeletedLines,
		Class: goat.ClassTracked, Points: c.Points, Effects: c.Effects, Note: c.Note,
	}
	switch {
	case c.Planned != "":
		line.Class, line.Reason = goat.ClassNotExecutable, c.Planned
	case c.State == StateNotExecutable || c.State == StateUntracked && len(c.Points) == 0:
		line.Class, line.Reason = goat.Class(c.State), c.Reason
	}
	return line
}
