package toolexec

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"go/build"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/goat-trace/goat/go/internal/hook"
	"github.com/goat-trace/goat/go/internal/plan"
	"github.com/goat-trace/goat/go/internal/store"
)

// The runtime is compiled at link, against the very archives that the program is
// linked from, and kept in goat's cache: so it is never part of go's build graph,
// needs no directory in the user's module, meets no -cover, -race or vet, and
// cannot disagree with the program about a package's fingerprint.

// runtimePackage is one package of the runtime, for the target of this link.
type runtimePackage struct {
	path    string // import path
	files   map[string][]byte
	imports []string
	// standard says that it is one of the standard library.
	standard bool
}

// initName is added to each package of the runtime, so that its initialiser always
// exists: no one but the table's start function runs it.
const initName = "goat_init.go"

const initText = "\n\nvar goatInit = goatInitialised()\n\n//go:noinline\nfunc goatInitialised() bool { return true }\n"

// addRuntime compiles the runtime if the hook wants it from us, and names it in a
// copy of importcfg.link.
func (l *linking) addRuntime(cfg string) error {
	if !l.starts || l.opts.Runtime == nil {
		return nil
	}
	core, server, err := l.runtimePackages()
	if err != nil {
		return err
	}
	if err := l.supply(core); err != nil {
		return err
	}
	if !l.complete(core) {
		return l.incomplete(core)
	}
	packages, err := l.chosen(core, server)
	if err != nil {
		return err
	}
	for _, p := range packages {
		file, err := l.compileRuntime(p)
		if broken := (*problem)(nil); errors.As(err, &broken) {
			// A target that the runtime does not know must not cost the user the build.
			// The door says what has become of the tracking.
			l.start, l.runtime, l.hooked, l.profiled = "", nil, false, ""
			l.noted.Runtime = plan.RuntimeNone
			return nil
		}
		if err != nil {
			return err
		}
		l.archives[p.path] = file
		l.runtime = append(l.runtime, p.path)
		if p == core || p == server {
			l.start = p.path
		}
	}
	l.noted.Runtime = plan.RuntimeSpool
	if l.start != core.path {
		l.noted.Runtime = plan.RuntimeServer
	}
	l.noted.Panics, l.noted.Pprof = l.hooked, l.profiled != ""
	return l.extendConfig(cfg)
}

// chosen are the runtime's packages that this program gets, each behind those that it
// imports.
func (l *linking) chosen(core, server *runtimePackage) ([]*runtimePackage, error) {
	packages := []*runtimePackage{core}
	panics, err := l.panicsPackage()
	if err != nil {
		return nil, err
	}
	if panics != nil {
		packages = append(packages, panics)
	}
	if l.noServer || !l.complete(server) {
		return packages, nil
	}
	packages = append(packages, server)
	profiles, err := l.profilesPackage()
	if err != nil {
		return nil, err
	}
	if profiles != nil {
		packages = append(packages, profiles)
	}
	return packages, nil
}

// incomplete is for a program that lacks what the runtime needs. The hook of the
// build doors sees to it; in bare mode the hook cannot import anything.
func (l *linking) incomplete(core *runtimePackage) error {
	return lackingProblem(l.missing(core))
}

func lackingProblem(missing []string) error {
	return &problem{
		what: "the program does not link " + strings.Join(missing, ", ") + ", which the runtime needs",
		hint: "type `goat build` instead, or import the package in the program",
	}
}

// missing are the packages that p imports and the program does not hold.
func (l *linking) missing(p *runtimePackage) []string {
	var missing []string
	for _, need := range p.imports {
		ours := need == l.runtimePath() || strings.HasPrefix(need, l.runtimePath()+"/")
		if need != "unsafe" && !ours && l.archives[need] == "" {
			missing = append(missing, need)
		}
	}
	return missing
}

// extendConfig adds the runtime to a copy of importcfg.link.
func (l *linking) extendConfig(cfg string) error {
	data, err := os.ReadFile(cfg)
	if err != nil {
		return err
	}
	text := strings.TrimRight(string(data), "\n") + "\n"
	for _, p := range append(l.supplied, l.runtime...) {
		text += packageLine(p, l.archives[p])
	}
	copied := filepath.Join(l.dir, "importcfg.link")
	set(l.args, "importcfg", copied)
	return writeFile(copied, []byte(text))
}

