package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/goat-trace/goat/go/internal/child"
	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/store"
)

// goat looks at the program itself.
func (p *patient) goat() {
	text := p.Version
	if len(p.Commit) >= 12 {
		text += " (" + p.Commit[:12] + ")"
	}
	if !p.Core {
		p.add("goat", Warn, text+", built without its core: it can build with a plan and report, but not plan", "use a goat with the core: `make install` in goat's repository")
		return
	}
	if other := p.otherGoat(); other != "" {
		p.add("goat", Warn, text+"; -toolexec \"goat toolexec\" would run another one: "+other, "put "+filepath.Dir(p.Door.Executable)+" first in PATH, or write its full path into -toolexec")
		return
	}
	p.add("goat", OK, text+", core linked in", "")
}

// otherGoat is the goat that PATH names, if that is not this one.
func (p *patient) otherGoat() string {
	found, err := exec.LookPath("goat")
	if err != nil || sameFile(found, p.Door.Executable) {
		return ""
	}
	return found
}

func sameFile(a, b string) bool {
	ia, errA := os.Stat(a)
	ib, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(ia, ib)
}

// goEnv is what the go command says about itself.
type goEnv struct {
	GOVERSION, GOROOT, GOTOOLCHAIN, GOCACHE, GOTMPDIR, GOOS, GOARCH, CGO_ENABLED, CC, GOMOD string
}

// toolchain looks at the go command, which may be another one than that on PATH.
func (p *patient) toolchain(ctx context.Context) {
	env := p.Door.UserEnviron()
	args := []string{"env", "-json", "GOVERSION", "GOROOT", "GOTOOLCHAIN", "GOCACHE", "GOTMPDIR", "GOOS", "GOARCH", "CGO_ENABLED", "CC", "GOMOD"}
	out, err := gocmd.Output(ctx, p.Door.Settings.Dir, env, args)
	if errors.Is(err, gocmd.ErrNoGo) {
		p.add("go", Fail, "the go command is not on PATH", "install Go 1.23 or newer: https://go.dev/dl")
		return
	}
	if err == nil {
		err = json.Unmarshal(out, &p.golang)
	}
	if what, hint, broken := child.Unrunnable(err); broken {
		p.add("go", Fail, what, hint)
		return
	}
	if err != nil {
		p.add("go", Fail, "`go env` fails: "+said(err), "type `go env` to see it; GOTOOLCHAIN=local keeps go from fetching another version")
		return
	}
	text := p.golang.GOVERSION + " for " + p.golang.GOOS + "/" + p.golang.GOARCH
	local := ""
	if out, err := gocmd.Output(ctx, p.Door.Settings.Dir, env.With("GOTOOLCHAIN", "local"), []string{"env", "GOVERSION"}); err == nil {
		local = strings.TrimSpace(string(out))
	}
	if local != "" && local != p.golang.GOVERSION {
		text += ", switched to from " + local + " by go.mod, go.work or GOTOOLCHAIN=" + p.golang.GOTOOLCHAIN
	}
	if tooOld(p.golang.GOVERSION) {
		p.add("go", Fail, text+" is too old", "goat needs Go 1.23 or newer: https://go.dev/dl")
		return
	}
	p.add("go", OK, text, "")
	p.cgo()
}

// said is what a command printed before it failed.
func said(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return strings.ReplaceAll(strings.TrimSpace(string(exit.Stderr)), "\n", "; ")
	}
	return err.Error()
}

// tooOld reports a released version before 1.23; of a development version nothing is
// known.
func tooOld(version string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(version, "go%d.%d", &major, &minor); err != nil {
		return false
	}
	return major == 1 && minor < 23
}

func (p *patient) cgo() {
	if p.golang.CGO_ENABLED != "1" {
		p.add("cgo", OK, "off: packages that need C are left out, as in plain go", "")
		return
	}
	words, err := gocmd.Split(p.golang.CC)
	if err != nil || len(words) == 0 {
		return
	}
	path, err := exec.LookPath(words[0])
	if err != nil {
		p.add("cgo", Warn, "on, but there is no C compiler "+words[0], "install it, or set CGO_ENABLED=0")
		return
	}
	p.add("cgo", OK, "on, C compiler "+path, "")
}

// caches looks at the places that a build writes to.
func (p *patient) caches() {
	getenv := p.Door.Environ.Get
	cache, err := store.Open(getenv)
	if err == nil {
		err = writable(cache)
	}
	if err != nil {
		p.add("cache", Fail, "goat's cache cannot be written: "+err.Error(), store.Hint)
	} else {
		size, files := sizeOf(cache)
		p.add("cache", OK, fmt.Sprintf("%s: %s in %d files", cache, megabytes(size), files), "")
	}
	if dir := p.golang.GOCACHE; dir != "" && dir != "off" {
		if err := writable(dir); err != nil {
			p.add("go cache", Fail, "go's build cache cannot be written: "+err.Error(), "set GOCACHE to a directory that can be written, or free some space: `go clean -cache`")
		} else {
			p.add("go cache", OK, dir, "")
		}
	}
	tmp := p.golang.GOTMPDIR
	if tmp == "" {
		tmp = os.TempDir()
	}
	if err := writable(tmp); err != nil {
		p.add("temporary files", Fail, "go cannot write its temporary files: "+err.Error(), "set GOTMPDIR to a directory that can be written")
	} else {
		p.add("temporary files", OK, tmp, "")
	}
	if _, err := os.UserHomeDir(); err != nil {
		text := "there is no home directory: " + err.Error()
		if getenv("GOAT_CACHE") == "" && getenv("XDG_CACHE_HOME") == "" {
			text += "; goat keeps its plans in " + cache
		}
		p.add("home", Warn, text, "set HOME, or GOCACHE and GOAT_CACHE")
	}
}

// writable tries to write a file of a few kilobytes: a full disk has room for a name.
func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, ".goat-doctor-*")
	if err != nil {
		return err
	}
	_, err = file.Write(make([]byte, 16<<10))
	return errors.Join(err, file.Close(), os.Remove(file.Name()))
}

func sizeOf(dir string) (size int64, files int) {
	// What cannot be read counts nothing.
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil
		}
		if info, err := entry.Info(); err == nil {
			size += info.Size()
			files++
		}
		return nil
	})
	return size, files
}

func megabytes(size int64) string { return fmt.Sprintf("%.1f MB", float64(size)/(1<<20)) }
