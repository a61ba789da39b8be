package toolexec

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goat-trace/goat/go/internal/hook"
	"github.com/goat-trace/goat/go/internal/plan"
	"github.com/goat-trace/goat/go/internal/store"
)

// linking is one run of the linker.
type linking struct {
	*helper
	args  []string
	index *plan.Index
	// build is what go says of the build, plain are the packages with changes that are in
	// the program without a point.
	build buildFacts
	plain []string
	// archives is the importcfg: import path to archive, in the order of the file.
	archives map[string]string
	order    []string
	main     string // main's archive
	mainText []byte
	mode     string // exe, pie, c-shared, …
	// goos and goarch are the target where there is no archive to read it from.
	goos, goarch string
	key          string // of the hook's symbols
	exit         bool   // the hook wants an exit hook
	// redirected says that main\'s archive calls our function (coverhook.go).
	redirected bool
	// hooked says that the program's runtime tells of panics, setsCrash that it can set the
	// second output of a crash.
	hooked, setsCrash bool
	// profiled is the import path of the package that serves profiles, where it is linked.
	profiled string
	starts   bool   // the hook wants the runtime from us
	start    string // import path of the runtime package that starts it
	runtime  []string
	supplied []string // standard packages that only the runtime needs
	dir      string   // ours, beside the importcfg
	noted    plan.Linked
}

// link adds to the program one object: the table of the planned packages that are
// in it (ARCHITECTURE.md has the reasons). A program without goat's hook is linked
// as it came.
func (h *helper) link() (int, error) {
	cfg := get(h.args, "importcfg")
	if cfg == "" || len(h.args) == 0 {
		return h.pass()
	}
	l := &linking{helper: h, args: slices.Clone(h.args), main: h.args[len(h.args)-1], mode: get(h.args, "buildmode")}
	l.dir = filepath.Join(filepath.Dir(cfg), "goat")
	if err := l.readConfig(cfg); err != nil {
		return 0, err
	}
	found, err := l.findHook()
	if err != nil {
		return 0, err
	}
	if !found {
		return h.pass()
	}
	if has(h.args, "linkshared") {
		return 0, &problem{what: "-linkshared is not supported", hint: "build without -linkshared, or without goat: `go build -linkshared`"}
	}
	if l.index, err = plan.ReadIndex(h.plan); err != nil {
		return 0, h.planProblem(err)
	}
	if err := l.sameGoat(); err != nil {
		return 0, err
	}
	if err := l.addTable(cfg); err != nil {
		return 0, err
	}
	return l.linked()
}

// linked runs the linker. What a point adds to a chain of functions that may not split
// the stack only the linker finds out.
func (l *linking) linked() (int, error) {
	goos, goarch := l.target()
	program := plan.Program{PlanHash: l.index.PlanHash, Key: l.key, GOOS: goos, GOARCH: goarch}
	l.note(program)
	code, out, err := l.capture(l.args)
	if len(out) > 0 {
		_, _ = os.Stderr.Write(out)
	}
	if err != nil || code == 0 || !overflows(out) {
		return code, err
	}
	// Plain go may find no room either. A door looks and says it; after `goat env` there
	// is none.
	if _, env := os.LookupEnv("GOAT_GOFLAGS"); env || !l.marked {
		return code, &problem{what: plan.NoRoom, hint: plan.NoRoomHint + ", unless it says the same"}
	}
	l.noted.Overflow = true
	l.note(program)
	return code, nil
}

// chainPattern finds in what the linker prints of a chain that is too long its last
// functions, and goatCall a point's among them.
var (
	chainPattern = regexp.MustCompile(`(?m)^\S+: nosplit stack over `)
	goatCall     = regexp.MustCompile(`(?m)^ +grows \d+ bytes, calls \S*\bgoat_\w+`)
)

// overflows reports whether the linker complains of chains with points in them.
func overflows(out []byte) bool {
	return chainPattern.Match(out) && goatCall.Match(out)
}

// note keeps for the door what came of the program; without a cache nobody asks.
func (l *linking) note(p plan.Program) {
	if cache, err := store.Open(os.Getenv); err == nil {
		plan.NoteLinked(cache, p, l.noted)
	}
}

// readConfig reads the packagefile lines of importcfg.link.
func (l *linking) readConfig(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	l.archives, l.order = packageFiles(data)
	l.build = readFacts(data)
	return nil
}