// runtimePath is the import path of the runtime in the program. Plugins share
// packages with their host by path, so theirs is their own.
func (l *linking) runtimePath() string {
	if l.mode == "plugin" {
		return "goat/rt" + l.key
	}
	return "goat/rt"
}

// runtimePackages sorts the runtime's source into its two packages and leaves out
// what is for other systems.
func (l *linking) runtimePackages() (core, server *runtimePackage, err error) {
	path := l.runtimePath()
	files, err := l.opts.Runtime(path, "")
	if err != nil {
		return nil, nil, err
	}
	core, server = l.pick(path, "", files), l.pick(path+"/"+hook.ServerDir, hook.ServerDir, files)
	for _, p := range []*runtimePackage{core, server} {
		if err := p.finish(); err != nil {
			return nil, nil, err
		}
	}
	return core, server, nil
}

// pick takes the files of one directory that are for this target.
func (l *linking) pick(importPath, dir string, files map[string][]byte) *runtimePackage {
	p := &runtimePackage{path: importPath, files: map[string][]byte{}}
	context := build.Default
	context.GOOS, context.GOARCH = l.target()
	context.CgoEnabled = false
	context.BuildTags = nil
	for name, text := range files {
		if strings.TrimSuffix(path.Dir(name), ".") != dir {
			continue
		}
		context.OpenFile = func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }
		if ok, err := context.MatchFile(dir, path.Base(name)); err == nil && ok {
			p.files[path.Base(name)] = text
		}
	}
	return p
}

// target reads GOOS and GOARCH from the header of main's object.
func (l *linking) target() (goos, goarch string) {
	if l.goos != "" {
		return l.goos, l.goarch
	}
	const header = "\ngo object "
	at := bytes.Index(l.mainText, []byte(header))
	if at < 0 {
		return runtime.GOOS, runtime.GOARCH
	}
	line, _, _ := bytes.Cut(l.mainText[at+len(header):], []byte("\n"))
	words := strings.Fields(string(line))
	if len(words) < 2 {
		return runtime.GOOS, runtime.GOARCH
	}
	return words[0], words[1]
}

// panicsPackage is the package that records panics, where the program's runtime tells of
// them and the program holds what the package needs.
func (l *linking) panicsPackage() (*runtimePackage, error) {
	if err := l.findPanics(); err != nil || !l.hooked {
		return nil, err
	}
	p, err := l.below(hook.PanicsDir)
	if err != nil {
		return nil, err
	}
	if err := l.supply(p); err != nil {
		return nil, err
	}
	l.hooked = l.complete(p)
	if !l.hooked {
		return nil, nil
	}
	return p, nil
}

// profilesPackage is the package that serves profiles, where the build asks for it and
// the program has a server and holds what the package needs.
func (l *linking) profilesPackage() (*runtimePackage, error) {
	if !l.pprof || l.binaryMode() != "exe" {
		return nil, nil
	}
	p, err := l.below(hook.PprofDir)
	if err != nil || !l.complete(p) {
		return nil, err
	}
	l.profiled = p.path
	return p, nil
}

// below is one of the packages that are linked on request only.
func (l *linking) below(dir string) (*runtimePackage, error) {
	path := l.runtimePath()
	files, err := l.opts.Runtime(path, "", dir)
	if err != nil {
		return nil, err
	}
	p := l.pick(path+"/"+dir, dir, files)
	return p, p.finish()
}

// finish adds the initialiser and collects the imports.
func (p *runtimePackage) finish() error {
	for name, text := range p.files {
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			if need, err := strconv.Unquote(spec.Path.Value); err == nil {
				p.imports = append(p.imports, need)
			}
		}
		if !p.standard {
			p.files[initName] = []byte("package " + file.Name.Name + initText)
		}
	}
	slices.Sort(p.imports)
	p.imports = slices.Compact(p.imports)
	return nil
}

// complete reports whether the program holds all that a package imports.
func (l *linking) complete(p *runtimePackage) bool {
	return len(p.files) > 0 && len(l.missing(p)) == 0
}

