package cli

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/doors"
	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/render/text"
)

const planLong = `Plan shows what goat build would track, without building: the points, and what
became of every line that the change adds. It exits with 0 also when there is nothing
to track. --release may name any commit, so that two old releases can be compared.

The sums come first, by package and file, or by the key that --by names. The points
themselves follow where a terminal has room for them, and with --verbose or --explain.

The account is for the build of this machine, of the packages named as go build takes
them, else of all packages of the module: a line in a file for another GOOS, or in a
package that the build does not take, stands there with its reason, and its points are
summed up apart. Set GOOS, GOARCH, CGO_ENABLED or GOFLAGS=-tags=... to ask for another
build. Points are named TRACK_ID_1 and so on within the build, as in the program.

With --binary (GOAT_BINARY) the account is for that program: changed functions that the
linker left out of it, because nothing calls them, are link_removed. Report and check
take that account with --plan FILE, so that no gate waits for code that cannot run.`

const planExample = `  goat plan
  goat plan ./cmd/app
  goat plan --base v1.4.0 --release v1.5.0 --format json
  goat plan --explain
  goat plan --binary ./canary`

func (a *app) newPlan() *cobra.Command {
	var explain bool
	var out, binary string
	var by word
	cmd := &cobra.Command{
		Use:     "plan [packages]",
		GroupID: groupLook,
		Short:   "Show what would be tracked, and the account of every changed line",
		Long:    planLong,
		Example: planExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runPlan(cmd, args, out, binary, string(by), explain)
		},
	}
	cmd.Flags().BoolVar(&explain, "explain", false, "say of every point and line why it is what it is")
	cmd.Flags().Var(&by, "by", "sum up by package, file or func instead of packages with their files")
	complete(cmd, "by", cobra.FixedCompletions(text.PlanKeys, cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().StringVar(&out, "out", "", "also write the plan directory, named by its hash, into `DIR`")
	cmd.Flags().StringVar(&binary, "binary", "", "name the functions that the linker left out of `FILE`, a program built from the release")
	return cmd
}

func (a *app) runPlan(cmd *cobra.Command, args []string, out, binary, by string, explain bool) error {
	settings, err := a.settings()
	if err != nil {
		return err
	}
	asJSON, err := textOrJSON(settings.Format)
	if err != nil {
		return err
	}
	if by != "" {
		if err := config.OneOf(goat.CodeUsage, "--by", by, text.PlanKeys); err != nil {
			return err
		}
	}
	if err := a.recover(cmd.Context(), settings); err != nil {
		return err
	}
	options := settings.Options()
	if out != "" {
		if options.OutDir, err = filepath.Abs(out); err != nil {
			return written(err)
		}
	}
	asked, err := askedPackages(settings, args)
	if err != nil {
		return err
	}
	options.Config.ModFile = asked.Value("modfile")
	if options.Build, err = a.buildContext(cmd.Context(), settings, asked); err != nil {
		return err
	}
	if err := a.addDeps(cmd, settings, &options); err != nil {
		return err
	}
	if err := a.addBinary(cmd, settings, binary, &options); err != nil {
		return err
	}
	meter := a.newMeter(settings)
	options.Progress = meter.callback()
	if asJSON {
		document, err := goat.PlanDocument(cmd.Context(), options)
		meter.clear()
		if err != nil {
			return unwrittenPlan(err, out)
		}
		return writeDocument(a.stdout, document)
	}
	result, err := goat.Plan(cmd.Context(), options)
	meter.clear()
	if err != nil {
		return unwrittenPlan(err, out)
	}
	return a.print(text.Plan(result, text.PlanLooks{
		Looks: a.looksOf(settings), GoBuild: goBuildHere(settings.Dir), Explain: explain, By: by,
	}))
}

// unwrittenPlan says of a plan that cannot be written where the user has asked for it what
// helps there: the core knows goat's cache alone.
func unwrittenPlan(err error, out string) error {
	var e *goat.Error
	if out == "" || !errors.As(err, &e) || e.Code != goat.CodeUnwritable {
		return err
	}
	said := *e
	said.Hint = "make room and the directory writable, or name another place with --out"
	return &said
}

// askedPackages are the packages whose build the account is for. go can tell what a
// pattern means in the working tree only.
func askedPackages(settings *config.Settings, args []string) (*gocmd.Args, error) {
	if len(args) > 0 && !settings.WorkingTree() {
		return nil, &goat.Error{
			Code:    goat.CodeUsage,
			Message: "packages are those of the working tree, and the release is " + settings.Release,
			Hint:    "leave the packages out, or check the release out and leave --release out",
		}
	}
	return goArgs(settings, append([]string{"--"}, args...))
}

// goBuildHere says what plain go build does in this shell, if that is not plain: bare
// mode has its price, and what its helper said go would print at every build again.
func goBuildHere(dir string) string {
	executable, err := os.Executable()
	if err != nil {
		return ""
	}
	helper, err := doors.InForce(dir, executable, os.Environ())
	if err != nil || helper.Mode == doors.ModeNone {
		return ""
	}
	return string(helper.Mode) + " mode: " + helper.Why()
}

// addDeps names the upgraded modules, if they were asked for. go knows those of the
// working tree only.
func (a *app) addDeps(cmd *cobra.Command, settings *config.Settings, options *goat.Options) error {
	if !settings.Deps {
		return nil
	}
	if err := checkedOut(cmd, settings); err != nil {
		return err
	}
	environ := gocmd.Environ(os.Environ())
	args, err := gocmd.Parse("build", settings.Dir, nil, environ.Goflags())
	if err != nil {
		return &goat.Error{Code: goat.CodeUsage, Message: err.Error(), Hint: "see `go help environment`"}
	}
	find := doors.Upgrades{Environ: environ, Dir: settings.Dir, Flags: args.Module(), Requirements: goat.Requirements}
	deps, packages, err := find.Find(cmd.Context(), *options)
	if err != nil {
		return err
	}
	options.Deps = deps
	if options.Build != nil {
		options.Build.Packages = append(options.Build.Packages, packages...)
	}
	return nil
}
