package toolexec

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/goat-trace/goat/go/internal/hook"
	"github.com/goat-trace/goat/go/internal/plan"
)

// builder collects a variant: copies go below dir, one directory per original
// directory, and each such directory gets a -trimpath rule that gives the
// copies the path which plain go gives the originals.
type builder struct {
	*variant
	dir   string
	dirs  map[string]string // original directory -> our directory
	rules string            // the -trimpath value of the original command
}

func (c *compilation) newVariant(name string) *builder {
	return &builder{
		variant: &variant{args: append([]string(nil), c.args...)},
		dir:     filepath.Join(filepath.Dir(c.work), name),
		dirs:    map[string]string{},
		rules:   get(c.args, "trimpath"),
	}
}

// place returns our directory for the files of an original directory.
func (b *builder) place(original string) (string, error) {
	if dir, ok := b.dirs[original]; ok {
		return dir, nil
	}
	dir := b.dir
	if n := len(b.dirs); n > 0 {
		dir += strconv.Itoa(n)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	b.dirs[original] = dir
	sep := string(filepath.Separator)
	b.paths = append(b.paths, dir+sep, original+sep)
	rule := dir + "=>" + rewrite(original, b.rules)
	if val, _, at := value(b.args, "trimpath"); at >= 0 {
		set(b.args, "trimpath", rule+";"+val)
	}
	return dir, nil
}

// swap writes text and compiles it in place of u's file.
func (b *builder) swap(c *compilation, u *unit, text []byte) error {
	dir, err := b.place(filepath.Dir(u.arg))
	if err != nil {
		return err
	}
	path := filepath.Join(dir, filepath.Base(u.arg))
	if err := writeFile(path, b.located(u, text)); err != nil {
		return err
	}
	for i := c.first; i < len(b.args); i++ {
		if b.args[i] == u.arg {
			b.args[i] = path
		}
	}
	return nil
}

// located makes sure that positions name the original file where a -trimpath rule
// cannot: in a path that holds the rules' own separators.
func (b *builder) located(u *unit, text []byte) []byte {
	if b.rules != "" && !strings.ContainsAny(u.arg, ";") && !strings.Contains(u.arg, "=>") {
		return text
	}
	return append([]byte("//line "+u.arg+":1:1\n"), text...)
}

// add appends one more file to the package, under the path of the package's files.
func (b *builder) add(c *compilation, file plan.Generated) error {
	dir, err := b.place(c.home())
	if err != nil {
		return err
	}
	path := filepath.Join(dir, file.Name)
	b.args = append(b.args, path)
	return writeFile(path, []byte(file.Text))
}

// home is the directory of the user's files in the package: not that of the hook,
// which lies in goat's cache; the object directory where tools have rewritten all.
func (c *compilation) home() string {
	for _, u := range c.units {
		if !u.object && !hook.IsName(u.base) {
			return filepath.Dir(u.arg)
		}
	}
	return filepath.Dir(get(c.args, "o"))
}

// writeFile writes a file of the object directory.
func writeFile(path string, data []byte) error {
	return os.WriteFile(path, data, 0o666)
}
