package toolexec

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go/internal/hook"
	"github.com/goat-trace/goat/go/internal/plan"
	"github.com/goat-trace/goat/go/internal/store"
)

// PIE ends the markers of a build of position-independent executables. The compiler is
// told no more than -shared, as for a C library, in which a store is scanned by no one;
// and go would take the one's objects for the other's.
const PIE = ".pie"

// exact reports whether this run of the compiler takes exact points only. What a
// plugin shares with its host must be the same in both, inlined bodies included, or
// the plugin does not load; so there the host's build decides, which is position
// independent (-shared) by default on some systems. Elsewhere a host that is built so
// says it (PIE), for -shared alone may be a C library.
func (c *compilation) exact() (bool, error) {
	flags := c.args[:c.first]
	always := slices.Contains([]string{"android", "darwin", "ios"}, os.Getenv("GOOS"))
	switch {
	case has(flags, "race"):
		return true, nil
	case has(flags, "dynlink") && !always:
		return c.isPlugin()
	case has(flags, "shared", "dynlink"):
		return always || !c.pie, nil
	}
	return false, nil
}

// isPlugin reports whether the package is a main one of the plan.
func (c *compilation) isPlugin() (bool, error) {
	index, err := plan.ReadIndex(c.plan)
	if err != nil {
		return false, c.planProblem(err)
	}
	return slices.ContainsFunc(index.Mains, func(m plan.Main) bool { return m.ImportPath == c.doc.ImportPath }), nil
}

// compilation is one run of the compiler.
type compilation struct {
	*helper
	// args are the compiler's arguments without the marker; args[first:] the Go files.
	args  []string
	first int
	// work is our directory in the package's object directory.
	work string
	// doc is the package's document; nil where nothing is to be instrumented.
	doc *plan.Package
	// undo is the document of a planned package that this build wants plain: the
	// cgo step, which sees no marker, may have put points in.
	undo *plan.Package
	// pie says that -shared stands for an executable, not for a C library.
	pie bool
	// units are the Go files with what is known about each.
	units []*unit
}

// compile runs the compiler, on rewritten sources where the package is planned.
func (h *helper) compile() (int, error) {
	marker, args := takeMarker(h.args)
	if marker == PanicsMarker {
		return h.compilePanics(args)
	}
	marker, pie := strings.CutSuffix(marker, PIE)
	c := &compilation{helper: h, args: args, first: sources(args), pie: pie || h.bare != nil && h.bare.Pie}
	out := get(args, "o")
	if h.pkg == "" || out == "" || c.first == len(args) {
		return h.exec(args)
	}
	c.work = filepath.Join(filepath.Dir(out), "goat")
	path := h.importPath(filepath.Dir(args[c.first]))
	if err := c.load(path, marker); err != nil {
		return 0, err
	}
	changed, err := c.arrange(path)
	if err != nil {
		return 0, err
	}
	switch {
	case c.doc != nil:
		c.pointed = true
		return c.instrumented()
	case c.undo != nil:
		return c.undone()
	case !changed && len(args) == len(h.args):
		return h.pass()
	}
	return h.exec(c.args)
}

// load finds out what the plan says about the package: whether its sources are
// those of the plan, and the document if it is to be instrumented.
func (c *compilation) load(path, marker string) error {
	hashes, err := plan.ReadHashes(c.plan, path)
	if err != nil {
		return c.planProblem(err)
	}
	if marker != "" && !plan.Exists(c.plan) {
		return &problem{what: "plan directory gone: " + c.plan, hint: c.replan()}
	}
	if hashes == nil && !hasPlanned(c.plan, path) {
		return c.unknown(path, marker)
	}
	if c.units, err = unitsOf(c.args[c.first:], filepath.Dir(get(c.args, "o"))); err != nil {
		return err
	}
	if stale := c.stale(path, hashes); stale != nil {
		if os.Getenv("GOAT_STALE") == "skip" {
			return c.wantPlain(path)
		}
		return stale
	}
	return c.choose(path, marker)
}

// hasPlanned is a stat: whether there is a document for the package.
func hasPlanned(dir, path string) bool {
	_, err := os.Stat(filepath.Join(dir, filepath.FromSlash(plan.DocName(path))))
	return err == nil
}

// unknown handles a package outside the plan. A marker on it means that the plan
// behind the marker has been lost, unless it is the one marker for a whole module,
// or that of the package whose external tests or test main this is.
func (c *compilation) unknown(path, marker string) error {
	if marker == "" || marker == c.planHash() {
		return nil
	}
	for _, suffix := range []string{"_test", ".test"} {
		if tested, ok := strings.CutSuffix(path, suffix); ok && (tested == FileList || hasPlanned(c.plan, tested)) {
			return nil
		}
	}
	return &problem{what: "plan directory gone: no document for " + path + " in " + c.plan, hint: c.replan()}
}

