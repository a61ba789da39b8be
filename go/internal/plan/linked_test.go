package plan_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/goat-trace/goat/go/internal/plan"
)

// A note is about one target: what was found out of a cross build says nothing of ours.
func TestLinked(t *testing.T) {
	cache := t.TempDir()
	ours := plan.Program{PlanHash: "h", Key: "k", GOOS: "linux", GOARCH: "amd64"}
	other := ours
	other.GOOS, other.GOARCH = "js", "wasm"
	plan.NoteLinked(cache, other, plan.Linked{Runtime: plan.RuntimeNone})
	if got := plan.ReadLinked(cache, ours); !reflect.DeepEqual(got, plan.Linked{}) {
		t.Errorf("ours: %+v", got)
	}
	want := plan.Linked{Runtime: plan.RuntimeServer, Degraded: []string{"a", "b"}}
	plan.NoteLinked(cache, ours, want)
	plan.NoteLinked(cache, ours, want)
	if got := plan.ReadLinked(cache, ours); !reflect.DeepEqual(got, want) {
		t.Errorf("ours: %+v", got)
	}
	if got := plan.ReadLinked(cache, other); got.Runtime != plan.RuntimeNone {
		t.Errorf("other: %+v", got)
	}
	notes, err := filepath.Glob(filepath.Join(cache, "links", "*"))
	if err != nil || len(notes) != 2 {
		t.Fatal(notes, err)
	}
	for _, note := range notes {
		if err := os.Truncate(note, 3); err != nil {
			t.Fatal(err)
		}
	}
	if got := plan.ReadLinked(cache, ours); !reflect.DeepEqual(got, plan.Linked{}) {
		t.Errorf("half a note: %+v", got)
	}
}
