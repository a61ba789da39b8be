package main

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// decision matches what the compiler's -m says about inlining.
var decision = regexp.MustCompile(`^(\S+:\d+:\d+): (can inline \S+|inlining call to \S+)`)

// barInlining is how many decisions may change per 1,000 points.
const barInlining = 1.0

// ours matches the names of goat's own functions and files.
var ours = regexp.MustCompile(`\bgoat_[a-z]+_[0-9a-z]+|goat_main\.go|goat_[0-9a-z]+\.go`)

// inlining compares what the compiler inlines in the subject's packages with points
// and without, and prints every decision that differs.
func (b *bench) inlining(ctx context.Context, s *checkout) error {
	plain, err := b.decisions(ctx, s, variantPlain)
	if err != nil {
		return err
	}
	goat, err := b.decisions(ctx, s, variantGoat)
	if err != nil {
		return err
	}
	changed := differences(plain, goat)
	b.changed += len(changed)
	b.points += s.points
	fmt.Fprintf(b.out, "%-34s %9d %9d   %d points, %.2f per 1,000\n", "inlining decisions: all, changed",
		len(plain), len(changed), s.points, perThousand(len(changed), s.points))
	for _, line := range changed {
		fmt.Fprintf(b.out, "    %s\n", line)
	}
	return nil
}

func perThousand(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) * 1000 / float64(of)
}

// decisions builds all packages of the subject and returns what -m said.
func (b *bench) decisions(ctx context.Context, s *checkout, v variant) ([]string, error) {
	args := []string{"-gcflags=" + s.path + "/...=-m", "./..."}
	run, err := b.build(ctx, s, v, b.cache("shared"), args...)
	if err != nil {
		return nil, err
	}
	return parseDecisions(run.stderr), nil
}

func parseDecisions(output []byte) []string {
	var found []string
	for _, line := range bytes.Split(output, []byte("\n")) {
		if m := decision.FindSubmatch(line); m != nil && !ours.Match(m[0]) {
			found = append(found, strings.TrimPrefix(string(m[1]), "./")+": "+string(m[2]))
		}
	}
	slices.Sort(found)
	return found
}

// differences lists what stands in one sorted list only.
func differences(plain, goat []string) []string {
	var out []string
	for len(plain) > 0 || len(goat) > 0 {
		switch {
		case len(goat) == 0 || len(plain) > 0 && plain[0] < goat[0]:
			out, plain = append(out, "- "+plain[0]), plain[1:]
		case len(plain) == 0 || goat[0] < plain[0]:
			out, goat = append(out, "+ "+goat[0]), goat[1:]
		default:
			plain, goat = plain[1:], goat[1:]
		}
	}
	return out
}

// inliningSum prints the figure over all subjects.
func (b *bench) inliningSum() {
	rate := perThousand(b.changed, b.points)
	if rate > barInlining {
		b.missed = append(b.missed, fmt.Sprintf("%d inlining decisions changed", b.changed))
	}
	fmt.Fprintf(b.out, "\n%-34s %9d %9d     %.2f per 1,000 points%s\n", "inlining, all: points, changed", b.points, b.changed, rate, verdict(rate, barInlining))
}
