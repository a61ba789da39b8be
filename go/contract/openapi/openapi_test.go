package openapi

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oasdiff/oasdiff/checker"
	"golang.org/x/tools/txtar"

	"github.com/goat-trace/goat/go/contract/protocol"
)

var update = flag.Bool("update", false, "write the expected findings again")

// TestCompare holds testdata/*.txtar: base, release, and what is found.
func TestCompare(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text := map[string]string{}
			for _, f := range archive.Files {
				text[f.Name] = string(f.Data)
			}
			got := told(Compare("api.yaml", text["base"], text["release"]))
			if *update {
				for i := range archive.Files {
					if archive.Files[i].Name == "findings" {
						archive.Files[i].Data = []byte(got)
					}
				}
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != text["findings"] {
				t.Errorf("got:\n%s\nwant:\n%s", got, text["findings"])
			}
		})
	}
}

func told(findings []protocol.Finding, err error) string {
	var b strings.Builder
	for _, f := range findings {
		side := ""
		if f.Place.Base {
			side = " of the base"
		}
		fmt.Fprintf(&b, "%s %s %s:%d%s: %s: %s\n", f.Severity, f.ID, f.Place.File, f.Place.Line, side, f.Subject, f.Message)
	}
	var problem *protocol.Error
	if errors.As(err, &problem) {
		fmt.Fprintf(&b, "error %s %s:%d: %s (%s)\n", problem.Side, problem.File, problem.Line, problem.Message, problem.Hint)
	} else if err != nil {
		fmt.Fprintf(&b, "another error: %v\n", err)
	}
	return b.String()
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
