package cli

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
)

// meterDelay keeps quick plans from flashing a line.
const meterDelay = 300 * time.Millisecond

// meter shows the progress of a plan on one line of a terminal and removes it again.
type meter struct {
	w       io.Writer
	started time.Time

	mu    sync.Mutex
	shown bool
}

// newMeter returns nil, which shows nothing, unless stderr is a terminal that wants it.
func (a *app) newMeter(settings *config.Settings) *meter {
	if settings.Quiet || !isTerminal(a.stderr) || a.getenv("TERM") == "dumb" {
		return nil
	}
	return &meter{w: a.stderr, started: time.Now()}
}

func (m *meter) callback() func(goat.Progress) {
	if m == nil {
		return nil
	}
	return m.show
}

func (m *meter) show(p goat.Progress) {
	if time.Since(m.started) < meterDelay {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	line := "goat: " + p.Stage
	if p.Total > 0 {
		line += fmt.Sprintf(" %d/%d", p.Done, p.Total)
	}
	m.shown = true
	// A meter that cannot be drawn is not worth an error.
	_, _ = fmt.Fprintf(m.w, "\r\x1b[K%s", line)
}

func (m *meter) clear() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shown {
		_, _ = io.WriteString(m.w, "\r\x1b[K")
	}
}

// planner is goat.Plan with the meter running.
func (m *meter) planner() func(context.Context, goat.Options) (*goat.Result, error) {
	return func(ctx context.Context, options goat.Options) (*goat.Result, error) {
		options.Progress = m.callback()
		defer m.clear()
		return goat.Plan(ctx, options)
	}
}
