package doors

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/hook"
	"github.com/goat-trace/goat/go/internal/plan"
	"github.com/goat-trace/goat/go/internal/store"
	"github.com/goat-trace/goat/go/internal/toolexec"
)

// goSays is an error of the user's that go itself reports, in its own words.
type goSays struct{ error }

func (e goSays) Unwrap() error { return e.error }

// build is marked mode: plan, overlay, markers, go.
func (d *door) build(ctx context.Context) (int, error) {
	if err := d.parse(); err != nil {
		return d.failed(ctx, err)
	}
	if d.args.Versioned() {
		d.say("no points: %s names a module version, not this work tree", strings.Join(d.args.Packages, " "))
		return d.plain(ctx)
	}
	if err := d.makePlan(ctx, d.args.Dir); err != nil {
		return 0, err
	}
	if why := d.nothing(); why != "" {
		d.say("%s", why)
		return d.plain(ctx)
	}
	d.openTimings()
	line, err := d.goArgs()
	if err != nil {
		return d.failed(ctx, err)
	}
	d.share = d.shareOf(d.listing(ctx))
	d.say("%s", d.summary())
	code, err := d.run(ctx, d.args.Dir, line)
	switch {
	case err == nil && code == 0 && d.Verb != "test":
		d.sayLinked()
	case err == nil && code != 0 && d.overflowed() && d.linksPlain(ctx):
		fmt.Fprintf(d.errOut(), "goat: %s\nhint: %s\n", plan.NoRoom, plan.NoRoomHint)
	}
	return code, err
}

// failed lets go report what it would have reported without us.
func (d *door) failed(ctx context.Context, err error) (int, error) {
	if errors.As(err, new(goSays)) {
		return d.plain(ctx)
	}
	return 0, err
}

// sayLinked says what the helper has found out at link, where that matters: that a
// program is not tracked, or that it writes a spool only and none is set.
func (d *door) sayLinked() {
	kinds := map[string]bool{}
	for _, m := range d.index.Mains {
		linked := d.noted(m)
		kinds[linked.Runtime] = true
		if d.Settings.Panics && !linked.Panics && (linked.Runtime == plan.RuntimeSpool || linked.Runtime == plan.RuntimeServer) {
			d.say("panics are not recorded: this Go has another runtime than goat knows, or another -gcflags takes the place of goat's for package runtime")
			break
		}
	}
	if d.Settings.Pprof {
		d.sayUnprofiled()
	}
	switch {
	case kinds[plan.RuntimeNone]:
		d.say("not tracked: the runtime does not compile for this target")
	case kinds[plan.RuntimeSpool] && !kinds[plan.RuntimeServer] && d.Environ.Get(spoolVariable) == "":
		d.say("spool only: set GOAT_SPOOL to a directory when you run the program, which does not link net/http")
	}
}

// sayUnprofiled says which programs cannot serve profiles.
func (d *door) sayUnprofiled() {
	for _, m := range d.index.Mains {
		if linked := d.noted(m); linked.Runtime != "" && linked.Runtime != plan.RuntimeNone && !linked.Pprof {
			d.sayNoProfiles(m)
		}
	}
}

func (d *door) sayNoProfiles(m plan.Main) {
	d.say("no profiles from %s: it does not link net/http (--server=on adds it)", m.ImportPath)
}

// noted is what the helper has noted about a program, for this build's target.
func (d *door) noted(m plan.Main) plan.Linked {
	program := plan.Program{PlanHash: d.index.PlanHash, Key: hook.Key(m.ImportPath, "main")}
	program.GOOS, program.GOARCH = d.userEnviron().Target()
	return plan.ReadLinked(d.cache.dir, program)
}

// parse takes the arguments apart and refuses what cannot work.
func (d *door) parse() error {
	var err error
	d.args, err = gocmd.Parse(d.Verb, d.Settings.Dir, d.Args, d.userEnviron().Goflags())
	if err != nil {
		return goSays{&goat.Error{Code: goat.CodeUsage, Message: err.Error(), Hint: "see `go help environment`"}}
	}
	if d.userEnviron().Setting("GO111MODULE") == "off" {
		return &goat.Error{Code: goat.CodeNoGoMod, Message: "GO111MODULE=off: in GOPATH mode go reads no go.mod, from which the plan has its import paths",
			Hint: "build without goat: `go " + d.Verb + "`; or in module mode: `GO111MODULE= goat " + d.Verb + "`"}
	}
	if d.args.Value("buildmode") == "shared" {
		return &goat.Error{Code: goat.CodeUsage, Message: "-buildmode=shared is not supported", Hint: "build the library without goat: `go " + d.Verb + " -buildmode=shared`"}
	}
	if d.args.Linkshared {
		return &goat.Error{Code: goat.CodeUsage, Message: "-linkshared is not supported", Hint: "leave -linkshared out, or build without goat: `go " + d.Verb + " -linkshared`"}
	}
	return nil
}

// nothing says why there is nothing to instrument; empty if there is something.
func (d *door) nothing() string {
	if d.index.Marked {
		return "the points are in the sources already (`goat track`); building as go does (`goat clean` takes them out)"
	}
	if (d.index.Points == 0 || len(d.index.Packages) == 0) && !(d.asked() && len(d.index.Mains) > 0 && d.Verb != "test") {
		switch n := d.untracked; {
		case d.leftOut > 0:
			return fmt.Sprintf("no points: of what changed against %s nothing can be tracked (`goat plan` says why); building as go does", d.baseName())
		case n > 0:
			return fmt.Sprintf("no points: %s changed against %s, none of them tracked (`goat plan` says why); building as go does", counted(n, "line"), d.baseName())
		}
		return fmt.Sprintf("no points: nothing executable has changed against %s; building as go does", d.baseName())
	}
	if len(d.index.Mains) == 0 && d.Verb != "test" {
		return "no points: there is no main package in this module; building as go does"
	}
	return ""
}

