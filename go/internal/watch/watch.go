// Package watch shows a report that changes, in a terminal: a table that is redrawn in
// place, or, without a terminal, a line for each new hit.
package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/render"
	"github.com/goat-trace/goat/go/internal/report"
	"github.com/goat-trace/goat/go/internal/report/follow"
	"github.com/goat-trace/goat/go/internal/report/source"
)

// End is why watching ended.
type End int

const (
	// Reached means that the share of points that was asked for ran.
	Reached End = iota
	// Quit means that the user ended it.
	Quit
	// TimedOut means that it was not reached in time.
	TimedOut
)

// Options say what to watch and how.
type Options struct {
	Request source.Request
	// Until ends it once this share of the points ran; 0 does not.
	Until float64
	// Timeout ends it after this time; 0 does not.
	Timeout time.Duration
	// Every is the pause between two looks at the sources.
	Every time.Duration
	// Screen is where the table is drawn; nil writes lines to Out.
	Screen *Screen
	Out    io.Writer
	// JSON writes each hit as one object.
	JSON bool
}

// Result is the last state and why it ended.
type Result struct {
	End      End
	Document *report.Document
}

// ErrNoSource means that none of the sources could be read at the first look, and that
// nothing says how long to wait for one.
var ErrNoSource = errors.New("no source could be read")

// Run watches until the end. Result.Document is the last report, also with an error; it is
// nil when there was none.
func Run(ctx context.Context, o *Options) (Result, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	states := make(chan *follow.State)
	failed := make(chan error, 1)
	go func() {
		failed <- follow.Run(ctx, o.Request, o.Every, func(s *follow.State) error {
			select {
			case states <- s:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	w := &watcher{Options: o, began: time.Now()}
	if o.Screen != nil {
		if err := o.Screen.open(); err != nil {
			return Result{}, err
		}
		defer o.Screen.close(w.lastTable)
	}
	err := w.loop(ctx, states, failed)
	return Result{w.end, w.document}, err
}

type watcher struct {
	*Options
	began    time.Time
	document *report.Document
	end      End
	view     view
}

// loop takes in states, keys and the passing of time.
func (w *watcher) loop(ctx context.Context, states <-chan *follow.State, failed <-chan error) error {
	var timeout <-chan time.Time
	if w.Timeout > 0 {
		timer := time.NewTimer(w.Timeout)
		defer timer.Stop()
		timeout = timer.C
	}
	var keys <-chan key
	var ticks <-chan time.Time
	if w.Screen != nil {
		keys = w.Screen.keys
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		ticks = ticker.C
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-failed:
			return err
		case <-timeout:
			w.end = TimedOut
			return nil
		case s := <-states:
			if done, err := w.take(s); done || err != nil {
				return err
			}
		case k, open := <-keys:
			switch {
			case k == keyInterrupt:
				return context.Canceled
			case !open || w.view.press(k):
				w.end = Quit
				return nil
			}
			w.draw()
		case <-ticks:
			w.draw()
		}
		if w.Screen != nil && w.Screen.broken != nil {
			w.end = Quit // the terminal is closed: nobody watches
			return nil
		}
	}
}

// tick is how often the screen looks at the window's size and the clock.
const tick = 250 * time.Millisecond

// take shows a new state and reports whether enough ran.
func (w *watcher) take(s *follow.State) (done bool, err error) {
	first := w.document == nil
	w.document = s.Document
	if first && s.Document.Outcome() == report.Nothing && w.Timeout == 0 {
		return true, ErrNoSource
	}
	if w.Screen != nil {
		w.view.fresh(s.Fresh, time.Now())
		w.draw()
	} else if err := w.lines(s); err != nil {
		return true, err
	}
	ratio := s.Document.Summary.Ratio
	if w.Until > 0 && ratio != nil && *ratio >= w.Until {
		w.end = Reached
		return true, nil
	}
	return false, nil
}

// hit is a new hit as one JSON object.
type hit struct {
	*report.Point
	Summary struct {
		Points int      `json:"points"`
		Hit    int      `json:"hit"`
		Ratio  *float64 `json:"ratio"`
	} `json:"summary"`
}

// lines writes a line for each new hit.
func (w *watcher) lines(s *follow.State) error {
	sum := s.Document.Summary
	before := sum.Hit - len(s.Fresh)
	for i, p := range s.Fresh {
		if w.JSON {
			h := hit{Point: p}
			h.Summary.Points, h.Summary.Hit, h.Summary.Ratio = sum.Points, sum.Hit, sum.Ratio
			text, err := json.Marshal(h)
			if err == nil {
				_, err = fmt.Fprintf(w.Out, "%s\n", text)
			}
			if err != nil {
				return err
			}
			continue
		}
		_, err := fmt.Fprintf(w.Out, "%s  %-7s  %s  %s  (%d of %d points ran)\n", when(p), phase(p),
			printable.Text(render.Place(p.File, p.Start.Line, p.End.Line)), function(p), before+i+1, sum.Points)
		if err != nil {
			return err
		}
	}
	return nil
}

// when is the time of a point's first hit, as precise as it is known.
func when(p *report.Point) string {
	if p.FirstHit == nil {
		return "                   "
	}
	return p.FirstHit.Local().Format(time.DateTime)
}

func phase(p *report.Point) string {
	switch {
	case !p.Hit:
		return "no"
	case p.Phase == nil:
		return "yes"
	}
	return printable.Text(*p.Phase)
}

func function(p *report.Point) string {
	name := printable.Text(p.Func)
	if name == "" {
		name = "(package)"
	}
	if p.Kind != "" && p.Kind != "change" {
		name += " [" + printable.Text(string(p.Kind)) + "]"
	}
	return name
}
