package toolexec

import (
	"bufio"
	"bytes"
	"errors"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/goat-trace/goat/go/internal/hook"
	"github.com/goat-trace/goat/go/internal/plan"
	"github.com/goat-trace/goat/go/internal/store"
)

// unit is one Go file of a compile or cgo command line.
type unit struct {
	arg  string // as on the command line
	orig string // the file that the user wrote
	base string // base name of orig
	// object says that arg lies in the object directory: some tool wrote it.
	object bool
	// cover and cgo say which tools did.
	cover, cgo bool
	// test says that it is a test file, which goat leaves alone; other, that it is not the
	// file that the plan has under its name.
	test, other bool
	// data are orig's bytes, once read.
	data []byte
}

// unitsOf looks at the files of a command line.
func unitsOf(files []string, objdir string) ([]*unit, error) {
	units := make([]*unit, 0, len(files))
	for _, file := range files {
		u := &unit{arg: file, orig: file, base: filepath.Base(file)}
		if filepath.Clean(filepath.Dir(file)) == filepath.Clean(objdir) {
			u.object = true
			if err := u.trace(); err != nil {
				return nil, err
			}
		}
		u.test = strings.HasSuffix(u.base, "_test.go")
		units = append(units, u)
	}
	return units, nil
}

// trace finds the original behind the output of cover or cgo. Each of them puts a //line
// directive in front of what it was given; a user's file may have its own there, and be
// called as cover calls its output.
func (u *unit) trace() error {
	name := u.base
	if rest, ok := strings.CutSuffix(name, ".cgo1.go"); ok {
		u.cgo, name = true, rest+".go"
	}
	covered, byName := strings.CutSuffix(name, ".cover.go")
	if !u.cgo && !byName {
		return nil
	}
	first, second, err := lineDirectives(u.arg)
	if err != nil {
		return err
	}
	orig := first
	if byName && u.cgo {
		byName = filepath.Base(second) == covered+".go"
		if byName {
			orig = second
		}
	}
	if byName {
		u.cover, name = true, covered+".go"
	}
	if orig != "" {
		u.orig, u.base = orig, name
	}
	return nil
}

// lineDirectives returns the file that the first //line directive before the package
// clause names, and that of another one directly below it.
func lineDirectives(path string) (first, second string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", "", err
	}
	defer file.Close()
	for lines := bufio.NewReader(file); ; {
		line, err := lines.ReadString('\n')
		rest, ok := strings.CutPrefix(line, "//line ")
		named := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSpace(rest), ":1"), ":1")
		switch {
		case first != "" && ok:
			return first, named, nil
		case first != "" || err != nil || strings.HasPrefix(line, "package "):
			return first, "", nil
		case ok:
			first = named
		}
	}
}

// read returns the bytes of the file that the user wrote.
func (u *unit) read() ([]byte, error) {
	if u.data == nil {
		data, err := store.ReadFile(u.orig)
		if err != nil {
			return nil, err
		}
		u.data = data
	}
	return u.data, nil
}

// samePackage reports whether the files are of the document's package. One directory
// can hold more than one: build constraints tell them apart, and files can be given one
// by one on go's command line.
func samePackage(units []*unit, doc *plan.Package) bool {
	for _, u := range units {
		if u.test || u.object && u.orig == u.arg || hook.IsName(u.base) {
			continue
		}
		if data, err := u.read(); err == nil {
			name := clause(data)
			return name == "" || name == doc.Name
		}
	}
	return true
}

// clause is the name in a file's package clause; empty where the file has none.
func clause(text []byte) string {
	var s scanner.Scanner
	s.Init(token.NewFileSet().AddFile("", -1, len(text)), text, nil, 0)
	if _, tok, _ := s.Scan(); tok != token.PACKAGE {
		return ""
	}
	_, tok, name := s.Scan()
	if tok != token.IDENT {
		return ""
	}
	return name
}

// stale returns the error for files that are not what they were when the plan was
// made, or that were not there.
func (c *compilation) stale(path string, hashes map[string]string) error {
	changed, err := c.changed(hashes)
	switch {
	case err != nil:
		return err
	case len(changed) == 0:
		return nil
	}
	return &problem{what: StaleText(changed) + " (package " + path + ")", hint: c.replan()}
}

// StaleText says that files are not those of the plan.
func StaleText(files []string) string {
	verb := " has"
	if len(files) > 1 {
		verb = " have"
	}
	return strings.Join(files, ", ") + verb + " changed since the plan"
}

// changed are the files of the package that are not those of the plan.
func (c *compilation) changed(hashes map[string]string) ([]string, error) {
	home := map[string]bool{}
	for _, u := range c.units {
		if _, covered := hashes[u.base]; covered {
			home[filepath.Dir(u.orig)] = true
		}
	}
	var changed []string
	for _, u := range c.units {
		same, err := c.planned(u, hashes, home)
		if err != nil {
			return nil, err
		}
		if !same {
			changed = append(changed, u.orig)
		}
	}
	return changed, nil
}

