// Package golden runs the cases of testdata/*.txtar: files that go in, and the file
// "findings" with what is told of them.
package golden

import (
	"errors"
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

// Run compares what told says of each case's files, by name, with its findings.
func Run(t *testing.T, told func(t *testing.T, files map[string]string) string) {
	t.Helper()
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
			files, want := map[string]string{}, -1
			for i, f := range archive.Files {
				if f.Name == "findings" {
					want = i
				} else {
					files[f.Name] = string(f.Data)
				}
			}
			if want < 0 {
				t.Fatal("the case has no findings")
			}
			got := told(t, files)
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

// Told are findings, a line each, and then the error.
func Told(findings []protocol.Finding, err error) string {
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
	var problem *protocol.Error
	switch {
	case errors.As(err, &problem):
		fmt.Fprintf(&b, "error %s %s:%d: %s (%s)\n", problem.Side, problem.File, problem.Line, problem.Message, problem.Hint)
	case err != nil:
		fmt.Fprintf(&b, "another error: %v\n", err)
	}
	return b.String()
}
