package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// The bars of a build with --timings against one without: the ratio of a cold one, what a
// build that does nothing may take longer in seconds, and the share of the CPU time of
// go's children that the log must have.
const (
	barTimed     = 1.03
	barTimedNoop = 0.05
	barRecorded  = 0.98
)

// timings measures what recording costs, and whether the record is whole.
func (b *bench) timings(ctx context.Context, s *checkout) error {
	logs := filepath.Join(b.work, "timings")
	timed := variant{"goat --timings", func(s *checkout) []string {
		return []string{b.goat, "--base=" + s.base, "--timings=" + logs, "build"}
	}}
	cpu, recorded := map[string]series{}, series{}
	for round := range b.pairs {
		fmt.Fprintf(os.Stderr, "timings: round %d of %d\n", round+1, b.pairs)
		both := []variant{variantGoat, timed}
		for turn := range both {
			v := both[(turn+round)%len(both)]
			cache := b.cache("timings")
			for _, step := range steps[:3] {
				r, err := b.build(ctx, s, v, cache, "-o", filepath.Join(b.work, "out"), s.program)
				if err != nil {
					return err
				}
				cpu[step.name+v.name] = append(cpu[step.name+v.name], r.cpu.Seconds())
				if step.name == "cold build" && v.name == timed.name {
					share, err := b.recorded(ctx, logs)
					if err != nil {
						return err
					}
					recorded = append(recorded, share)
				}
			}
			if err := errors.Join(os.RemoveAll(cache), os.RemoveAll(cache+"-goat"), os.RemoveAll(logs)); err != nil {
				return err
			}
		}
	}
	b.row("cold build: --timings", "s", cpu["cold build"+variantGoat.name], cpu["cold build"+timed.name], barTimed)
	plain, other := cpu["no-op build"+variantGoat.name].median(), cpu["no-op build"+timed.name].median()
	fmt.Fprintf(b.out, "%-34s %9.3f %9.3f s   %+.3f s%s\n", "no-op build: --timings", plain, other, other-plain, verdict(other-plain, barTimedNoop))
	missing := 1 - recorded.median()
	fmt.Fprintf(b.out, "%-34s %.2f %% of the CPU of go's children%s\n", "recorded", recorded.median()*100, verdict(max(missing, -missing), 1-barRecorded))
	return nil
}

// recorded is the share of the CPU time of go's children that is in the newest log.
func (b *bench) recorded(ctx context.Context, logs string) (float64, error) {
	out, err := exec.CommandContext(ctx, b.goat, "heat", logs, "--format=json").Output()
	if err != nil {
		return 0, fmt.Errorf("goat heat: %w", err)
	}
	var document struct {
		Builds []struct{ Kernel struct{ Recorded float64 } }
	}
	if err := json.Unmarshal(out, &document); err != nil || len(document.Builds) != 1 {
		return 0, fmt.Errorf("goat heat has no build: %w", err)
	}
	return document.Builds[0].Kernel.Recorded, nil
}
