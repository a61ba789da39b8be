package toolexec

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// replacements reads an overlay file: original path to the path of its contents.
func replacements(name string) map[string]string {
	var overlay struct{ Replace map[string]string }
	data, err := os.ReadFile(name)
	if err != nil || json.Unmarshal(data, &overlay) != nil {
		return nil
	}
	return overlay.Replace
}

// overlaid reports whether a file stands in for another one by the build's overlay.
func (h *helper) overlaid(file string) bool {
	if h.overlay == "" {
		return false
	}
	for _, target := range replacements(h.overlay) {
		if filepath.Clean(target) == filepath.Clean(file) {
			return true
		}
	}
	return false
}
