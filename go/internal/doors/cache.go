package doors

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/plan"
	"github.com/goat-trace/goat/go/internal/toolexec"
)

// cache is goat's directory below the user's cache directory. Everything in it is
// named by its content and written under a temporary name first, so that builds
// may share it at any moment.
type cache struct{ dir string }

// openCache finds the cache.
func openCache(env gocmd.Environ) cache { return cache{dir: plan.CacheDir(env.Get)} }

// plans is where plan directories stand.
func (c cache) plans() string { return filepath.Join(c.dir, "plans") }

// memo is where answers of the core are kept.
func (c cache) memo() string { return filepath.Join(c.dir, "memo") }

// lock waits until no other goat works at a place. The lock file lies here, not there.
func (c cache) lock(place string) (unlock func(), err error) {
	sum := sha256.Sum256([]byte(place))
	dir := filepath.Join(c.dir, "locks")
	err = os.MkdirAll(dir, 0o777)
	if err == nil {
		unlock, err = toolexec.Lock(filepath.Join(dir, hex.EncodeToString(sum[:8])))
	}
	if err != nil {
		return nil, unwritable(dir, err)
	}
	return unlock, nil
}

// put stores a file under its hash and keeps its base name, which the helper and
// error messages go by. It returns the path.
func (c cache) put(base string, text []byte) (string, error) {
	sum := sha256.Sum256(text)
	path := filepath.Join(c.dir, "files", hex.EncodeToString(sum[:8]), base)
	if info, err := os.Stat(path); err == nil && info.Size() == int64(len(text)) {
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
