// Package coverage asks whether the changed code of a release ran in its canary.
package coverage

import (
	"errors"
	"fmt"
	"time"

	"github.com/goat-trace/goat/go/internal/gate/settings"
)

// Settings are those of the check; their keys stand under check.coverage.
type Settings struct {
	Points   *settings.Share `key:"points" help:"least part of the points that must have run (0.9 where neither points, lines nor must is set)"`
	Lines    *settings.Share `key:"lines" help:"least part of the tracked lines that must have been reached"`
	Phase    string          `key:"phase" oneof:"traffic,any" help:"what counts as run: traffic (default), or any hit since the program began"`
	Must     []string        `key:"must" help:"PATTERNS; every point that matches one must have run, whatever the ratio"`
	Allow    []Allowance     `key:"allow" help:"what need not run"`
	Minimum  int             `key:"instances" min:"0" help:"fewest processes of the release, past their start-up (default 1)"`
	Uptime   time.Duration   `key:"uptime" help:"how long each of them must have been up to count"`
	Lane     *string         `key:"lane" help:"judge only the processes of this lane; stable is the one without a name"`
	Release  string          `key:"release" help:"commit that is to be judged, or its beginning: evidence of another is as stale says"`
	Sources  []string        `key:"sources" help:"where to look, as the arguments of goat report; those of the command line go first"`
	Plan     string          `key:"plan" help:"plan directory or file that holds the account, as --plan"`
	Stale    string          `key:"stale" oneof:"pass,inconclusive,fail" help:"verdict where the newest process runs another release than the one judged (inconclusive)"`
	Others   string          `key:"otherPlans" oneof:"pass,inconclusive,fail" help:"verdict where further processes were built from other plans (pass: their hits count where the code is the same)"`
	Unread   string          `key:"unread" oneof:"pass,inconclusive,fail" help:"verdict where part of the sources could not be read (inconclusive)"`
	Degraded string          `key:"degraded" oneof:"pass,inconclusive,fail" help:"verdict where packages were built without their points (inconclusive)"`
	Other    string          `key:"other" oneof:"pass,inconclusive,fail" help:"verdict where something beside Go code changed, which goat cannot see run (pass)"`
	Empty    string          `key:"empty" oneof:"pass,inconclusive,fail" help:"verdict where nothing of the change can be watched (inconclusive)"`
	Absent   string          `key:"mustAbsent" oneof:"pass,inconclusive,fail" help:"verdict where a pattern of must matches nothing of the change (inconclusive)"`
}

// Allowance is code that need not run.
type Allowance struct {
	Match string         `key:"match" help:"PATTERN of what need not run"`
	Why   string         `key:"why" help:"why not; must be said"`
	Until *settings.Date `key:"until" help:"last day, as 2026-12-31; from then on the check fails until the entry is gone or renewed"`
}

// DefaultPoints is the threshold where none is set.
const DefaultPoints settings.Share = 0.9

// SetDefaults sets what holds without a configuration.
func (s *Settings) SetDefaults() {
	s.Phase, s.Minimum = "traffic", 1
	s.Stale, s.Unread, s.Degraded, s.Empty, s.Absent = "inconclusive", "inconclusive", "inconclusive", "inconclusive", "inconclusive"
	s.Others, s.Other = "pass", "pass"
}

// Validate refuses what cannot be judged by.
func (s *Settings) Validate() error {
	for i, pattern := range s.Must {
		if err := checkPattern(pattern); err != nil {
			return fmt.Errorf("must[%d]: %w", i, err)
		}
	}
	if s.Points == nil && s.Lines == nil && len(s.Must) == 0 {
		points := DefaultPoints
		s.Points = &points
	}
	return nil
}

// Validate refuses an allowance without a reason.
func (a *Allowance) Validate() error {
	if a.Why == "" {
		return errors.New("why is missing: say why this code need not run")
	}
	return checkPattern(a.Match)
}
