package doors

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"

	"github.com/goat-trace/goat/go/internal/plan"
	"github.com/goat-trace/goat/go/internal/toolexec"
)

const (
	// longList is how many bytes of file names a package may have before the command
	// line of its compile is in danger: Linux takes 2 MB, with the environment.
	longList = 512 << 10
	// shortShard is a size below which no shard of hashes holds such a package, whose
	// files are hundreds, even with the longest path that there is.
	shortShard = 8 << 10
)

// helperProgram is goat as -toolexec names it. Where some package has so many files that
// go needs a response file, it is a link by a name for which go writes one.
func (d *door) helperProgram() (string, error) {
	if !d.hasLongList() {
		return d.Executable, nil
	}
	sum := sha256.Sum256([]byte(d.Executable))
	dir := filepath.Join(d.cache.dir, "helper", hex.EncodeToString(sum[:8]))
	link := filepath.Join(dir, toolexec.LongName)
	if target, err := os.Readlink(link); err == nil && target == d.Executable {
		touch(dir)
		return link, nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", unwritable(dir, err)
	}
	if err := os.Symlink(d.Executable, link); err != nil {
		if target, readErr := os.Readlink(link); readErr != nil || target != d.Executable {
			return "", unwritable(link, err)
		}
	}
	return link, nil
}

// hasLongList reports whether a covered package has a long list of files.
func (d *door) hasLongList() bool {
	shards, err := os.ReadDir(filepath.Join(d.dir, "s"))
	if err != nil {
		return false
	}
	for _, shard := range shards {
		info, err := shard.Info()
		if err != nil || info.Size() < shortShard {
			continue
		}
		packages, err := plan.ReadShard(d.dir, shard.Name())
		if err != nil {
			continue
		}
		for path, files := range packages {
			size := 0
			for name := range files {
				// The directory ends like the import path, below the repository.
				size += len(d.root) + len(path) + len(name) + 2
			}
			if size > longList {
				return true
			}
		}
	}
	return false
}