// planHash is the hash of the plan in use.
func (c *compilation) planHash() string {
	index, err := plan.ReadIndex(c.plan)
	if err != nil {
		return ""
	}
	return index.PlanHash
}

// choose loads the document if this very build wants it.
func (c *compilation) choose(path, marker string) error {
	if c.marked && marker == "" {
		return c.wantPlain(path)
	}
	doc, err := plan.ReadEdits(c.plan, path)
	if errors.Is(err, os.ErrNotExist) {
		return c.unknown(path, marker)
	}
	if err != nil {
		return c.planProblem(err)
	}
	if c.marked && marker != doc.Marker && marker != c.planHash() {
		return &problem{what: "plan directory gone: " + path + " was marked by another plan", hint: c.replan()}
	}
	if samePackage(c.units, doc) {
		c.doc = doc
	}
	return nil
}

// wantPlain remembers the document of a package whose cgo files may hold points.
func (c *compilation) wantPlain(path string) error {
	if !slices.ContainsFunc(c.units, func(u *unit) bool { return u.cgo }) {
		return nil
	}
	doc, err := plan.ReadEdits(c.plan, path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	c.undo = doc
	return err
}

// undone compiles the package without the points of the cgo step.
func (c *compilation) undone() (int, error) {
	v := c.newVariant("goat-plain")
	if err := v.unsplice(c, c.undo); err != nil {
		return 0, err
	}
	return c.exec(v.args)
}

func (h *helper) planProblem(err error) error {
	if errors.Is(err, os.ErrNotExist) && !plan.Exists(h.plan) {
		return &problem{what: "plan directory gone: " + h.plan, hint: h.replan()}
	}
	return &problem{what: "plan in " + h.plan, err: err, hint: h.replan()}
}

// replan is the command that makes the plan anew, in the mode that is in force.
func (h *helper) replan() string {
	switch {
	case h.marked:
		return "plan again: `goat build`, or `eval \"$(goat env)\"` before `go build`; GOAT_STALE=skip builds changed files plain"
	case h.bare != nil && h.bare.Generated:
		return "plan again: `go generate ./...` (or `goat generate`); GOAT_STALE=skip builds changed files plain"
	}
	return "build again; `goat build` needs no second try"
}

// arrange makes the changes that do not depend on points: the hook stands last,
// and what only looks like part of the package is not embedded. It reports
// whether it changed the arguments.
func (c *compilation) arrange(path string) (bool, error) {
	if err := c.hooksWhole(); err != nil {
		return false, err
	}
	changed := c.hooksLast()
	if c.bare != nil {
		added, err := c.bare.addHook(c, path)
		if err != nil {
			return false, err
		}
		changed = changed || added
	}
	hidden, err := c.hideFromEmbed()
	return changed || hidden, err
}

// hooksWhole refuses a hook of goat's cache that is not what goat wrote there: its
// directory is named by its hash.
func (c *compilation) hooksWhole() error {
	for _, file := range c.args[c.first:] {
		dir := filepath.Dir(file)
		if !hook.IsName(filepath.Base(file)) || filepath.Base(filepath.Dir(dir)) != "files" || !plan.IsHash(filepath.Base(dir)) {
			continue
		}
		if text, err := os.ReadFile(file); err != nil || store.Sum(text) != filepath.Base(dir) {
			return &problem{what: "goat's hook file is damaged: " + file, hint: c.replan()}
		}
	}
	return nil
}

// hooksLast moves hook files behind the other files, so that the phase init ends
// when everything else is initialised.
func (c *compilation) hooksLast() bool {
	var rest, hooks []string
	for _, file := range c.args[c.first:] {
		if hook.IsName(hookBase(file)) {
			hooks = append(hooks, file)
		} else {
			rest = append(rest, file)
		}
	}
	if len(hooks) == 0 {
		return false
	}
	c.args = append(append(append([]string(nil), c.args[:c.first]...), rest...), hooks...)
	c.nameFirst(hooks)
	return true
}

// nameFirst puts the -trimpath rules of files before all others: the first rule that
// fits wins, and where goat's cache lies inside the module, that of the package's
// directory fits the hook, too. Its name in the cache would be in the binary.
func (c *compilation) nameFirst(files []string) {
	rules := strings.Split(get(c.args[:c.first], "trimpath"), ";")
	own := func(rule string) int {
		from, _, _ := strings.Cut(rule, "=>")
		if slices.Contains(files, from) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(rules, func(a, b string) int { return own(a) - own(b) })
	set(c.args[:c.first], "trimpath", strings.Join(rules, ";"))
}

// hookBase is the base name of a file, that of the original for cover's output.
func hookBase(file string) string {
	base := filepath.Base(file)
	if rest, ok := strings.CutSuffix(base, ".cover.go"); ok {
		return rest + ".go"
	}
	return base
}

// instrumented compiles the rewritten package; if the compiler refuses it, the
// original with the stub, which makes the package degraded. Between the two, where
// the original is fine, stands the package without free points, in case that the
// compiler does not know them. What fails in the end is the original alone.
func (c *compilation) instrumented() (int, error) {
	exact, err := c.exact()
	if err != nil {
		return 0, err
	}
	f := forms{exact: exact, free: c.mayBeFree()}
	code, done, err := c.attempt(f)
	if done || err != nil {
		return code, err
	}
	code, err = c.compileDegraded(!f.free)
	if code != 0 || err != nil || !f.free {
		return code, err
	}
	f.free = false
	if code, done, err = c.attempt(f); done || err != nil {
		return code, err
	}
	return c.compileDegraded(true)
}

// attempt compiles the rewritten package; done is false if the compiler refuses it,
// or if the points cannot be put in.
func (c *compilation) attempt(f forms) (code int, done bool, err error) {
	v, err := c.rewritten(f)
	if err != nil || v == nil {
		return 0, false, err
	}
	code, out, err := c.capture(v.args)
	switch {
	case err != nil || code < 0:
		return 1, true, err
	case code != 0 && !passing(out):
		return 0, false, nil
	}
	_, err = os.Stderr.Write(c.withoutOurs(v.unmap(out)))
	return code, true, err
}

// compileDegraded compiles the original with the stub. What is said about a
// package that compiles is kept back where another attempt follows.
func (c *compilation) compileDegraded(last bool) (int, error) {
	v, err := c.degraded()
	if err != nil {
		return 0, err
	}
	code, out, err := c.capture(v.args)
	switch {
	case err != nil:
		return 1, err
	case code > 0 && !passing(out):
		return c.original()
	case last || code != 0:
		_, err = os.Stderr.Write(v.unmap(out))
	}
	if code < 0 {
		code = 1
	}
	return code, err
}

// original compiles the package with nothing of goat's in it: what is said about it
// then is the user's own.
func (c *compilation) original() (int, error) {
	v := c.newVariant("goat-plain")
	if err := v.unsplice(c, c.doc); err != nil {
		return 0, err
	}
	code, out, err := c.capture(v.args)
	if err == nil {
		_, err = os.Stderr.Write(v.unmap(out))
	}
	if code < 0 {
		code = 1
	}
	return code, err
}

// variant is one way of compiling the package: its arguments, and the paths of
// ours that stand for original ones.
type variant struct {
	args  []string
	paths []string // old, new, old, new, …
}

// unmap names the original files in the compiler's output.
func (v *variant) unmap(out []byte) []byte {
	if len(out) == 0 || len(v.paths) == 0 {
		return out
	}
	return []byte(strings.NewReplacer(v.paths...).Replace(string(out)))
}

// rewritten writes the copies with points and returns how to compile them; nil
// if the points cannot be put into some file.
func (c *compilation) rewritten(f forms) (*variant, error) {
	v := c.newVariant("goat")
	for _, u := range c.units {
		file := c.doc.File(u.base)
		if file == nil || u.test {
			continue
		}
		text, ok, err := u.instrument(file, f)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, nil
		}
		if text == nil {
			continue
		}
		if err := v.swap(c, u, text); err != nil {
			return nil, err
		}
	}
	added := c.withPresence(c.doc.Added)
	if !f.free {
		return v.variant, v.add(c, added)
	}
	if err := v.add(c, c.withCoverMark(added)); err != nil {
		return nil, err
	}
	return v.variant, v.setFree(c)
}

// degraded compiles the original and the accessor alone.
func (c *compilation) degraded() (*variant, error) {
	v := c.newVariant("goat-stub")
	if err := v.unsplice(c, c.doc); err != nil {
		return nil, err
	}
	return v.variant, v.add(c, c.doc.Stub)
}

// unsplice takes the points that the cgo step put in out of its outputs.
func (b *builder) unsplice(c *compilation, doc *plan.Package) error {
	for _, u := range c.units {
		file := doc.File(u.base)
		if file == nil || !u.cgo {
			continue
		}
		data, err := os.ReadFile(u.arg)
		if err != nil {
			return err
		}
		if plain, all := withoutPoints(data, file); all {
			if err := b.swap(c, u, plain); err != nil {
				return err
			}
		}
	}
	return nil
}
