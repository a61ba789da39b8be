package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go/internal/report"
)

// Coverprofile is the profile that `go tool cover` reads: one block for each run of
// tracked lines with the same points, counting its lines as statements. Only lines of
// which all points ran are covered.
func Coverprofile(d *report.Document) []byte {
	var b strings.Builder
	b.WriteString("mode: set\n")
	names := importNames(d)
	lines := Lines(d)
	for len(lines) > 0 {
		n := 1
		for n < len(lines) && follows(&lines[n-1], &lines[n]) {
			n++
		}
		first, last, covered := &lines[0], &lines[n-1], 0
		if first.Reached == "all" {
			covered = 1
		}
		// The form has no way to write a name with a line break.
		if name := names[first.File]; name != "" && !strings.ContainsAny(name, "\r\n") {
			fmt.Fprintf(&b, "%s:%d.1,%d.1 %d %d\n", name, first.Line, last.Line+1, n, covered)
		}
		lines = lines[n:]
	}
	return []byte(b.String())
}

// follows says that two lines are one run.
func follows(a, b *report.Line) bool {
	return a.File == b.File && a.Line+1 == b.Line && a.Reached == b.Reached && slices.Equal(a.Points, b.Points)
}
