package e2e

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The judges' examples are whole documents, and ask for paths that goat check serve has.
func TestGateExamples(t *testing.T) {
	root, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	gates, err := os.ReadFile(filepath.Join(root, "../docs/gates.md"))
	if err != nil {
		t.Fatal(err)
	}
	asked := regexp.MustCompile(`http://goat-gate(/[a-z0-9/]+)`)
	for _, dir := range []string{"argo", "flagger", "spinnaker", "kruise", "github-actions", "gitlab"} {
		if !strings.Contains(string(gates), "(../examples/"+dir+")") {
			t.Errorf("docs/gates.md does not name %s", dir)
		}
		documents := 0
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			documents += parse(t, path, text)
			for _, found := range asked.FindAllStringSubmatch(string(text), -1) {
				if !strings.Contains(string(gates), found[1]+"`") {
					t.Errorf("%s asks for %s", path, found[1])
				}
			}
			return nil
		})
		if err != nil || documents == 0 {
			t.Errorf("%s: %d documents, %v", dir, documents, err)
		}
	}
}

// parse reads all documents of a file, strictly as far as that goes without their schema.
func parse(t *testing.T, path string, text []byte) (documents int) {
	switch filepath.Ext(path) {
	case ".json":
		if !json.Valid(text) {
			t.Errorf("%s is not JSON", path)
		}
		return 1
	case ".yaml", ".yml":
		decoder := yaml.NewDecoder(strings.NewReader(string(text)))
		for {
			var document map[string]any
			err := decoder.Decode(&document)
			if errors.Is(err, io.EOF) {
				return documents
			}
			if err != nil || len(document) == 0 {
				t.Errorf("%s: %v", path, err)
				return documents
			}
			documents++
		}
	}
	return 0
}
