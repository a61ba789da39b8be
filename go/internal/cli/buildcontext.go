package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/golist"
	"github.com/goat-trace/goat/go/internal/plan"
	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/store"
)

// buildContext is what a plain `go build` of this moment would build: of the packages
// that args name, as go takes them, else all of the covered modules. There is none
// without a go command, and for a release that is not the working tree, because go
// sees only that; the account is then that of every build at once. So it is, with a
// line that says so, where go cannot list the packages.
func (a *app) buildContext(ctx context.Context, settings *config.Settings, args *gocmd.Args) (*goat.Build, error) {
	if _, err := exec.LookPath("go"); err != nil || goRoot(settings.Dir) == "" || !settings.WorkingTree() || !goat.HasCore() {
		return nil, nil
	}
	query := a.query(settings, args)
	build, err := query.Build(ctx)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		a.note(settings, "the account is that of every build at once: "+asGoatError(err).Error())
		return nil, nil
	}
	return build, nil
}

// query asks go about the build of a command line.
func (a *app) query(settings *config.Settings, args *gocmd.Args) *golist.Query {
	query := &golist.Query{
		Dir: settings.Dir, Environ: userEnviron(),
		Nested: settings.File.SkipNestedModules != nil && !*settings.File.SkipNestedModules,
	}
	if cache, err := store.Open(a.getenv); err == nil {
		query.Cache = cache
	}
	if args != nil {
		query.Dir, query.Flags, query.Overlay, query.Patterns = args.Dir, args.Module(), args.Overlay, args.Packages
	}
	if !settings.Quiet {
		query.Say = func(line string) { fmt.Fprintln(a.stderr, printable.Text(line)) }
	}
	return query
}

// userEnviron is the environment without what `goat env` put there.
func userEnviron() gocmd.Environ {
	environ := gocmd.Environ(os.Environ())
	if own, saved := environ.Lookup(gocmd.SavedGoflags); saved {
		return environ.Without(gocmd.SavedGoflags).With("GOFLAGS", own)
	}
	return environ
}

// goArgs takes go's flags and packages apart, as go build would.
func goArgs(settings *config.Settings, args []string) (*gocmd.Args, error) {
	parsed, err := gocmd.Parse("build", settings.Dir, args, userEnviron().Goflags())
	if err != nil {
		return nil, &goat.Error{Code: goat.CodeUsage, Message: err.Error(), Hint: "see `go help environment`"}
	}
	return parsed, nil
}

// note says on stderr what a person may want to know, unless goat is to be quiet.
func (a *app) note(settings *config.Settings, text string) {
	if !settings.Quiet {
		a.tell("%s", strings.ReplaceAll(text, "\n", " "))
	}
}

// goRoot is the module's root, or that of a workspace without a module; "" for neither.
func goRoot(dir string) string {
	if root := config.ModuleRoot(dir); root != "" {
		return root
	}
	for _, file := range plan.ModuleFiles(dir, gocmd.Environ(os.Environ()).Setting("GOWORK")) {
		if filepath.Base(file) != "go.mod" {
			return filepath.Dir(file)
		}
	}
	return ""
}
