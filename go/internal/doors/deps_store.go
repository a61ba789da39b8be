package doors

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/store"
)

// moduleStore gets the files of module versions: from the module cache, else by the
// go command, which goes by the user's GOPROXY and checks them against go.sum.
type moduleStore struct {
	Upgrades
	// sums are the base's go.sum files.
	sums  string
	mains []string
	cache string
}

// fill finds the directories of both versions of every upgrade, or says what is missing
// and how to get it.
func (s *moduleStore) fill(ctx context.Context, found []upgrade) error {
	out, err := gocmd.Output(ctx, s.Dir, s.Environ, []string{"env", "GOMODCACHE"})
	if err != nil {
		return (&goat.Error{Code: goat.CodeToolchain, Message: "go env GOMODCACHE fails", Hint: "check the Go installation"}).Wrap(err)
	}
	s.cache = strings.TrimSpace(string(out))
	wanted := map[moduleVersion]string{}
	for i := range found {
		if found[i].Problem == "" {
			wanted[found[i].old], wanted[found[i].new] = "", ""
		}
	}
	if err := s.locate(ctx, wanted); err != nil {
		return err
	}
	for i := range found {
		up := &found[i]
		if up.Problem != "" {
			continue
		}
		up.OldDir, up.NewDir = wanted[up.old], wanted[up.new]
		for _, m := range []moduleVersion{up.new, up.old} {
			if wanted[m] == "" {
				up.Problem = fmt.Sprintf("%s is not in the module cache; `go mod download %s` gets it", m, m)
			}
		}
	}
	return nil
}

// locate sets the directory of every version that can be had.
func (s *moduleStore) locate(ctx context.Context, wanted map[moduleVersion]string) error {
	var missing []string
	for m := range wanted {
		if wanted[m] = s.cached(m); wanted[m] == "" {
			missing = append(missing, m.String())
		}
	}
	if len(missing) == 0 {
		return nil
	}
	sort.Strings(missing)
	if err := s.download(ctx, missing); err != nil {
		return err
	}
	for m, dir := range wanted {
		if dir == "" {
			wanted[m] = s.cached(m)
		}
	}
	return nil
}

// cached is the directory of a version that the module cache holds as a whole.
func (s *moduleStore) cached(m moduleVersion) string {
	path, version := filepath.FromSlash(escaped(m.path)), escaped(m.version)
	if exists(filepath.Join(s.cache, "cache", "download", path, "@v", version+".partial")) {
		return ""
	}
	dir := filepath.Join(s.cache, path+"@"+version)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return ""
	}
	return dir
}

// escaped spells capital letters as the module cache does: not all file systems tell
// them from small ones.
func escaped(name string) string {
	var b strings.Builder
	for _, r := range name {
		if 'A' <= r && r <= 'Z' {
			b.WriteByte('!')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// download has go fetch versions. It works in a module of its own, so that the user's
// go.mod and go.sum stay as they are, with the sums that the user's modules know.
func (s *moduleStore) download(ctx context.Context, versions []string) error {
	dir, err := os.MkdirTemp("", "goat-deps-")
	if err != nil {
		return unwritable(os.TempDir(), err)
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{"go.mod": "module goat.invalid/deps\n\ngo 1.21\n", "go.sum": s.allSums()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			return unwritable(dir, err)
		}
	}
	flags := "-mod=mod"
	for _, flag := range s.Flags {
		if flag == "-modcacherw" {
			flags += " " + flag
		}
	}
	env := s.Environ.With("GOFLAGS", flags).With("GOWORK", "off")
	// What fails here is missing afterwards, and that is said module by module.
	_, _ = gocmd.Output(ctx, dir, env, append([]string{"mod", "download"}, versions...))
	return ctx.Err()
}

// allSums are the checksums of the base and of the release, each line once: go.sum files
// of two versions agree on most.
func (s *moduleStore) allSums() string {
	text := s.sums
	for _, dir := range s.mains {
		for _, name := range []string{"go.sum", "go.work.sum"} {
			sums, err := store.ReadFile(filepath.Join(dir, name))
			if err == nil {
				text += "\n" + string(sums)
			}
		}
	}
	lines := map[string]bool{}
	for _, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines[line] = true
		}
	}
	sorted := make([]string, 0, len(lines))
	for line := range lines {
		sorted = append(sorted, line)
	}
	sort.Strings(sorted)
	return strings.Join(sorted, "\n") + "\n"
}
