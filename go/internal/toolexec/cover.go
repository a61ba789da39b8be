package toolexec

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go/internal/hook"
)

// cover runs the cover tool on the original sources. Files of goat's own are not
// the user's code: cover gets an empty file in their place (so that the profile
// does not know them), and its output is then replaced by the file as it is.
func (h *helper) cover() (int, error) {
	list := get(h.args, "outfilelist")
	first := sources(h.args)
	if list == "" || first == len(h.args) {
		return h.pass()
	}
	ours := h.oursAmong(h.args[first:])
	if len(ours) == 0 {
		return h.pass()
	}
	outputs, err := coverOutputs(list, len(h.args)-first)
	if err != nil {
		return 0, err
	}
	args := slices.Clone(h.args)
	for i, text := range ours {
		empty := filepath.Join(filepath.Dir(list), fmt.Sprintf("goat-empty%d.go", i))
		if err := writeFile(empty, []byte("package "+packageName(text)+"\n")); err != nil {
			return 0, err
		}
		args[first+i] = empty
	}
	code, out, err := h.capture(args)
	if err != nil || code != 0 {
		os.Stderr.Write(out)
		return max(code, 1), err
	}
	for i, text := range ours {
		whole := append([]byte("//line "+h.args[first+i]+":1:1\n"), text...)
		if err := writeFile(outputs[i], whole); err != nil {
			return 0, err
		}
	}
	_, err = os.Stderr.Write(out)
	return 0, err
}

// oursAmong returns index to text of the files that goat wrote.
func (h *helper) oursAmong(files []string) map[int][]byte {
	var overlay map[string]string
	if h.overlay != "" {
		overlay = replacements(h.overlay)
	}
	ours := map[int][]byte{}
	for i, file := range files {
		if target := overlay[file]; target != "" {
			file = target
		}
		if data, err := os.ReadFile(file); err == nil && hook.IsOurs(data) {
			ours[i] = data
		}
	}
	return ours
}

// coverOutputs returns cover's output file for each input. The list begins with
// the file for cover's variables.
func coverOutputs(list string, inputs int) ([]string, error) {
	data, err := os.ReadFile(list)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if len(lines) != inputs+1 {
		return nil, fmt.Errorf("cover: %d output files for %d inputs", len(lines), inputs)
	}
	return lines[1:], nil
}

// packageName finds the package clause of a file that goat wrote, in which it
// stands alone on a line.
func packageName(text []byte) string {
	for _, line := range strings.Split(string(text), "\n") {
		if name, ok := strings.CutPrefix(line, "package "); ok {
			return strings.TrimSpace(name)
		}
	}
	return "main"
}
