package main

import (
	"fmt"
	"slices"
)

// series is one figure, measured once per round.
type series []float64

// median is the middle value; of two, their mean.
func (s series) median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// ratios divides round by round.
func ratios(plain, other series) series {
	var out series
	for i := range min(len(plain), len(other)) {
		if plain[i] > 0 {
			out = append(out, other[i]/plain[i])
		}
	}
	return out
}

// slack is what a ratio may miss its bar by without failing the run: the machine has
// other work between two builds of a round.
const slack = 1.10

// steady is how many rounds a ratio must have to fail the run: one says little.
const steady = 3

// row prints both medians and the median of the ratios with their spread; bar is the
// greatest ratio that goat may have, 0 where there is none. More than slack above it is
// a miss of the whole run.
func (b *bench) row(name, unit string, plain, other series, bar float64) {
	r := ratios(plain, other)
	if len(r) == 0 {
		return
	}
	if bar > 0 && len(r) >= steady && r.median() > bar*slack {
		b.missed = append(b.missed, fmt.Sprintf("%s is %.2fx, at most %.3g", name, r.median(), bar))
	}
	fmt.Fprintf(b.out, "%-34s %9.2f %9.2f %-3s %5.2fx  (%.2f..%.2f)%s\n", name, plain.median(), other.median(), unit,
		r.median(), slices.Min(r), slices.Max(r), verdict(r.median(), bar))
}

func verdict(got, bar float64) string {
	switch {
	case bar == 0:
		return ""
	case got <= bar:
		return fmt.Sprintf("  ok, at most %.3g", bar)
	}
	return fmt.Sprintf("  MISSED, at most %.3g", bar)
}
