package openapi

import (
	"strings"
	"testing"

	"github.com/oasdiff/oasdiff/checker"

	"github.com/goat-trace/goat/go/contract/internal/golden"
)

// TestCompare holds testdata/*.txtar: base, release, and what is found.
func TestCompare(t *testing.T) {
	golden.Run(t, func(_ *testing.T, files map[string]string) string {
		return golden.Told(Compare("api.yaml", files["base"], files["release"]))
	})
}

// TestEveryRuleHasAnID: a rule without a place in the taxonomy would be found as
// "openapi", which nobody can ignore by name.
func TestEveryRuleHasAnID(t *testing.T) {
	for _, rule := range checker.GetAllRules() {
		if id := ID(rule.Id); strings.Count(id, ".") == 0 {
			t.Errorf("%s is %q", rule.Id, id)
		}
	}
	if got := ID("no-such-rule"); got != "openapi.other" {
		t.Errorf("an unknown rule is %q", got)
	}
}
