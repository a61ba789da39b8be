package toolexec

import (
	"strings"
	"testing"
)

// What go takes, the last one, decides; a program's own argument stands behind it.
func TestBuildMode(t *testing.T) {
	for line, want := range map[string]string{
		"":                           "",
		"go build ./...":             "",
		"go build -buildmode=pie .":  "pie",
		"go build --buildmode pie .": "pie",
		"-buildmode=pie go build":    "pie",
		"-buildmode=pie go build -buildmode=plugin .": "plugin",
		"go build -buildmode":                         "",
		"go build -buildmodes=pie":                    "",
	} {
		if got := buildMode(strings.Fields(line)); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
