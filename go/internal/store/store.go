// Package store knows goat's directory of caches: where it is and whose, what in it
// may be believed, what goes from it when it is old, and how goats wait for each
// other. The helper uses it, so it imports the standard library only.
package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Hint is what to do where the directory cannot be had.
const Hint = "set GOAT_CACHE to a directory that can be written"

// Open returns goat's directory of caches and makes it where it is not there:
// GOAT_CACHE, else `goat` in the user's cache directory, else one of this user's own
// among the temporary files. What others could write into is never used as it is: there
// it is a directory below, which only this user can enter.
func Open(getenv func(string) string) (string, error) {
	if dir := getenv("GOAT_CACHE"); dir != "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return "", err
		}
		return owned(abs)
	}
	if base, err := os.UserCacheDir(); err == nil {
		if dir, err := owned(filepath.Join(base, "goat")); err == nil && writable(dir) {
			return dir, nil
		}
	}
	return private(filepath.Join(os.TempDir(), "goat-"+user()))
}

// owned makes dir, and goes to a private directory in it if somebody else could write there.
func owned(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s is no directory", dir)
	}
	if ours(info) {
		return dir, nil
	}
	return private(filepath.Join(dir, "user-"+user()))
}

// private makes a directory that is this user's alone. Where it exists it must be that:
// no link, of no other owner.
func private(dir string) (string, error) {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(dir)
	switch {
	case err != nil:
		return "", err
	case !info.IsDir():
		return "", fmt.Errorf("%s is no directory", dir)
	case !ours(info):
		return "", fmt.Errorf("%s belongs to another user, or others may write there", dir)
	}
	return dir, nil
}

// AsTrusted reports whether a file or directory is as good as another one: no link, of
// the same owner, of this user or of root, and not everybody's to write.
func AsTrusted(path, as string) bool {
	info, err := os.Lstat(path)
	other, otherErr := os.Stat(as)
	if err != nil || otherErr != nil || info.Mode()&os.ModeSymlink != 0 || everybodys(info) {
		return false
	}
	return mine(info) || owner(info) == owner(other) || owner(info) == 0
}
