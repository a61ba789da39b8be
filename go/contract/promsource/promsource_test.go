package promsource

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goat-trace/goat/go/contract/internal/golden"
)

// TestCompare holds testdata/*.txtar: files below base/ and release/, and what is found.
func TestCompare(t *testing.T) {
	golden.Run(t, func(_ *testing.T, files map[string]string) string {
		sides := map[string]map[string]string{"base": {}, "release": {}}
		for path, text := range files {
			side, name, _ := strings.Cut(path, "/")
			sides[side][name] = text
		}
		if len(sides["base"]) == 0 {
			sides["base"] = sides["release"]
		}
		findings, counts, err := Compare(sides["base"], sides["release"])
		return golden.Told(findings, err) + fmt.Sprintf("%d metrics, %d uses, %d open, %d broken\n", counts.Metrics, counts.Uses, counts.Open, counts.Broken)
	})
}
