package doors

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/store"
)

// cache is goat's directory below the user's cache directory. Everything in it is
// named by its content and written under a temporary name first, so that builds
// may share it at any moment.
type cache struct{ dir string }

// openCache finds the cache.
func openCache(env gocmd.Environ) (cache, error) {
	dir, err := store.Open(env.Get)
	if err != nil {
		return cache{}, unwritable(dir, err)
	}
	return cache{dir: dir}, nil
}

// plans is where plan directories stand.
func (c cache) plans() string { return filepath.Join(c.dir, "plans") }

// modules is the directory for modules of a go that knows no other.
func (c cache) modules() string { return filepath.Join(c.dir, "modules") }

// memo is where answers of the core are kept.
func (c cache) memo() string { return filepath.Join(c.dir, "memo") }

// lock waits until no other goat works at a place. The lock file lies here, not there.
func (d *door) lock(ctx context.Context, place string) (unlock func(), err error) {
	dir := filepath.Join(d.cache.dir, "locks")
	out := d.errOut()
	if d.Settings.Quiet {
		out = nil
	}
	err = os.MkdirAll(dir, 0o700)
	if err == nil {
		unlock, err = store.Lock(ctx, filepath.Join(dir, store.Sum([]byte(place))), out)
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, unwritable(dir, err)
	}
	return unlock, nil
}

// put stores a file under its hash and keeps its base name, which the helper and
// error messages go by. It returns the path.
func (c cache) put(base string, text []byte) (string, error) {
	path := filepath.Join(c.dir, "files", store.Sum(text), base)
	if found, err := store.ReadFile(path); err == nil && bytes.Equal(found, text) {
		touch(filepath.Dir(path))
		return path, nil
	}
	return path, writeAtomic(path, text)
}

// touch keeps a used entry from being trimmed.
func touch(path string) {
	now := time.Now()
	_ = os.Chtimes(path, now, now)
}

// writeAtomic writes a file under a temporary name and renames it.
func writeAtomic(path string, text []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, ".goat-*")
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Chmod(0o644), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}