// planned reports whether a file is as the plan knows it. Files of goat's own, of
// other tools and of the user's own overlay are not the plan's.
func (c *compilation) planned(u *unit, hashes map[string]string, home map[string]bool) (bool, error) {
	known, covered := hashes[u.base]
	if u.test || u.object && u.orig == u.arg || !covered && !home[filepath.Dir(u.orig)] || foreign(u.orig) {
		return true, nil
	}
	data, err := u.read()
	if !covered && hook.IsName(u.base) && errors.Is(err, os.ErrNotExist) {
		// The hook under cover: its place in the tree is empty.
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if covered && plan.SameHash(known, plan.HashBytes(data)) {
		return true, nil
	}
	return !covered && hook.IsOurs(data) || c.overlaid(u.orig), nil
}

// foreign reports whether a file is a copy of a module elsewhere: a package of the
// plan may be built from a vendored or downloaded version of its module.
func foreign(file string) bool {
	dir := filepath.Dir(file)
	if downloaded(dir) {
		return true
	}
	for at := dir; at != filepath.Dir(at); at = filepath.Dir(at) {
		if filepath.Base(at) == "vendor" && vendored(at, dir) {
			return true
		}
	}
	return false
}

// versionPattern matches the directory of a module in the module cache.
var versionPattern = regexp.MustCompile(`@v[0-9]+\.[0-9]+\.[0-9]+`)

// downloaded reports whether a directory is part of a module in the module cache, which
// go names to its tools. Not all that lies there is: a checkout has no version.
func downloaded(dir string) bool {
	if cache := os.Getenv("GOMODCACHE"); cache != "" {
		rel, err := filepath.Rel(cache, dir)
		if err != nil || !filepath.IsLocal(rel) {
			return false
		}
		dir = rel
	}
	return versionPattern.MatchString(dir)
}

// vendored reports whether a directory is a package that a vendor directory lists: a
// checkout may lie below any directory of that name.
func vendored(vendor, dir string) bool {
	list, err := store.ReadFile(filepath.Join(vendor, "modules.txt"))
	if err != nil {
		return false
	}
	rel, err := filepath.Rel(vendor, dir)
	if err != nil {
		return false
	}
	for _, line := range strings.Split(string(list), "\n") {
		if strings.TrimSpace(line) == filepath.ToSlash(rel) {
			return true
		}
	}
	return false
}

// instrument returns the file's text with the points in it; nil if it is to stay
// as it is (the cgo step was there first, or the file is not the planned one), and
// false if the points cannot be placed.
func (u *unit) instrument(file *plan.File, f forms) ([]byte, bool, error) {
	if u.cgo {
		// The cgo step put the exact points in, unless it could not.
		data, err := store.ReadFile(u.arg)
		if err != nil {
			return nil, false, err
		}
		text, all := repoint(data, file, f.text)
		if !all {
			orig, err := u.read()
			u.other = err == nil && !plan.SameHash(file.Hash, plan.HashBytes(orig))
		}
		return text, all || u.other, nil
	}
	if u.object && !u.cover {
		return nil, true, nil
	}
	data, err := u.read()
	if err != nil {
		return nil, false, err
	}
	if !plan.SameHash(file.Hash, plan.HashBytes(data)) {
		// The user's own overlay replaces it, or it is another version's: anything else
		// was called stale before.
		u.other = true
		return nil, true, nil
	}
	if !u.cover {
		text, ok := splice(data, file.Edits, f)
		return text, ok, nil
	}
	covered, err := store.ReadFile(u.arg)
	if err != nil {
		return nil, false, err
	}
	text, ok := spliceCovered(data, covered, file.Edits, f)
	return text, ok, nil
}

// splice inserts the edits into the original; false if they do not fit it.
func splice(data []byte, edits []plan.Edit, f forms) ([]byte, bool) {
	var out bytes.Buffer
	from := 0
	for _, e := range edits {
		if e.At < from || e.At > len(data) {
			return nil, false
		}
		out.Write(data[from:e.At])
		out.WriteString(f.text(e))
		from = e.At
	}
	out.Write(data[from:])
	return out.Bytes(), true
}

// withoutPoints takes the points out of cgo's output, which holds them verbatim
// and in order; all is false if one of them is not there.
func withoutPoints(data []byte, file *plan.File) (plain []byte, all bool) {
	return repoint(data, file, func(plan.Edit) string { return "" })
}

// repoint puts other texts in place of the points in cgo's output.
func repoint(data []byte, file *plan.File, text func(plan.Edit) string) (out []byte, all bool) {
	for _, e := range file.Edits {
		at, old := firstOf(data, e.Exact, e.Text)
		if at < 0 {
			return nil, false
		}
		out = append(append(out, data[:at]...), text(e)...)
		data = data[at+len(old):]
	}
	return append(out, data...), true
}

// firstOf finds the first of two texts that occurs in data.
func firstOf(data []byte, texts ...string) (at int, text string) {
	best := -1
	for _, t := range texts {
		if t == "" {
			continue
		}
		if i := bytes.Index(data, []byte(t)); i >= 0 && (best < 0 || i < best) {
			best, text = i, t
		}
	}
	return best, text
}
