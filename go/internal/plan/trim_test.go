package plan_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/goat-trace/goat/go/internal/plan"
)

// What is old goes, what is not stays, and nobody looks twice a day.
func TestTrim(t *testing.T) {
	cache := t.TempDir()
	entry := func(name string, age time.Duration) string {
		path := filepath.Join(cache, filepath.FromSlash(name))
		if err := os.MkdirAll(path, 0o777); err != nil {
			t.Fatal(err)
		}
		when := time.Now().Add(-age)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const day = 24 * time.Hour
	old := []string{entry("plans/old", 31*day), entry("bare/old", 3*day), entry("files/old", 40*day)}
	kept := []string{entry("plans/new", day), entry("bare/new", time.Hour), entry("other/old", 400*day)}
	plan.Trim(cache)
	late := entry("plans/late", 31*day)
	plan.Trim(cache)
	for _, path := range old {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is still there", path)
		}
	}
	for _, path := range append(kept, late) {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}
