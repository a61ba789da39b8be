package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go"
)

// Folded is a dump as folded stacks, which flame graph tools read: creator and stack from
// the outermost function, then the cause, then how many.
func Folded(found *goat.DumpResult) []byte {
	var b strings.Builder
	for i := range found.Clusters {
		c := &found.Clusters[i]
		var parts []string
		if c.Creator != "" {
			parts = append(parts, c.Creator)
		}
		for _, f := range slices.Backward(c.Frames) {
			parts = append(parts, f.Func)
		}
		parts = append(parts, strings.TrimSpace(c.Dimension+" "+c.Primitive))
		fmt.Fprintf(&b, "%s %d\n", folded(parts), c.Count)
	}
	return []byte(b.String())
}

// FoldedProfile is a profile as folded stacks, from the outermost function.
func FoldedProfile(found *goat.ProfileResult) []byte {
	var b strings.Builder
	for i := range found.Stacks {
		s := &found.Stacks[i]
		if s.Value == 0 {
			continue
		}
		var parts []string
		for _, f := range slices.Backward(s.Frames) {
			parts = append(parts, f.Func)
		}
		fmt.Fprintf(&b, "%s %d\n", folded(parts), s.Value)
	}
	return []byte(b.String())
}

// folded joins the names of a stack.
func folded(parts []string) string {
	for i := range parts {
		parts[i] = strings.NewReplacer(";", ":", "\n", " ").Replace(parts[i])
	}
	return strings.Join(parts, ";")
}
