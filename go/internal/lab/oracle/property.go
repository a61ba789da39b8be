package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// secondsVariable asks for random programs one after the other for so long.
const secondsVariable = "GOAT_PROPERTY_SECONDS"

// randomRounds compares random programs, from the seed of `random:SEED` on: one, or as
// many as fit into the seconds that the environment says.
func randomRounds(ctx context.Context, o options, out io.Writer, round func(options) error) error {
	seed, err := strconv.ParseUint(strings.TrimPrefix(o.repo, "random:"), 10, 64)
	if err != nil {
		return fmt.Errorf("%s: a number is wanted after the colon", o.repo)
	}
	seconds, err := strconv.Atoi(envOr(secondsVariable, "0"))
	if err != nil {
		return fmt.Errorf("%s=%s: a number is wanted", secondsVariable, os.Getenv(secondsVariable))
	}
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	for {
		o.repo = fmt.Sprintf("random:%d", seed)
		fmt.Fprintln(out, o.repo)
		if err := round(o); err != nil {
			return fmt.Errorf("%s: %w", o.repo, err)
		}
		seed++
		if !time.Now().Before(end) || ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// sameOracle plans on one thread and on several: the document is the same, no id stands
// in it twice, and the account names no point that is not there.
func (s *session) sameOracle(ctx context.Context) error {
	for _, granularity := range []string{"line", "patch", "scope", "func"} {
		var first []byte
		for _, threads := range []string{"1", "5"} {
			out, err := output(ctx, s.dir, []string{"RAYON_NUM_THREADS=" + threads}, s.options.goat, "plan",
				"--base="+s.options.base, "--release="+s.options.release, "--granularity="+granularity, "--format=json")
			if err != nil {
				return fmt.Errorf("%w\n%s", err, tail(string(out), 1000))
			}
			if first != nil && !bytes.Equal(first, out) {
				s.disagree("granularity %s: the plan is another one on %s threads", granularity, threads)
			}
			first = out
		}
		var doc document
		if err := json.Unmarshal(first, &doc); err != nil {
			return err
		}
		s.checkPoints(&doc, granularity)
		fmt.Fprintf(s.out, "same   granularity %s: %d points\n", granularity, len(doc.Points))
	}
	return nil
}

func (s *session) checkPoints(doc *document, granularity string) {
	known := map[string]bool{}
	for _, p := range doc.Points {
		if known[p.ID] {
			s.disagree("granularity %s: two points have the id %s", granularity, p.ID)
		}
		known[p.ID] = true
	}
	for _, line := range doc.Account {
		for _, id := range line.Points {
			if !known[id] {
				s.disagree("granularity %s: %s:%d names the point %s, which is not in the plan", granularity, line.File, line.Line, id)
			}
		}
		if (line.Class == "tracked") != (len(line.Points) > 0) || (line.Class == "tracked") == (line.Reason != "") {
			s.disagree("granularity %s: %s:%d is %s for %q by %d points", granularity, line.File, line.Line, line.Class, line.Reason, len(line.Points))
		}
	}
}
