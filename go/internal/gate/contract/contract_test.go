package contract

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestFrozenDocuments: goat-contract's side reads the same ones.
func TestFrozenDocuments(t *testing.T) {
	for name, into := range map[string]any{"request.json": &Request{}, "answer.json": &Answer{}} {
		text, err := os.ReadFile(filepath.Join("../../../../testdata/contract", name))
		if err != nil {
			t.Fatal(err)
		}
		strict := json.NewDecoder(bytes.NewReader(text))
		strict.DisallowUnknownFields()
		if err := strict.Decode(into); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
