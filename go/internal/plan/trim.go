package plan

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// trimEvery is how often somebody looks for what is too old.
	trimEvery = 24 * time.Hour
	// keep is how long an entry stays that nobody has used.
	keep = 30 * 24 * time.Hour
	// keepRun is how long the note about one run of go stays.
	keepRun = 2 * 24 * time.Hour
)

// trimmed are the directories of the cache with the age at which an entry goes.
var trimmed = map[string]time.Duration{
	"plans": keep, "memo": keep, "files": keep, "helper": keep, "links": keep, "runtime": keep, "bare": keepRun, "locks": keepRun,
}

// Trim removes from goat's cache what nobody has used for long, at most once a day.
// What it cannot remove it leaves.
func Trim(cache string) {
	stamp := filepath.Join(cache, "trimmed")
	if info, err := os.Stat(stamp); err == nil && time.Since(info.ModTime()).Abs() < trimEvery {
		return
	}
	if os.WriteFile(stamp, nil, 0o666) != nil {
		return
	}
	now := time.Now()
	_ = os.Chtimes(stamp, now, now)
	for name, age := range trimmed {
		entries, _ := os.ReadDir(filepath.Join(cache, name))
		for _, entry := range entries {
			limit := age
			if strings.HasPrefix(entry.Name(), ".") {
				limit = min(age, keepRun) // what a killed process was about to rename
			}
			if info, err := entry.Info(); err == nil && now.Sub(info.ModTime()) > limit {
				_ = os.RemoveAll(filepath.Join(cache, name, entry.Name()))
			}
		}
	}
}
