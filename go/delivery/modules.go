package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

const (
	mainModule = "github.com/goat-trace/goat/go"
	// libraryModule is the platform's: cgo looks for the library beside the file that
	// names it, and Go has no way to fetch one but a module.
	libraryModule = mainModule + "/lib/linux_amd64"
	// platform is the build constraint under which there is a library.
	platform = "(linux && amd64)"
	// anyPlatform is what stands in its place in the sources.
	anyPlatform = "(linux || darwin) && (amd64 || arm64)"
)

// files are the contents of a module under their slash paths.
type files map[string][]byte

// content is one of them as the zip's maker wants it.
type content struct {
	name string
	data []byte
}

func (c content) Path() string                 { return c.name }
func (c content) Lstat() (fs.FileInfo, error)  { return c, nil }
func (c content) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(c.data)), nil }
func (c content) Name() string                 { return path.Base(c.name) }
func (c content) Size() int64                  { return int64(len(c.data)) }
func (c content) Mode() fs.FileMode            { return 0o644 }
func (c content) ModTime() time.Time           { return time.Time{} }
func (c content) IsDir() bool                  { return false }
func (c content) Sys() any                     { return nil }

// writeModules makes the proxy: goat, its library, and goat-contract.
func (r *release) writeModules(notices []byte) error {
	license, err := os.ReadFile(filepath.Join(r.root, "LICENSE"))
	if err != nil {
		return err
	}
	library, err := r.libraryFiles()
	if err != nil {
		return err
	}
	library["LICENSE"], library["THIRD-PARTY-NOTICES"] = license, notices
	sums, err := r.writeModule(libraryModule, library)
	if err != nil {
		return err
	}
	goat, err := r.sources("go")
	if err != nil {
		return err
	}
	if err := r.released(goat, sums); err != nil {
		return err
	}
	goat["LICENSE"] = license
	if goat["README.md"], err = os.ReadFile(filepath.Join(r.root, "README.md")); err != nil {
		return err
	}
	if _, err := r.writeModule(mainModule, goat); err != nil {
		return err
	}
	contract, err := r.sources("go/contract")
	if err != nil {
		return err
	}
	contract["LICENSE"] = license
	_, err = r.writeModule(mainModule+"/contract", contract)
	return err
}

// sources are the tracked files of the module in a directory, without those of modules
// below it. Links are left out, as go leaves them out.
func (r *release) sources(dir string) (files, error) {
	list := exec.Command("git", "-C", r.root, "ls-files", "-z", "--", dir)
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	names := strings.FieldsFunc(string(out), func(c rune) bool { return c == 0 })
	nested := map[string]bool{}
	for _, name := range names {
		if path.Base(name) == "go.mod" && path.Dir(name) != dir {
			nested[path.Dir(name)] = true
		}
	}
	found := files{}
	for _, name := range names {
		info, err := os.Lstat(filepath.Join(r.root, name))
		if err != nil {
			return nil, err
		}
		if within(nested, name) || !info.Mode().IsRegular() {
			continue
		}
		if found[strings.TrimPrefix(name, dir+"/")], err = os.ReadFile(filepath.Join(r.root, name)); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func within(dirs map[string]bool, name string) bool {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if dirs[dir] {
			return true
		}
	}
	return false
}

// libraryFiles is the module that carries the core to one platform.
func (r *release) libraryFiles() (files, error) {
	library, err := os.ReadFile(r.library)
	return files{
		"go.mod":    []byte("module " + libraryModule + "\n\ngo 1.23.0\n"),
		"libgoat.a": library,
		"lib.go": []byte(`// Package linux_amd64 is the core of goat (Rust, with libgit2, PCRE and zlib in it) for
// linux/amd64, as one object that shows goat's own symbols and no others. It needs glibc.
// github.com/goat-trace/goat/go imports it; nothing else has a use for it.
package linux_amd64

// #cgo LDFLAGS: ${SRCDIR}/libgoat.a -lutil -lrt -lpthread -lm -ldl
import "C"
`),
		"README.md": []byte("The core of [goat](https://github.com/goat-trace/goat) for linux/amd64, made by `scripts/release`.\n"),
	}, err
}

// released turns the sources of a checkout into those of a release: the library comes
// from its module, and the version, the commit and the library's hash are known.
func (r *release) released(f files, sums string) error {
	var constrained int
	for name, text := range f {
		if path.Ext(name) != ".go" && path.Ext(name) != ".c" {
			continue
		}
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		if bytes.HasPrefix(line, []byte("//go:build ")) && bytes.Contains(line, []byte(anyPlatform)) {
			f[name] = append(bytes.Replace(line, []byte(anyPlatform), []byte(platform), 1), append([]byte("\n"), rest...)...)
			constrained++
		}
	}
	link := "internal/native/link.go"
	if constrained < 5 || f[link] == nil {
		return fmt.Errorf("the sources of the boundary have changed: %d files are constrained to %s", constrained, anyPlatform)
	}
	f[link] = []byte("//go:build cgo && !goat_nocore && " + platform + "\n\npackage native\n\n" +
		"// The core's library travels in a module of its own.\nimport _ \"" + libraryModule + "\"\n")
	stamp, err := os.ReadFile(filepath.Join(r.root, "go/internal/native/core_stamp.h"))
	if err != nil {
		return err
	}
	f["internal/native/core_stamp.h"] = stamp
	f["internal/self/released.go"] = fmt.Appendf(nil,
		"package self\n\nfunc init() {\n\tversion, commit, date = %q, %q, %q\n}\n",
		strings.TrimPrefix(r.version, "v"), r.commit, r.time.Format(time.RFC3339))
	mod, err := modfile.Parse("go.mod", f["go.mod"], nil)
	if err != nil {
		return err
	}
	if err := mod.AddRequire(libraryModule, r.version); err != nil {
		return err
	}
	mod.Cleanup()
	if f["go.mod"], err = mod.Format(); err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(f["go.sum"])+sums), "\n")
	sort.Strings(lines)
	f["go.sum"] = []byte(strings.Join(lines, "\n") + "\n")
	return nil
}

// writeModule adds a module to the proxy and returns its lines of a go.sum.
func (r *release) writeModule(modulePath string, f files) (string, error) {
	version := module.Version{Path: modulePath, Version: r.version}
	var list []zip.File
	for name, data := range f {
		list = append(list, content{name, data})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Path() < list[j].Path() })
	var archive bytes.Buffer
	if err := zip.Create(&archive, version, list); err != nil {
		return "", fmt.Errorf("%s: %w", modulePath, err)
	}
	escaped, err := module.EscapePath(modulePath)
	if err != nil {
		return "", err
	}
	info, err := json.Marshal(struct {
		Version string
		Time    time.Time
	}{r.version, r.time})
	if err != nil {
		return "", err
	}
	dir := path.Join("proxy", escaped, "@v")
	served := files{
		"list": []byte(r.version + "\n"), r.version + ".info": info,
		r.version + ".mod": f["go.mod"], r.version + ".zip": archive.Bytes(),
	}
	for name, data := range served {
		if err := r.write(path.Join(dir, name), data); err != nil {
			return "", err
		}
	}
	whole, err := dirhash.HashZip(filepath.Join(r.out, filepath.FromSlash(dir), r.version+".zip"), dirhash.Hash1)
	if err != nil {
		return "", err
	}
	mod, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(f["go.mod"])), nil
	})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("\n%s %s %s\n%s %s/go.mod %s\n", modulePath, r.version, whole, modulePath, r.version, mod), nil
}