// asked reports whether the program is to have more than points.
func (d *door) asked() bool { return d.Settings.Panics || d.Settings.Pprof }

// goArgs is the go command line of marked mode.
func (d *door) goArgs() ([]string, error) {
	file, err := d.overlayFile()
	if err != nil {
		return nil, err
	}
	tool, err := d.toolexec(file)
	if err != nil {
		return nil, err
	}
	marks, err := d.markers(argumentLimit(), d.args.Dir)
	if err != nil {
		return nil, err
	}
	line := []string{d.Verb, "-toolexec=" + tool, "-overlay=" + file}
	for _, value := range append(append([]string(nil), d.args.Typed()...), marks...) {
		line = append(line, "-gcflags="+value)
	}
	if d.Verb == "test" && d.Environ.Get(spoolVariable) != "" && !d.args.Has("count") && !d.args.Has("test.count") {
		line = append(line, "-count=1")
	}
	line = append(line, d.args.Flags...)
	return append(line, d.rest()...), nil
}

// toolexec is the value of -toolexec: the helper, and behind it the user's own.
func (d *door) toolexec(overlay string) (string, error) {
	program, err := d.helperProgram()
	if err != nil {
		return "", err
	}
	words := []string{program, "toolexec", "--plan=" + d.dir, "--overlay=" + overlay}
	if d.Settings.Server == "off" {
		words = append(words, "--server=off")
	}
	if d.Settings.Panics {
		words = append(words, "--panics")
	}
	if d.Settings.Pprof {
		words = append(words, "--pprof")
	}
	if d.timings != nil {
		words = append(words, "--timings="+d.timings.file)
	}
	return behindOurs(words, d.args.Toolexec, d.Executable)
}

// behindOurs joins the words of goat's helper and, behind it, the user's own -toolexec.
func behindOurs(words []string, own, executable string) (string, error) {
	next, err := gocmd.Split(own)
	if err != nil {
		return "", &goat.Error{Code: goat.CodeUsage, Message: "-toolexec: " + err.Error(), Hint: "see `go help build`"}
	}
	if before, behind, ok := toolexec.IsHelper(next, executable); ok {
		// A shell that has GOFLAGS set for goat: only what is the user's own stays.
		flags, rest, err := toolexec.ParseFlags(behind)
		if err != nil {
			return "", &goat.Error{Code: goat.CodeUsage, Message: err.Error(), Hint: "leave -toolexec out: `goat build` brings its own"}
		}
		next = slices.Concat(before, flags.Next, rest)
	}
	for _, word := range next {
		words = append(words, "--next="+word)
	}
	text, err := gocmd.Join(words)
	if err != nil {
		return "", &goat.Error{Code: goat.CodeUsage, Message: "-toolexec: " + err.Error(), Hint: "move goat or its cache (GOAT_CACHE) to a path without quotes"}
	}
	return text, nil
}

// rest are the packages and what follows them. Files named one by one leave the
// overlay's hook out, so it is named besides; where they are nothing but test
// files, nothing of the package is in the binary, and no hook either.
func (d *door) rest() []string {
	files := d.args.Files()
	own := slices.IndexFunc(files, func(file string) bool { return !strings.HasSuffix(file, "_test.go") })
	if own < 0 {
		return d.args.Rest
	}
	name := d.hookOf(files[own])
	if name == "" {
		return d.args.Rest
	}
	rest := append([]string(nil), d.args.Rest[:len(files)]...)
	rest = append(rest, filepath.Join(filepath.Dir(files[0]), name))
	return append(rest, d.args.Rest[len(files):]...)
}

// home is where a hook file is at home: an absolute directory, and the package of its clause.
type home struct{ dir, pkg string }

// hookOf is the name of the hook file for the package of a file on the command line.
func (d *door) hookOf(file string) string {
	pkg := "main"
	if text, err := store.ReadFile(d.absolute(file)); err == nil {
		pkg = clause(text)
	}
	if name := d.hooks[home{d.fileDir(), pkg}]; name != "" {
		return name
	}
	return d.hooks[home{d.fileDir(), pkg + "_test"}]
}

// summary is goat's one line about a build.
func (d *door) summary() string {
	s := d.share
	return fmt.Sprintf("%s in %s (base %s, release %s)%s", counted(s.points, "point"), counted(s.packages, "package"),
		d.baseName(), d.releaseName(), s.rest())
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// baseName is the base with its commit and how it was found.
func (d *door) baseName() string {
	b := d.index.Base
	text := strings.TrimSpace(b.Ref + " " + short(b.Commit))
	if b.Chosen != "" {
		text += ", " + b.Chosen
	}
	if b.PassedOver != "" {
		text += ", not the pre-release " + b.PassedOver
	}
	return text
}

// releaseName is the release with its commit.
func (d *door) releaseName() string {
	r := d.index.Release
	if r.Commit == "" {
		return "working tree, before the first commit"
	}
	if r.Dirty {
		return "working tree " + short(r.Commit) + "-dirty"
	}
	return "working tree " + short(r.Commit)
}

func short(commit string) string {
	if len(commit) > 12 {
		return commit[:12]
	}
	return commit
}
