package toolexec

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
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
// go tells the compiler, in a -trimpath rule, which file's name it is to print; that
// is all there is to go by in bare mode.
func (h *helper) overlaid(file string) bool {
	for _, rule := range strings.Split(get(h.args, "trimpath"), ";") {
		if from, _, ok := strings.Cut(rule, "=>"); ok && filepath.Clean(from) == filepath.Clean(file) {
			return true
		}
	}
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
