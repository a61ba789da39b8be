package main

import (
	"fmt"
	"sort"
	"strings"

	"github.com/goat-trace/goat/go/internal/spool"
)

// readHits returns the union of the hits of the test binaries that go test
// started. A test that runs its own binary again makes a second spool file of
// the same component; cover does not see that process, so neither may we, nor
// those whose counters cover lost in a crash.
func readHits(dir string, crashed map[string]bool) (hits map[string]bool, children int, err error) {
	results, err := spool.ReadDir(dir)
	if err != nil {
		return nil, 0, err
	}
	var files []*spool.File
	for _, r := range results {
		if r.Err != nil {
			return nil, 0, fmt.Errorf("%s: %w", r.Path, r.Err)
		}
		files = append(files, r.File)
	}
	sort.Slice(files, func(i, j int) bool { return files[i].Started.Before(files[j].Started) })
	hits = map[string]bool{}
	seen := map[string]bool{}
	for _, f := range files {
		if crashed[strings.TrimSuffix(f.Identity.Component, ".test")] {
			continue
		}
		if seen[f.Identity.Component] {
			children++
			continue
		}
		seen[f.Identity.Component] = true
		for _, p := range f.Points {
			if p.Hit {
				hits[p.ID] = true
			}
		}
	}
	return hits, children, nil
}
