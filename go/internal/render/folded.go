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
		for j := range parts {
			parts[j] = strings.NewReplacer(";", ":", "\n", " ").Replace(parts[j])
		}
		fmt.Fprintf(&b, "%s %d\n", strings.Join(parts, ";"), c.Count)
	}
	return []byte(b.String())
}
