// Package follow keeps a report up to date: it asks the sources again and again and says
// what changed. The live views (ui, watch) stand on it.
package follow

import (
	"context"
	"encoding/json"
	"slices"
	"sort"
	"time"

	"github.com/goat-trace/goat/go/internal/report"
	"github.com/goat-trace/goat/go/internal/report/source"
)

// Every is the pause between two looks at the sources.
const Every = time.Second

// State is the report at one moment.
type State struct {
	Document *report.Document
	// Fresh are the points that were hit since the last state, the earliest first hit first.
	Fresh []*report.Point
}

// Run looks at the sources until the context ends or take returns an error, and hands over
// each report that differs from the one before; the first one always, even when no source
// could be read. It returns take's error, the context's, or that of a plan that cannot be read.
func Run(ctx context.Context, request source.Request, every time.Duration, take func(*State) error) error {
	request.Memory = &source.Memory{}
	var last *report.Document
	var seen []byte
	for {
		began := time.Now()
		d, err := source.Make(ctx, request)
		if last != nil && err != nil && ctx.Err() == nil {
			d, err = last, nil // what failed as a whole may come back
		}
		if err != nil {
			return err
		}
		text, err := json.Marshal(d)
		if err != nil {
			return err
		}
		if last == nil || !slices.Equal(text, seen) {
			s := compare(last, d)
			last, seen = d, text
			if err := take(s); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(max(every-time.Since(began), every/4)):
		}
	}
}

func compare(last, now *report.Document) *State {
	s := &State{Document: now}
	hit := map[string]bool{}
	if last != nil {
		for i := range last.Points {
			hit[last.Points[i].ID] = last.Points[i].Hit
		}
	}
	for i := range now.Points {
		if p := &now.Points[i]; p.Hit && !hit[p.ID] {
			s.Fresh = append(s.Fresh, p)
		}
	}
	sort.SliceStable(s.Fresh, func(i, j int) bool {
		a, b := s.Fresh[i].FirstHit, s.Fresh[j].FirstHit
		return a != nil && (b == nil || a.Before(*b))
	})
	return s
}