// packageFiles parses the packagefile lines of an importcfg.
func packageFiles(data []byte) (map[string]string, []string) {
	archives, order := map[string]string{}, []string(nil)
	for _, line := range strings.Split(string(data), "\n") {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "packagefile ")
		path, file, cut := strings.Cut(rest, "=")
		if ok && cut {
			archives[path] = file
			order = append(order, path)
		}
	}
	return archives, order
}

// findHook looks for the hook's table variable: in main's archive, and for a test
// binary in those of the package under test.
func (l *linking) findHook() (bool, error) {
	var err error
	if l.mainText, err = os.ReadFile(l.main); err != nil {
		return false, err
	}
	texts := [][]byte{l.mainText}
	if tested, ok := strings.CutSuffix(l.pkg, ".test"); ok {
		for _, path := range []string{tested, tested + "_test"} {
			if file := l.archives[path]; file != "" {
				text, err := os.ReadFile(file)
				if err != nil {
					return false, err
				}
				texts = append(texts, text)
			}
		}
	}
	for _, text := range texts {
		if match := hook.TablePattern.FindSubmatch(text); match != nil {
			l.key = string(match[1])
			l.exit = bytes.Contains(text, []byte(hook.ExitSymbol(l.key)))
			l.starts = bytes.Contains(text, []byte(hook.StartSymbol(l.key)))
			return true, nil
		}
	}
	return false, nil
}

// sameGoat refuses to link what another goat planned: the table is an agreement
// between the runtime, the plan and the helper.
func (l *linking) sameGoat() error {
	return SameGoat(l.index.Goat, plan.Goat{Version: l.opts.Version, Commit: l.opts.Commit})
}

// SameGoat refuses a plan by another goat than the helper.
func SameGoat(planned, ours plan.Goat) error {
	if planned.Version == "" || ours.Version == "" || planned.Version == ours.Version && (planned.Commit == "" || ours.Commit == "" || planned.Commit == ours.Commit) {
		return nil
	}
	return &problem{
		what: fmt.Sprintf("two goat versions in one build: the plan is by %s %s, the helper is %s %s", planned.Version, planned.Commit, ours.Version, ours.Commit),
		hint: "use one goat for both: `which -a goat`, then plan again: `goat build`, or `go generate ./...`",
	}
}

// entry is one row of the table: a package, or a part of one whose other points
// were not compiled.
type entry struct {
	pkg  string
	acc  string // linker symbol of the accessor; empty for a degraded package
	meta string
	hook string // linker symbol of the variable by which the package calls the runtime
	// points are the row's, in counter order.
	points []plan.Point
	// part are the row's counters; whole says that they are all of the package's.
	part  run
	whole bool
}

// entries makes the rows: the identity, then the planned packages of this program.
func (l *linking) entries() ([]entry, error) {
	rows := []entry{{}}
	for _, ref := range l.index.Packages {
		text, symbols, err := l.archive(ref)
		if err != nil {
			return nil, err
		}
		if text == nil {
			continue
		}
		doc, err := plan.ReadPackage(l.plan, ref.ImportPath)
		if err != nil {
			return nil, l.planProblem(err)
		}
		of := l.rowsOf(doc, text, symbols)
		if len(of) == 0 {
			l.plain = append(l.plain, ref.ImportPath)
		}
		rows = append(rows, of...)
	}
	l.findPlain()
	rows[0].meta = l.identity()
	number := 0
	for i := range rows {
		rows[i].meta += pointsMeta(rows[i].points, &number)
	}
	return rows, nil
}

// findPlain notes which packages without points are in the program.
func (l *linking) findPlain() {
	for _, path := range l.index.Plain {
		if l.archives[path] != "" || l.component() == path {
			l.plain = append(l.plain, path)
		}
	}
}

// callPattern finds that variable in a package's added file.
var callPattern = regexp.MustCompile(`(?m)^var (goat_f_\w+) func\(\*uint32\)$`)

