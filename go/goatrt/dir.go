//go:build go1.21

package goatrt

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
)

const (
	separator   = string(os.PathSeparator)
	spoolPrefix = "goat-"
	spoolSuffix = ".spool"
	randomChars = 16
	defaultKeep = 20
	maxAppChars = 64
)

// prepareDir makes the spool directory absolute, and makes its last element.
func prepareDir(dir, mode string) (string, error) {
	if !isAbsolute(dir) {
		here, err := startedIn(mode)
		if err != nil {
			return dir, err
		}
		dir = here + separator + dir
	}
	perm := uint32(0o700)
	if spoolMode()&0o070 != 0 {
		perm = 0o750
	}
	if err := makeDir(dir, perm); err != nil && !isExist(err) {
		return dir, pathError(dir, err)
	}
	return dir, nil
}

// startedIn is what a relative directory is relative to. go test runs a test binary
// in the directory of its package; the user meant the one that go was started in.
func startedIn(mode string) (string, error) {
	if mode == "test" {
		if dir := goCommandDir(); dir != "" {
			return dir, nil
		}
	}
	return syscall.Getwd()
}

func isAbsolute(dir string) bool {
	if os.IsPathSeparator(dir[0]) {
		return true
	}
	return separator == `\` && len(dir) > 2 && dir[1] == ':' && os.IsPathSeparator(dir[2])
}

// spoolMode is GOAT_SPOOL_MODE, octal; a mode the owner could not write, or that
// others than the owner and the group could use, is not taken.
func spoolMode() uint32 {
	mode, err := strconv.ParseUint(env("GOAT_SPOOL_MODE"), 8, 32)
	if err != nil || mode&0o600 != 0o600 || mode&^0o664 != 0 {
		return 0o600
	}
	return uint32(mode)
}

// spoolName is goat-<app>-<random>.spool. Characters that mean something in
// file names give way, and a hash keeps two such apps apart.
func spoolName(app, random string) string {
	return spoolPrefix + fileApp(app) + "-" + random + spoolSuffix
}

func fileApp(app string) string {
	clean := strings.Map(func(r rune) rune {
		if r < 0x80 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-+", r)) {
			return r
		}
		return '_'
	}, app)
	if clean == app && len(app) <= maxAppChars && app != "" {
		return app
	}
	if len(clean) > maxAppChars {
		clean = clean[:maxAppChars]
	}
	return clean + "_" + strconv.FormatUint(uint64(checksum(fnvBasis, []byte(app))), 16)
}

// isSpoolOf tells whether name is a spool file of app.
func isSpoolOf(name, app string) bool {
	prefix := spoolPrefix + fileApp(app) + "-"
	if !strings.HasPrefix(name, prefix) || !strings.HasSuffix(name, spoolSuffix) {
		return false
	}
	random := name[len(prefix):]
	return len(random) == randomChars+len(spoolSuffix) && strings.Trim(random[:randomChars], "0123456789abcdef") == ""
}

// keep is GOAT_SPOOL_KEEP; 0 and less keep everything.
func keep() int {
	n, err := strconv.Atoi(env("GOAT_SPOOL_KEEP"))
	if err != nil {
		return defaultKeep
	}
	return n
}

// How many names a prune looks at: as many as there are, or as many as take no time
// that the end of a process would show. What a part of the names says is older than
// GOAT_SPOOL_KEEP others is older than these in the whole, too.
const (
	pruneAlways = 1 << 30
	pruneAtExit = 1000
)

// prune removes the oldest spool files of the application beyond GOAT_SPOOL_KEEP, once:
// only such as belong to this user, and never one that a live process has locked.
func (c *Component) prune(s *spool, most int) {
	limit := keep()
	if limit <= 0 || !canLock || c.identity.Mode != "exe" || c.pruned.Load() {
		return
	}
	own := s.path[len(s.dir)+len(separator):]
	files := []aged{{own, uint64(c.started * 1000)}}
	eachName(s.dir, func(name string) bool {
		// The file of this process is not opened: closing it would give up its lock.
		if name != own && isSpoolOf(name, c.identity.App) {
			if started, ok := startOf(s.dir + separator + name); ok {
				files = append(files, aged{name, started})
			}
		}
		return len(files) < most
	})
	newestFirst(files)
	for _, old := range files[min(limit, len(files)):] {
		if old.name != own {
			c.removeSpool(s.dir + separator + old.name)
		}
	}
	c.pruned.Store(true)
}

// removeSpool removes a spool file with what lies beside it, unless its process lives.
func (c *Component) removeSpool(path string) {
	removeUnlocked(path)
	if _, still := startOf(path); still {
		return
	}
	for _, suffix := range besideSuffixes() {
		_ = os.Remove(besidePath(path, suffix))
	}
}

// newestFirst sorts by Shell's method: package sort is more than a program may
// already link.
func newestFirst(files []aged) {
	for gap := len(files) / 2; gap > 0; gap /= 2 {
		for i := gap; i < len(files); i++ {
			for j := i; j >= gap && files[j].started > files[j-gap].started; j -= gap {
				files[j], files[j-gap] = files[j-gap], files[j]
			}
		}
	}
}

// aged is a spool file and when its process began.
type aged struct {
	name    string
	started uint64
}

// startOfHeader reads the start time; a spool that was never finished is older
// than all others.
func startOfHeader(header []byte) uint64 {
	if len(header) < offStarted+8 || string(header[:len(spoolMagic)]) != spoolMagic {
		return 0
	}
	var started uint64
	for i := 7; i >= 0; i-- {
		started = started<<8 | uint64(header[offStarted+i])
	}
	return started
}

func isExist(err error) bool { return errors.Is(err, os.ErrExist) }

// pathError names the directory once, whatever the system's error says.
func pathError(dir string, err error) error {
	if p, ok := err.(*os.PathError); ok {
		err = p.Err
	}
	return &os.PathError{Op: "spool", Path: dir, Err: err}
}
