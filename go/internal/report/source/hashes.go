package source

import (
	"path/filepath"

	"github.com/goat-trace/goat/go/internal/plan"
)

// Hashes gives the hash that a file of a package had when the plan of a report was made;
// "" where nobody knows. A text with another hash is not the one that was built.
func (r *Request) Hashes(hash string) func(importPath, file string) string {
	dir := r.planDir(hash)
	packages := map[string]map[string]string{}
	return func(importPath, file string) string {
		if dir == "" || importPath == "" {
			return ""
		}
		known, read := packages[importPath]
		if !read {
			known, _ = plan.ReadHashes(dir, importPath) // without one, nothing is known
			packages[importPath] = known
		}
		return known[filepath.Base(file)]
	}
}

// SameHash reports whether a text has a hash as the plan writes it.
func SameHash(text []byte, hash string) bool { return plan.SameHash(plan.HashBytes(text), hash) }

// planDir is the directory of a plan, "" where it is not at hand.
func (r *Request) planDir(hash string) string {
	for _, dir := range append([]string{r.Plan}, places(hash, r)...) {
		if dir == "" {
			continue
		}
		if index, err := plan.ReadIndex(dir); err == nil && index.PlanHash == hash {
			return dir
		}
	}
	return ""
}
