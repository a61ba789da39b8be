package promsource

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/goat-trace/goat/go/contract/protocol"
)

var update = flag.Bool("update", false, "write the expected findings again")

// TestCompare holds testdata/*.txtar: files below base/ and release/, and what is found.
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
			sides, want := map[string]map[string]string{"base": {}, "release": {}}, -1
			for i, f := range archive.Files {
				side, name, is := strings.Cut(f.Name, "/")
				if !is {
					want = i
					continue
				}
				sides[side][name] = string(f.Data)
			}
			if len(sides["base"]) == 0 {
				sides["base"] = sides["release"]
			}
			got := told(Compare(sides["base"], sides["release"]))
			if *update {
				archive.Files[want].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(archive.Files[want].Data) {
				t.Errorf("got:\n%s\nwant:\n%s", got, archive.Files[want].Data)
			}
		})
	}
}

func told(findings []protocol.Finding, counts protocol.Counts, err error) string {
	var b strings.Builder
	for _, f := range findings {
		side := ""
		if f.Place.Base {
			side = " of the base"
		}
		if f.Old {
			side += " (old)"
		}
		fmt.Fprintf(&b, "%s %s %s:%d%s: %s: %s\n", f.Severity, f.ID, f.Place.File, f.Place.Line, side, f.Subject, f.Message)
	}
	if err != nil {
		fmt.Fprintf(&b, "error: %v\n", err)
	}
	fmt.Fprintf(&b, "%d metrics, %d uses, %d open, %d broken\n", counts.Metrics, counts.Uses, counts.Open, counts.Broken)
	return b.String()
}
