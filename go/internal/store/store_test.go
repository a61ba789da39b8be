package store_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/goat-trace/goat/go/internal/store"
)

func open(t *testing.T, vars map[string]string) (string, error) {
	t.Helper()
	for name, value := range vars {
		t.Setenv(name, value)
	}
	return store.Open(os.Getenv)
}

// Without a home there is a directory among the temporary files that is the user's alone.
func TestSecurityCacheWithoutHome(t *testing.T) {
	tmp := t.TempDir()
	vars := map[string]string{"GOAT_CACHE": "", "HOME": "/dev/null", "XDG_CACHE_HOME": "", "TMPDIR": tmp}
	dir, err := open(t, vars)
	if err != nil || filepath.Dir(dir) != tmp {
		t.Fatalf("%s, %v", dir, err)
	}
	if info, err := os.Lstat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("%v, %v", info, err)
	}
	if again, err := open(t, vars); err != nil || again != dir {
		t.Fatalf("%s, %v", again, err)
	}
	// What somebody has put there in advance is not used.
	for name, plant := range map[string]func() error{
		"open": func() error { return os.Chmod(dir, 0o777) },
		"link": func() error { return errors.Join(os.Remove(dir), os.Symlink(t.TempDir(), dir)) },
		"file": func() error { return errors.Join(os.Remove(dir), os.WriteFile(dir, nil, 0o600)) },
	} {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := plant(); err != nil {
			t.Fatal(err)
		}
		if got, err := open(t, vars); err == nil {
			t.Errorf("%s: %s", name, got)
		}
	}
	if os.Geteuid() != 0 {
		return
	}
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700), os.Chown(dir, 65534, 65534)); err != nil {
		t.Fatal(err)
	}
	if got, err := open(t, vars); err == nil {
		t.Errorf("another user's: %s", got)
	}
}

// A cache that others can write is a place for a directory of one's own.
func TestSecuritySharedCache(t *testing.T) {
	shared := t.TempDir()
	if err := os.Chmod(shared, 0o1777); err != nil {
		t.Fatal(err)
	}
	dir, err := open(t, map[string]string{"GOAT_CACHE": shared})
	if err != nil || dir != filepath.Join(shared, "user-"+strconv.Itoa(os.Geteuid())) {
		t.Fatalf("%s, %v", dir, err)
	}
	if err := os.Chmod(shared, 0o755); err != nil {
		t.Fatal(err)
	}
	if dir, err := open(t, map[string]string{"GOAT_CACHE": shared}); err != nil || dir != shared {
		t.Fatalf("%s, %v", dir, err)
	}
}

// A wait says who holds the lock, and ends when the caller wants it to.
func TestSecurityLock(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	unlock, err := store.Lock(context.Background(), name, nil)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("anybody can hold %v, %v", info, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	said := &untilSaid{cancel: cancel}
	if _, err := store.Lock(ctx, name, said); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	want := "goat: waiting for process " + strconv.Itoa(os.Getpid()) + ", which holds the lock " + name + "\n"
	if said.String() != want {
		t.Errorf("%q, want %q", said, want)
	}
	unlock()
	unlock, err = store.Lock(context.Background(), name, nil)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

// untilSaid cancels as soon as something is written.
type untilSaid struct {
	bytes.Buffer
	cancel func()
}

func (u *untilSaid) Write(text []byte) (int, error) {
	u.cancel()
	return u.Buffer.Write(text)
}

func TestSealed(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x")
	text := []byte("first\nsecond\n")
	if err := os.WriteFile(name, store.Seal(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := store.ReadSealed(name); !bytes.Equal(got, text) {
		t.Errorf("%q", got)
	}
	for _, damaged := range []string{"", "\x00", strings.Repeat("\x00", len(store.Seal(text))), strings.Replace(string(store.Seal(text)), "first", "burst", 1)} {
		if err := os.WriteFile(name, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := store.ReadSealed(name); got != nil {
			t.Errorf("%q: %q", damaged, got)
		}
	}
}
