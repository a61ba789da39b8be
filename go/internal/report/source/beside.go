package source

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/report"
)

// beside puts what the processes left behind beside the points. Where the core is missing
// or a text of a process cannot be read, the report goes on and says so; a dump that
// somebody named must be one.
func (r *Request) beside(ctx context.Context, d *report.Document, found *found) error {
	left := leftOf(found.observations)
	changed := d.ChangedFunctions()
	var beside report.Beside
	panics, err := left.panics(ctx, d.Identity.Module, changed)
	if panics != nil {
		beside.Panics = append([]goat.Panic{}, panics.Panics...)
	}
	if err == nil {
		beside.Dump, err = r.dump(ctx, d.Identity.PlanHash, left.dumps, changed)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && len(r.Dumps) > 0:
		return err
	case err != nil:
		d.BesideMissing = reason(err)
	}
	d.Join(beside, found.saved)
	return nil
}

// panics are by root cause. A crash text that cannot be read does not hide what others
// recorded: there is an error then, and a result.
func (l *left) panics(ctx context.Context, module string, changed []goat.ChangedFunction) (*goat.PanicsResult, error) {
	if !l.records && len(l.crashes) == 0 {
		return nil, nil
	}
	options := goat.PanicsOptions{Sources: l.crashes, Events: l.events, Changed: changed}
	if module != "" {
		options.Modules = []string{module}
	}
	result, err := goat.Panics(ctx, options)
	if err == nil || len(l.crashes) == 0 || ctx.Err() != nil {
		return result, err
	}
	options.Sources = nil
	result, again := goat.Panics(ctx, options)
	return result, cmp.Or(again, err)
}

// dump reads the dumps that somebody named and those of the processes.
func (r *Request) dump(ctx context.Context, plan string, found []goat.DumpSource, changed []goat.ChangedFunction) (*goat.DumpResult, error) {
	sources := append(slices.Clone(r.Dumps), found...)
	if len(sources) == 0 {
		return nil, nil
	}
	result, err := r.Memory.dump(plan, sources, func() (*goat.DumpResult, error) {
		return goat.Dump(ctx, goat.DumpOptions{Sources: sources, Changed: changed})
	})
	var e *goat.Error
	if len(r.Dumps) == 0 && errors.As(err, &e) && e.Code == goat.CodeNoDump {
		return nil, nil // a crash text without goroutines, which GOTRACEBACK asks for
	}
	return result, err
}

// reason is an error without its hint.
func reason(err error) string {
	var e *goat.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}

// left is what the processes left behind, each process once.
type left struct {
	// records says that one of them records its panics.
	records        bool
	events         []goat.PanicEvent
	crashes, dumps []goat.DumpSource
}

// leftOf takes of a process that was read live and in its spool the record that counts
// more: counts only grow.
func leftOf(observations []report.Observation) left {
	var l left
	best, crashed := map[string]int{}, map[string]bool{}
	var records [][]goat.PanicEvent
	for i := range observations {
		o := &observations[i]
		process := o.Instance
		if process == "" {
			process = o.Source
		}
		if o.Panics != nil {
			at, known := best[process]
			switch {
			case !known:
				best[process] = len(records)
				records = append(records, o.Panics)
			case countOf(o.Panics) > countOf(records[at]):
				records[at] = o.Panics
			}
			l.records = true
		}
		if o.Crash != nil && !crashed[process] {
			crashed[process] = true
			l.crashes = append(l.crashes, *o.Crash)
			l.dumps = append(l.dumps, *o.Crash)
		}
		if o.Goroutines != nil {
			l.dumps = append(l.dumps, *o.Goroutines)
		}
	}
	l.events = slices.Concat(records...)
	return l
}

func countOf(events []goat.PanicEvent) uint64 {
	var n uint64
	for i := range events {
		n += events[i].Count
	}
	return n
}
