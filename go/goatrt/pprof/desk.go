//go:build go1.21

package pprof

import (
	"context"
	"strconv"
	"sync"
	"time"
)

const (
	// patience is how long a request waits for the one that is being answered.
	patience = 30 * time.Second
	// mostWaiting is how many wait.
	mostWaiting = 4
)

// desk lets one profile be made at a time, and none while it is shut.
type desk struct {
	mu      sync.Mutex
	shut    bool
	closing chan struct{} // closed when the desk is shut
	place   chan struct{}
	waiting int
	now     running
}

// running is what is being made, kind is empty when nothing is.
type running struct {
	kind, who string
	since     time.Time
	until     time.Time
}

func newDesk() *desk { return &desk{closing: make(chan struct{}), place: make(chan struct{}, 1)} }

func (d *desk) isShut() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.shut
}

// set opens or shuts the desk; shutting it ends what is being made.
func (d *desk) set(shut bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut == shut {
		return
	}
	d.shut = shut
	if shut {
		close(d.closing)
	} else {
		d.closing = make(chan struct{})
	}
}

// state is what goes on.
func (d *desk) state() (now running, waiting int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now, d.waiting
}

// serve has work make an answer, when its turn comes. nil: nobody wants it any more.
func (d *desk) serve(ctx context.Context, q *request, who string, work func(context.Context, *request) *answer) *answer {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d.mu.Lock()
	closing := d.closing
	d.mu.Unlock()
	go func() {
		select {
		case <-closing:
			cancel()
		case <-ctx.Done():
		}
	}()
	if a, mine := d.enter(ctx); !mine {
		return d.orShut(a)
	}
	defer d.leave()
	d.mu.Lock()
	begun := time.Now()
	d.now = running{q.kind, who, begun, begun.Add(time.Duration(q.seconds) * time.Second)}
	d.mu.Unlock()
	return d.orShut(work(ctx, q))
}

// orShut is the answer for what was interrupted because the desk was shut.
func (d *desk) orShut(a *answer) *answer {
	if a == nil && d.isShut() {
		return wrong(503, "switched_off", "profiles have been switched off", "POST /debug/pprof/on switches them on again")
	}
	return a
}

// enter takes the place, or waits for it a while.
func (d *desk) enter(ctx context.Context) (a *answer, mine bool) {
	select {
	case d.place <- struct{}{}:
		return nil, true
	default:
	}
	d.mu.Lock()
	left := time.Until(d.now.until)
	if d.waiting >= mostWaiting || left > patience {
		a = busy(d.now, left)
		d.mu.Unlock()
		return a, false
	}
	d.waiting++
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		d.waiting--
		d.mu.Unlock()
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case d.place <- struct{}{}:
		return nil, true
	case <-ctx.Done():
		return nil, false
	case <-timer.C:
		now, _ := d.state()
		return busy(now, time.Until(now.until)), false
	}
}

func (d *desk) leave() {
	d.mu.Lock()
	d.now = running{}
	d.mu.Unlock()
	<-d.place
}

func busy(now running, left time.Duration) *answer {
	seconds := int(left/time.Second) + 1
	if seconds < 1 {
		seconds = 1
	}
	what := "another profile"
	if now.kind != "" {
		what = "a profile (" + now.kind + ", for " + now.who + ")"
	}
	a := wrong(503, "busy", what+" is being made, and one is made at a time", "ask again in "+strconv.Itoa(seconds)+" s")
	a.retry = seconds
	return a
}
