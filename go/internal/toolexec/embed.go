package toolexec

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"

	"github.com/goat-trace/goat/go/internal/hook"
)

// hideFromEmbed keeps goat's files out of what a pattern such as `//go:embed *`
// takes in: the go command resolves patterns on the tree with goat's overlay.
func (c *compilation) hideFromEmbed() (bool, error) {
	name := get(c.args[:c.first], "embedcfg")
	if name == "" {
		return false, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return false, err
	}
	var cfg struct {
		Patterns map[string][]string
		Files    map[string]string
	}
	if err := json.Unmarshal(data, &cfg); err != nil {
		return false, err
	}
	ours := map[string]bool{}
	for key, file := range cfg.Files {
		if isOurs(key, file) {
			ours[key] = true
			delete(cfg.Files, key)
		}
	}
	if len(ours) == 0 {
		return false, nil
	}
	for pattern, keys := range cfg.Patterns {
		kept := []string{}
		for _, key := range keys {
			if !ours[key] {
				kept = append(kept, key)
			}
		}
		cfg.Patterns[pattern] = kept
	}
	if data, err = json.MarshalIndent(cfg, "", "\t"); err != nil {
		return false, err
	}
	if err := os.MkdirAll(c.work, 0o777); err != nil {
		return false, err
	}
	copied := filepath.Join(c.work, "embedcfg")
	set(c.args[:c.first], "embedcfg", copied)
	return true, writeFile(copied, data)
}

// isOurs reports whether an embedded file is a hook file: by its name, and by its
// first line where it can be read (Go 1.23 names the place, where there is none).
func isOurs(key, file string) bool {
	if !hook.IsName(path.Base(key)) {
		return false
	}
	data, err := os.ReadFile(file)
	return err != nil || hook.IsOurs(data)
}
