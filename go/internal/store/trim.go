package store

import (
	"os"
	"path/filepath"
	"regexp"
	"time"
)

const (
	// trimEvery is how often somebody looks for what is too old.
	trimEvery = 24 * time.Hour
	// keep is how long an entry stays that nobody has used.
	keep = 30 * 24 * time.Hour
	// keepRun is how long the note about one run of go stays, and what a killed process
	// was about to rename.
	keepRun = 2 * 24 * time.Hour
)

// kind is one directory of the cache: what goat calls the entries that it makes there,
// and the age at which one goes.
type kind struct {
	name  *regexp.Regexp
	age   time.Duration
	inner *regexp.Regexp // what a directory among them holds; nil: entries are files
}

func named(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }

// kinds are the directories of the cache. An entry by another name is not goat's.
var kinds = map[string]kind{
	"plans":   {named(`[0-9a-f]{16}`), keep, named(`(index|plan)\.json|p|s|\.tmp-.*`)},
	"memo":    {named(`[0-9a-f]{32}\.[0-9a-z]+`), keep, nil},
	"builds":  {named(`((env|headers|list)-)?[0-9a-f]{8,64}\.json`), keep, nil},
	"files":   {named(`[0-9a-f]{16}`), keep, named(`[A-Za-z0-9_.-]+\.(go|json)|\.goat-.*`)},
	"helper":  {named(`[0-9a-f]{16}`), keep, named(`compile`)},
	"links":   {named(`[0-9a-f]{16}-[0-9a-f]+-[0-9a-z]+_[0-9a-z]+`), keep, nil},
	"runtime": {named(`[0-9a-f]{32}`), keep, named(`rt-[0-9a-f]+\.a|\.rt-.*`)},
	"bare":    {named(`[0-9]+-[0-9a-f]{16}\.(json|json\.tmp|lock)`), keepRun, nil},
	"timings": {named(`[0-9A-Za-z-]+\.timings`), keep, nil},
	"locks":   {named(`[0-9a-f]{16}`), keepRun, nil},
}

// unfinished are the names of what a killed process was about to rename.
var unfinished = named(`\.tmp-[0-9a-f]{16}-.*|\.goat-.*|\.rt-.*|\.[0-9a-f]+\.json\..*`)

// Trim removes from a directory that Open has given what nobody has used for long, at
// most once a day. It goes by goat's own names, never behind a link, and leaves what is
// somebody else's, and what it cannot remove.
func Trim(cache string) {
	stamp := filepath.Join(cache, "trimmed")
	if info, err := os.Lstat(stamp); err == nil && (!info.Mode().IsRegular() || time.Since(info.ModTime()).Abs() < trimEvery) {
		return
	}
	if !directory(cache) || os.WriteFile(stamp, nil, 0o600) != nil {
		return
	}
	now := time.Now()
	_ = os.Chtimes(stamp, now, now)
	for name, kind := range kinds {
		dir := filepath.Join(cache, name)
		if directory(dir) {
			kind.trim(dir, now)
		}
	}
}

// directory reports whether path is a directory of this user's and no link.
func directory(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir() && mine(info)
}

func (k kind) trim(dir string, now time.Time) {
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		limit := k.age
		switch name := entry.Name(); {
		case unfinished.MatchString(name):
			limit = keepRun
		case !k.name.MatchString(name):
			continue
		}
		path := filepath.Join(dir, entry.Name())
		info, err := os.Lstat(path)
		if err != nil || now.Sub(info.ModTime()) <= limit || !mine(info) {
			continue
		}
		k.remove(path, info.IsDir())
	}
}

// remove takes an old entry away, unless it holds what goat does not put there.
func (k kind) remove(path string, dir bool) {
	if !dir {
		_ = os.Remove(path)
		return
	}
	entries, err := os.ReadDir(path)
	if err != nil || k.inner == nil {
		return
	}
	for _, entry := range entries {
		if !k.inner.MatchString(entry.Name()) && !unfinished.MatchString(entry.Name()) {
			return
		}
	}
	_ = os.RemoveAll(path)
}
