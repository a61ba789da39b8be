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

// row prints both medians and the median of the ratios with their spread; bar is the
// greatest ratio that goat may have, 0 where there is none.
func (b *bench) row(name, unit string, plain, other series, bar float64) {
	r := ratios(plain, other)
	if len(r) == 0 {
		return
	}
	fmt.Fprintf(b.out, "%-34s %9.2f %9.2f %-3s %5.2fx  (%.2f..%.2f)%s\n", name, plain.median(), other.median(), unit,
		r.median(), slices.Min(r), slices.Max(r), verdict(r.median(), bar))
}

func verdict(got, bar float64) string {
	switch {
	case bar == 0:
		return ""
	case got <= bar:
		return fmt.Sprintf("  ok, at most %g", bar)
	}
	return fmt.Sprintf("  MISSED, at most %g", bar)
}
