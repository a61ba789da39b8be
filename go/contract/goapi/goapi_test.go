package goapi

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/goat-trace/goat/go/contract/internal/golden"
)

// TestCompare holds testdata/*.txtar: files below base/ and release/, and what is found.
func TestCompare(t *testing.T) {
	t.Setenv("GOWORK", "off")
	t.Setenv("GOFLAGS", "")
	golden.Run(t, func(t *testing.T, files map[string]string) string {
		root := t.TempDir()
		for name, text := range files {
			path := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		findings, advice, err := Compare(context.Background(), filepath.Join(root, "base"), filepath.Join(root, "release"), []string{"./..."})
		if err != nil {
			return golden.Told(findings, err)
		}
		return golden.Told(findings, nil) + "advice: " + advice + "\n"
	})
}
