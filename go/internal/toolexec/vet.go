package toolexec

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/goat-trace/goat/go/internal/plan"
)

// vet shows the vet tool the user's sources: real paths for files that exist under
// the overlay only (Go 1.23 names the place they stand for), and the output of cgo
// without points.
func (h *helper) vet() (int, error) {
	if len(h.args) == 0 {
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
	changed, err := h.vetFiles(cfg, filepath.Dir(name))
	if err != nil {
		return 0, err
	}
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

// vetFiles replaces names in the lists of Go files and reports whether there was
// one to replace.
func (h *helper) vetFiles(cfg map[string]json.RawMessage, objdir string) (bool, error) {
	var overlay map[string]string
	if h.overlay != "" {
		overlay = replacements(h.overlay)
	}
	changed := false
	for _, key := range []string{"GoFiles", "NonGoFiles"} {
		var files []string
		if json.Unmarshal(cfg[key], &files) != nil {
			continue
		}
		for i, file := range files {
			target := overlay[file]
			if strings.HasSuffix(file, ".cgo1.go") {
				plain, err := h.plainCgo(file, objdir)
				if err != nil {
					return false, err
				}
				target = plain
			}
			if target != "" {
				files[i], changed = target, true
			}
		}
		if list, err := json.Marshal(files); err == nil {
			cfg[key] = list
		}
	}
	return changed, nil
}

// plainCgo writes a copy of cgo's output without points; empty if it holds none.
func (h *helper) plainCgo(name, objdir string) (string, error) {
	doc, err := plan.ReadEdits(h.plan, h.importPath(objdir))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", h.planProblem(err)
	}
	units, err := unitsOf([]string{name}, filepath.Dir(name))
	if err != nil {
		return "", err
	}
	file := doc.File(units[0].base)
	if file == nil {
		return "", nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	plain, all := withoutPoints(data, file)
	if !all {
		return "", nil
	}
	dir := filepath.Join(objdir, "goat-vet")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	copied := filepath.Join(dir, filepath.Base(name))
	return copied, writeFile(copied, plain)
}
