package toolexec

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// vet gives the vet tool real paths for files that exist under the overlay only:
// Go 1.23 names the place they stand for.
func (h *helper) vet() (int, error) {
	if h.overlay == "" || len(h.args) == 0 {
		return h.pass()
	}
	name := h.args[len(h.args)-1]
	data, err := os.ReadFile(name)
	if !strings.HasSuffix(name, "vet.cfg") || err != nil {
		return h.pass()
	}
	var cfg map[string]json.RawMessage
	if json.Unmarshal(data, &cfg) != nil {
		return h.pass()
	}
	changed := h.vetFiles(cfg)
	if !changed {
		return h.pass()
	}
	if data, err = json.MarshalIndent(cfg, "", "\t"); err != nil {
		return 0, err
	}
	copied := filepath.Join(filepath.Dir(name), "goat-vet.cfg")
	if err := writeFile(copied, data); err != nil {
		return 0, err
	}
	return h.exec(append(append([]string(nil), h.args[:len(h.args)-1]...), copied))
}

// vetFiles replaces overlaid names in the lists of Go files and reports whether
// there was one.
func (h *helper) vetFiles(cfg map[string]json.RawMessage) bool {
	overlay := replacements(h.overlay)
	changed := false
	for _, key := range []string{"GoFiles", "NonGoFiles"} {
		var files []string
		if json.Unmarshal(cfg[key], &files) != nil {
			continue
		}
		for i, file := range files {
			if target := overlay[file]; target != "" {
				files[i], changed = target, true
			}
		}
		if list, err := json.Marshal(files); err == nil {
			cfg[key] = list
		}
	}
	return changed
}
