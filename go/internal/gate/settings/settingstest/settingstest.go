// Package settingstest gives the tests of checks their settings out of YAML.
package settingstest

import (
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/goat-trace/goat/go/internal/gate/settings"
)

// Decode fills settings as goat.yaml would; the error is what its author reads.
func Decode[S any](t testing.TB, text string) (S, error) {
	t.Helper()
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(text), &node); err != nil {
		t.Fatal(err)
	}
	var s S
	err := settings.Decode("goat.yaml", node.Content[0], &s, &settings.Values{Named: map[string]string{}})
	return s, err
}
