package route

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/goat-trace/goat/go/internal/gate"
)

// hits are when both sides were last hit.
type hits struct{ canary, stable time.Time }

// patience is how long after the probes the canary's last hit may take to be known.
const patience = 3 * time.Second

func (c *Check) lastHits(ctx context.Context) (h hits, err error) {
	if len(c.Proof.Canary) > 0 {
		if h.canary, _, err = c.Hits(ctx, c.Proof.Canary); err != nil {
			return h, fmt.Errorf("evidence of the canary: %w", err)
		}
	}
	if len(c.Proof.Stable) > 0 {
		if h.stable, _, err = c.Hits(ctx, c.Proof.Stable); err != nil {
			return h, fmt.Errorf("evidence of the stable side: %w", err)
		}
	}
	return h, nil
}

// judgeHits holds goat's own evidence against what the probes should have done. That the
// canary's last hit did not move leaves it open whether the probe came elsewhere or ran
// none of its changed code; that the stable side's moved may be other traffic's doing.
func (c *Check) judgeHits(ctx context.Context, f *gate.Finding, before hits) {
	if len(c.Proof.Canary) > 0 {
		f.Add(c.canaryMoved(ctx, before.canary))
	}
	if len(c.Proof.Stable) > 0 {
		f.Add(c.stableMoved(ctx, before.stable))
	}
}

func (c *Check) canaryMoved(ctx context.Context, before time.Time) gate.Reason {
	query := strings.Join(c.Proof.Canary, ", ")
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	limit := time.Now().Add(patience)
	for {
		last, window, err := c.Hits(ctx, c.Proof.Canary)
		switch {
		case err != nil:
			return gate.Reason{Verdict: gate.Error, Message: "evidence of the canary: " + err.Error(), Query: query}
		case last.After(before):
			return gate.Reason{Verdict: gate.Pass, Message: "the canary's last hit moved with the probes", Value: clock(last), Threshold: clock(before), Query: query}
		case time.Now().After(limit.Add(2*window)) || ctx.Err() != nil:
			return gate.Reason{Verdict: gate.Inconclusive, Message: "the canary's last hit did not move: either the probes went elsewhere, or they run none of its changed code",
				Value: clock(last), Threshold: clock(before), Query: query}
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

func (c *Check) stableMoved(ctx context.Context, before time.Time) gate.Reason {
	query := strings.Join(c.Proof.Stable, ", ")
	last, _, err := c.Hits(ctx, c.Proof.Stable)
	r := gate.Reason{Verdict: gate.Pass, Message: "the stable side's last hit did not move", Value: clock(last), Threshold: clock(before), Query: query}
	switch {
	case err != nil:
		r.Verdict, r.Message = gate.Error, "evidence of the stable side: "+err.Error()
	case last.After(before):
		r.Verdict, r.Message = gate.Inconclusive, "the stable side's last hit moved, too: by the probes, or by other traffic"
	}
	return r
}

func clock(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339Nano)
}
