//go:build unix

package goatrt_test

import (
	"testing"

	"github.com/goat-trace/goat/go/internal/spool"
)

// states are points as "phases it was first hit in": i, s, t.
func states(f *spool.File) map[string]string {
	all := map[string]string{}
	for _, p := range f.Points {
		for k, letter := range []string{"i", "s", "t"} {
			if !p.Firsts[k].IsZero() {
				all[p.ID] += letter
			}
		}
	}
	return all
}

func TestAFirstHitInEachPhase(t *testing.T) {
	for _, mode := range []string{"exe", "c-shared"} {
		dir := t.TempDir()
		p := start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir, "TEST_MODE=" + mode, "TEST_INIT=1"},
			"hit=1", "hit=7", "hit=8", "store=0", "store=1", "count=3", "ready", "hit=1", "hit=7", "hit=9", "store=0", "count=3", "exit=0")
		p.end()
		f := only(t, dir)
		got := states(f)
		want := map[string]string{"svc0001": "st", "svc0007": "ist", "svc0008": "s", "svc0009": "t", "small0000": "st", "small0001": "is", "smallcount0000": "st"}
		for id, phases := range want {
			if got[id] != phases {
				t.Errorf("%s: %s was hit in %q, want %q", mode, id, got[id], phases)
			}
		}
		if len(got) != len(want) || f.Phase != "traffic" {
			t.Errorf("%s: %v, phase %q", mode, got, f.Phase)
		}
		for _, point := range f.Points {
			if point.ID == "svc0007" && (point.Phase != "traffic" || point.First != point.Firsts[0] || !point.Firsts[1].After(point.First) || !point.Firsts[2].After(point.Firsts[1])) {
				t.Errorf("%s: %+v", mode, point)
			}
		}
	}
}

func TestTestsHaveNoStartup(t *testing.T) {
	dir := t.TempDir()
	start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir, "TEST_MODE=test", "TEST_INIT=1"}, "hit=7", "hit=1").end()
	f := only(t, dir)
	if got := states(f); got["svc0007"] != "it" || got["svc0001"] != "t" || f.Phase != "traffic" {
		t.Errorf("%v, phase %q", got, f.Phase)
	}
}

// The phase ends while all points are being hit; what is hit after that, and before a
// kill, is in the file as traffic, and what is not hit after it is not.
func TestKillInTheMomentOfTheChange(t *testing.T) {
	for round := 0; round < 10; round++ {
		dir := t.TempDir()
		p := start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir, "GOAT_WINDOW=100ms"}, "traffic", "sleep=3", "ready", "all=1000", "kill")
		p.end()
		f := only(t, dir)
		for _, point := range f.Points {
			if point.Form == "exact" && point.Phase != "traffic" {
				t.Fatalf("round %d: %s was hit after the change, but is %q", round, point.ID, point.Phase)
			}
		}
		if f.Phase != "traffic" || !f.Sealed.IsZero() {
			t.Errorf("phase %q, sealed %v", f.Phase, f.Sealed)
		}
	}
	dir := t.TempDir()
	start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir, "GOAT_WINDOW=100ms"}, "all=500", "ready", "hit=600", "sleep=300", "kill").end()
	for id, phases := range states(only(t, dir)) {
		if want := map[bool]string{true: "t", false: "s"}[id == "svc0600"]; phases != want {
			t.Errorf("%s was hit in %q, want %q", id, phases, want)
		}
	}
}

func TestAShortProcessEndsInStartup(t *testing.T) {
	dir := t.TempDir()
	start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir}, "hit=1").end()
	if f := only(t, dir); f.Phase != "startup" || f.Sealed.IsZero() {
		t.Errorf("phase %q, sealed %v", f.Phase, f.Sealed)
	}
}

func TestLastHit(t *testing.T) {
	for _, table := range []string{"exact", "all"} {
		dir := t.TempDir()
		p := start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir, "GOAT_WINDOW=100ms", "GOAT_LANE=gray", "TEST_TABLE=" + table}, "wait")
		p.tell("all=3")
		eventually(t, "a window ends", func() bool {
			for _, point := range only(t, dir).Points[:3] {
				if !point.Last.After(point.First) {
					return false
				}
			}
			return true
		})
		p.tell("hit=1")
		p.end()
		f := only(t, dir)
		if a, b := f.Points[0], f.Points[1]; !b.Last.After(a.Last) || f.Window.String() != "100ms" || f.Identity.Lane != "gray" || !f.Points[5].Last.IsZero() {
			t.Errorf("%s: hit once: last %v; hit again: last %v; window %v, lane %q", table, a.Last, b.Last, f.Window, f.Identity.Lane)
		}
	}
	for _, environment := range []string{"GOAT_WINDOW=0", "TEST_MODE=test", "TEST_MODE=c-shared"} {
		dir := t.TempDir()
		start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir, environment}, "hit=1").end()
		if f := only(t, dir); !f.Points[1].Hit || !f.Points[1].Last.IsZero() || f.Window != 0 {
			t.Errorf("%s: last hit %v, window %v", environment, f.Points[1].Last, f.Window)
		}
	}
}

func TestKeepHoldsForShortPrograms(t *testing.T) {
	dir := t.TempDir()
	for i := 0; i < 12; i++ {
		start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir, "GOAT_SPOOL_KEEP=5"}, "exit=0").end()
	}
	if n := len(names(t, dir)); n != 5 {
		t.Errorf("%d files, want 5", n)
	}
}
