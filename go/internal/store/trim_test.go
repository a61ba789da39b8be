package store_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/goat-trace/goat/go/internal/store"
)

const day = 24 * time.Hour

// entry makes a file (or, with a slash at the end, a directory) of an age.
func entry(t *testing.T, cache, name string, age time.Duration) string {
	t.Helper()
	path := filepath.Join(cache, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	var err error
	if name[len(name)-1] == '/' {
		err = os.MkdirAll(path, 0o755)
	} else {
		err = os.WriteFile(path, []byte("x"), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	when := time.Now().Add(-age)
	if err := os.Chtimes(path, when, when); err != nil {
		t.Fatal(err)
	}
	return path
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// What is old goes, what is not stays, and nobody looks twice a day.
func TestTrim(t *testing.T) {
	cache := t.TempDir()
	make := func(name string, age time.Duration) string { return entry(t, cache, name, age) }
	const h16, h32 = "0123456789abcdef", "0123456789abcdef0123456789abcdef"
	old := []string{
		make("plans/"+h16+"/", 31*day), make("bare/12-"+h16+".json", 3*day), make("files/"+h16+"/", 40*day),
		make("memo/"+h32+".json", 31*day), make("builds/"+h32+".json", 31*day), make("links/"+h16+"-01234567-linux_amd64", 31*day),
		make("runtime/"+h32+"/", 31*day), make("helper/"+h16+"/", 31*day), make("locks/"+h16, 3*day), make("plans/.tmp-"+h16+"-1-2/", 3*day),
	}
	kept := []string{
		make("plans/fedcba9876543210/", day), make("bare/13-"+h16+".json", time.Hour), make("other/old/", 400*day),
	}
	store.Trim(cache)
	late := make("plans/0000000000000000/", 31*day)
	store.Trim(cache)
	for _, path := range old {
		if there(path) {
			t.Errorf("%s is still there", path)
		}
	}
	for _, path := range append(kept, late) {
		if !there(path) {
			t.Errorf("%s is gone", path)
		}
	}
}

// TestSecurityTrim has things of the user's in the cache, and links out of it.
func TestSecurityTrim(t *testing.T) {
	cache, outside := t.TempDir(), t.TempDir()
	const h16 = "0123456789abcdef"
	kept := []string{
		entry(t, cache, "plans/my-plans/", 400*day), entry(t, cache, "plans/holiday.md", 400*day), entry(t, cache, "files/notes.txt", 400*day),
		entry(t, cache, "runtime/"+h16+".txt", 400*day), entry(t, cache, "bare/metal.json", 400*day), entry(t, cache, "helper/me", 400*day),
		entry(t, outside, h16, 400*day), entry(t, outside, "deep/"+h16+"/", 400*day),
	}
	mixed := entry(t, cache, "plans/"+h16+"/thesis.tex", 400*day)
	when := time.Now().Add(-400 * day)
	if err := os.Chtimes(filepath.Dir(mixed), when, when); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"locks": "", "memo": "deep"} {
		if err := os.Symlink(filepath.Join(outside, to), filepath.Join(cache, from)); err != nil {
			t.Skip(err)
		}
	}
	store.Trim(cache)
	if !there(filepath.Join(cache, "trimmed")) {
		t.Fatal("nothing was trimmed")
	}
	for _, path := range append(kept, mixed) {
		if !there(path) {
			t.Errorf("%s is gone", path)
		}
	}
	// A stamp that is a link is nobody's to write through.
	victim := entry(t, outside, "victim", 400*day)
	if err := os.Remove(filepath.Join(cache, "trimmed")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, filepath.Join(cache, "trimmed")); err != nil {
		t.Fatal(err)
	}
	store.Trim(cache)
	if text, err := os.ReadFile(victim); err != nil || string(text) != "x" {
		t.Errorf("%q, %v", text, err)
	}
}
