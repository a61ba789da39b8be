package metrics

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// units are abbreviations and the base units that names should have instead.
var units = map[string]string{
	"ms": "seconds", "milliseconds": "seconds", "us": "seconds", "microseconds": "seconds", "ns": "seconds", "nanoseconds": "seconds",
	"minutes": "seconds", "hours": "seconds", "days": "seconds", "sec": "seconds", "secs": "seconds",
	"kb": "bytes", "kilobytes": "bytes", "mb": "bytes", "megabytes": "bytes", "gb": "bytes", "gigabytes": "bytes", "bits": "bytes",
	"percent": "ratio", "percentage": "ratio",
}

// lint names what of a family goes against the conventions for metrics, as promlint does.
func (f *family) lint() []string {
	var found []string
	say := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	if f.help == "" {
		say("no help text")
	}
	counter := strings.HasSuffix(f.name, "_total")
	switch {
	case f.kind == "" || f.kind == "untyped" || f.kind == "unknown":
		say("no type")
	case f.kind == "counter" && !counter:
		say("a counter should end in _total")
	case f.kind != "counter" && counter:
		say("only a counter should end in _total")
	}
	if f.kind != "histogram" && f.kind != "summary" {
		for _, suffix := range []string{"_count", "_sum", "_bucket"} {
			if strings.HasSuffix(f.name, suffix) {
				say("only histograms and summaries should end in %s", suffix)
			}
		}
		if f.labels["le"] || f.labels["quantile"] {
			say("le and quantile are labels of histograms and summaries")
		}
	}
	for _, part := range strings.Split(f.name, "_") {
		if base := units[part]; base != "" {
			say("%s is no base unit: use %s", part, base)
		}
	}
	if strings.Contains(f.name, ":") {
		say("colons are for recording rules")
	}
	for _, name := range append([]string{f.name}, sortedKeys(f.labels)...) {
		if strings.ContainsFunc(name, unicode.IsUpper) {
			say("%s is not in snake_case", name)
		}
	}
	for _, kind := range []string{"counter", "gauge", "histogram", "summary"} {
		if slices.Contains(strings.Split(f.name, "_"), kind) {
			say("the name repeats the type %s", kind)
		}
	}
	return found
}

func sortedKeys(m map[string]bool) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