// rowsOf makes the rows of one package.
func (l *linking) rowsOf(doc *plan.Package, text []byte, prefixes []string) []entry {
	acc, call := "", ""
	for _, prefix := range prefixes {
		if symbol := prefix + "." + doc.Symbol; bytes.Contains(text, []byte(symbol)) {
			acc = symbol
			if match := callPattern.FindStringSubmatch(doc.Added.Text); match != nil {
				call = prefix + "." + match[1]
			}
			break
		}
	}
	if acc == "" {
		l.noted.Degraded = append(l.noted.Degraded, doc.ImportPath)
		return []entry{{pkg: doc.ImportPath, points: doc.Points}}
	}
	var rows []entry
	for _, part := range presentRuns(text, doc) {
		rows = append(rows, entry{
			pkg: doc.ImportPath, acc: acc, hook: call, points: doc.Points[part.first:part.end],
			part: part, whole: part == run{0, len(doc.Points)},
		})
	}
	return rows
}

// archive returns the archive of a package if it is part of the program, and the
// prefixes that its symbols may have.
func (l *linking) archive(ref plan.PackageRef) ([]byte, []string, error) {
	path := ref.ImportPath
	if ref.Name == "main" && l.isMain(path) {
		prefixes := []string{"main", symbolPrefix(path)}
		if plugin := get(l.args, "pluginpath"); plugin != "" {
			prefixes = append(prefixes, symbolPrefix(plugin), plugin)
		}
		return l.mainText, prefixes, nil
	}
	name := path
	if l.pkg == FileList+".test" && path == l.component() {
		name = FileList
	}
	file := l.archives[name]
	if file == "" || file == l.main || ref.Name == "main" && !strings.HasSuffix(l.pkg, ".test") {
		// It is not there, or what is there is another package of the same directory.
		return nil, nil, nil
	}
	text, err := os.ReadFile(file)
	return text, []string{symbolPrefix(name)}, err
}

// isMain reports whether the planned package, if it is a main one, is the program.
func (l *linking) isMain(path string) bool {
	if l.pkg != FileList {
		return path == l.pkg
	}
	return path == l.component()
}

// component is the import path of the program: the hook's key knows it, also for
// files given on the go command's line.
func (l *linking) component() string {
	for _, m := range l.index.Mains {
		if hook.Key(m.ImportPath, "main") == l.key {
			return m.ImportPath
		}
	}
	for _, t := range l.index.Tests {
		if hook.Key(t.ImportPath, t.Internal) == l.key || hook.Key(t.ImportPath, t.External) == l.key {
			return t.ImportPath
		}
	}
	return strings.TrimSuffix(l.pkg, ".test")
}

// symbolPrefix is an import path as it stands in symbol names: dots in the last
// element and a few other bytes are escaped.
func symbolPrefix(path string) string {
	slash := strings.LastIndexByte(path, '/')
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c <= ' ' || c == '.' && i > slash || c == '%' || c == '"' || c >= 0x7f {
			fmt.Fprintf(&b, "%%%02x", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// identity is what the program says about itself.
func (l *linking) identity() string {
	x := l.index
	pairs := []string{
		"goat", x.Goat.Version, "app", x.App.Name, "version", x.App.Version, "component", l.component(),
		"base", x.Base.Ref, "baseCommit", x.Base.Commit, "release", x.Release.Ref, "releaseCommit", x.Release.Commit,
		"dirty", strconv.FormatBool(x.Release.Dirty), "contentHash", x.Release.ContentHash, "plan", x.PlanHash,
		"granularity", x.Granularity, "precision", strconv.Itoa(x.Precision), "mode", l.binaryMode(), "module", x.Module,
	}
	pairs = append(pairs, l.build.pairs()...)
	pairs = append(pairs, "plain", strings.Join(l.plain, " "))
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "%s=%s\n", pairs[i], strconv.Quote(pairs[i+1]))
	}
	return b.String()
}

// binaryMode is the kind of binary, as the runtime knows it.
func (l *linking) binaryMode() string {
	switch {
	case strings.HasSuffix(l.pkg, ".test"):
		return "test"
	case l.mode == "c-shared" || l.mode == "c-archive" || l.mode == "plugin":
		return l.mode
	}
	return "exe"
}

// pointsMeta is the point table of a package: one line per counter. The names count the
// points of this program, whatever else the plan is for.
func pointsMeta(points []plan.Point, number *int) string {
	var b strings.Builder
	for _, p := range points {
		*number++
		fmt.Fprintf(&b, "%s\tTRACK_ID_%d\t%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\n", p.ID, *number, p.Kind, p.Form,
			p.Line, p.Column, p.EndLine, p.EndColumn, strconv.Quote(p.File), strconv.Quote(p.Func))
	}
	return b.String()
}
