// Package render turns documents into the formats that people and tools read. Its
// functions are pure: a document goes in, bytes come out. The text for a terminal stands
// in render/text; what all formats call a thing by stands here.
package render

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goat-trace/goat/go"
)

// Short is a commit as people read it.
func Short(commit string) string {
	if len(commit) > 12 {
		return commit[:12]
	}
	return commit
}

// Base names the base, its commit, and how it was found.
func Base(base *goat.Base) string {
	if base.Commit == "" {
		return base.Ref + ": everything is new"
	}
	tip := cmp.Or(base.Tip, base.Commit)
	text := named(base.Ref, tip)
	if tip != base.Commit {
		text += ", compared from " + Short(base.Commit)
	}
	switch {
	case base.Why != "":
		text += " (" + base.Why + ")"
	case base.Chosen != "":
		text += " (" + strings.ReplaceAll(base.Chosen, "_", " ") + ")"
	}
	return text
}

// named is a ref with its commit, or the commit alone where the ref says no more.
func named(ref, commit string) string {
	if ref == "" || strings.HasPrefix(commit, ref) {
		return Short(commit)
	}
	return ref + " at " + Short(commit)
}

// Release names what runs: a commit, or the working tree on one.
func Release(release *goat.Release) string {
	switch {
	case release.Commit == "":
		return "the working tree, before the first commit"
	case release.Dirty:
		return "the working tree on " + Short(release.Commit) + ", with changes that are not committed"
	case release.Ref == "" || release.Ref == "HEAD" || release.Ref == ".":
		return "the working tree at " + Short(release.Commit)
	}
	return named(release.Ref, release.Commit)
}

// Place is file:first-last, or file:line for one line.
func Place(file string, first, last int) string {
	switch {
	case first <= 0:
		return file
	case last <= first:
		return fmt.Sprintf("%s:%d", file, first)
	}
	return fmt.Sprintf("%s:%d-%d", file, first, last)
}

// Words is a snake_case word of a document as people read it.
func Words(reason string) string { return strings.ReplaceAll(reason, "_", " ") }

// Plural counts things: 1 point, 2 points, 3 processes.
func Plural(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "s"):
		noun += "e"
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// Milliseconds is a time as people read it.
func Milliseconds(ms float64) string {
	switch {
	case ms >= 100_000:
		return fmt.Sprintf("%.0fs", ms/1000)
	case ms >= 1000:
		return fmt.Sprintf("%.2fs", ms/1000)
	case ms >= 10:
		return fmt.Sprintf("%.0fms", ms)
	}
	return fmt.Sprintf("%.1fms", ms)
}

// LongSteps are the steps of a critical path that are worth a look: those of 1 % and more.
func LongSteps(path *goat.HeatPath) []goat.HeatStep {
	return slices.DeleteFunc(slices.Clone(path.Steps), func(s goat.HeatStep) bool { return s.Ms*100 < path.Ms })
}