// compileRuntime returns the archive of one package, from the cache or compiled.
func (l *linking) compileRuntime(p *runtimePackage) (string, error) {
	key, err := l.runtimeKey(p)
	if err != nil {
		return "", err
	}
	shelf := ""
	if cache, err := store.Open(os.Getenv); err == nil {
		shelf = filepath.Join(cache, "runtime", key)
	}
	if kept := find(shelf); kept != "" {
		return kept, nil
	}
	dir := filepath.Join(l.dir, strings.ReplaceAll(p.path, "/", "_"))
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	out := filepath.Join(dir, "rt.a")
	imports := ""
	for _, need := range p.imports {
		if file := l.archives[need]; file != "" {
			imports += packageLine(need, file)
		}
	}
	cfg := filepath.Join(dir, "importcfg")
	if err := writeFile(cfg, []byte(imports)); err != nil {
		return "", err
	}
	args := []string{"-o", out, "-trimpath", dir + "=>/goat/" + p.path, "-importcfg", cfg, "-p", p.path, "-complete", "-nolocalimports", "-pack"}
	args = append(args, l.codeFlags()...)
	if p.standard {
		args = append(args, "-std")
	}
	for _, name := range p.names() {
		file := filepath.Join(dir, name)
		if err := writeFile(file, p.files[name]); err != nil {
			return "", err
		}
		args = append(args, file)
	}
	if err := l.compileWith("the runtime", args); err != nil {
		return "", err
	}
	return keep(out, shelf), nil
}

func (p *runtimePackage) names() []string {
	names := make([]string, 0, len(p.files))
	for name := range p.files {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// archiveName is the name of an archive in the cache: the hash of its bytes is in it,
// because nothing else would tell a damaged one before the linker stumbles over it.
func archiveName(data []byte) string {
	sum := sha256.Sum256(data)
	return "rt-" + hex.EncodeToString(sum[:16]) + ".a"
}

// find returns the archive in a directory of the cache, "" if there is no whole one.
func find(shelf string) string {
	if shelf == "" {
		return ""
	}
	entries, _ := os.ReadDir(shelf)
	for _, entry := range entries {
		name := filepath.Join(shelf, entry.Name())
		if filepath.Ext(name) != ".a" {
			continue
		}
		if data, err := os.ReadFile(name); err == nil && archiveName(data) == entry.Name() {
			return name
		}
	}
	return ""
}

// keep copies a compiled archive into the cache; where that cannot be, the
// original will do.
func keep(out, shelf string) string {
	data, err := os.ReadFile(out)
	if err != nil || shelf == "" || os.MkdirAll(shelf, 0o777) != nil {
		return out
	}
	file, err := os.CreateTemp(shelf, ".rt-*")
	if err != nil {
		return out
	}
	cached := filepath.Join(shelf, archiveName(data))
	_, err = file.Write(data)
	if file.Close() != nil || err != nil || os.Rename(file.Name(), cached) != nil {
		_ = os.Remove(file.Name())
		return out
	}
	return cached
}

// runtimeKey hashes what a compiled package of the runtime depends on: its source,
// the flags, and the compiler and imports by the ids in the archives' headers.
func (l *linking) runtimeKey(p *runtimePackage) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, "runtime 1", p.path, l.codeFlags(), os.Getenv("GOEXPERIMENT"))
	for _, name := range p.names() {
		fmt.Fprintf(sum, "%s %d\n%s", name, len(p.files[name]), p.files[name])
	}
	for _, need := range p.imports {
		file := l.archives[need]
		if file == "" {
			continue
		}
		head, err := headOf(file)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s\n%s\n", need, head)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16]), nil
}

// headOf returns an archive's first lines: toolchain, target and build id; for an
// archive of our own, which has no build id, all of it.
func headOf(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	head := make([]byte, 1024)
	n, err := io.ReadFull(file, head)
	if err != nil && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	head, _, found := bytes.Cut(head[:n], []byte("\n\n"))
	if found && bytes.Contains(head, []byte("build id ")) {
		return head, nil
	}
	return os.ReadFile(name)
}

// startSource writes the function that initialises and starts the runtime: it is
// not among the packages that go's own start-up initialises.
func (l *linking) startSource(b *strings.Builder) {
	if l.start == "" {
		return
	}
	calls := ""
	for i, p := range l.runtime {
		fmt.Fprintf(b, "\n//go:linkname i%d %s.init\nfunc i%d()\n", i, symbolPrefix(p), i)
		calls += fmt.Sprintf("\ti%d()\n", i)
	}
	install := ""
	if l.hooked {
		install = "\tinstallPanics(ok)\n"
	}
	if l.profiled != "" {
		install += "\tprofiles.Install(ok)\n"
	}
	fmt.Fprintf(b, "\n//go:linkname s0 %s\nvar s0 = func(t %s, e func(func())) bool {\n%s\tok := rt.Start(t, e)\n%s\treturn ok\n}\n",
		hook.StartSymbol(l.key), hook.TableType, calls, install)
}
