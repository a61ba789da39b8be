package goapi

import (
	"context"
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

// TestCompare holds testdata/*.txtar: files below base/ and release/, and what is found.
func TestCompare(t *testing.T) {
	t.Setenv("GOWORK", "off")
	t.Setenv("GOFLAGS", "")
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
			root := t.TempDir()
			want := -1
			for i, f := range archive.Files {
				if f.Name == "findings" {
					want = i
					continue
				}
				path := filepath.Join(root, f.Name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, f.Data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got := told(Compare(context.Background(), filepath.Join(root, "base"), filepath.Join(root, "release"), []string{"./..."}))
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

func told(findings []protocol.Finding, advice string, err error) string {
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
	} else {
		fmt.Fprintf(&b, "advice: %s\n", advice)
	}
	return b.String()
}
