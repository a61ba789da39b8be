package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/doors"
	"github.com/goat-trace/goat/go/internal/gocmd"
)

// goVerb is a verb that hands its arguments to the go command.
type goVerb struct {
	name, short, what, example string
}

var goVerbs = []goVerb{
	{
		"build", "go build, with the change instrumented",
		"Build runs go build with track points in the changed code.",
		"  goat build -o app ./cmd/app\n  goat build --base v1.4.0 -race ./...",
	},
	{
		"test", "go test, with the change instrumented",
		"Test runs go test with track points in the changed code. With GOAT_SPOOL set it adds\n" +
			"-count=1, because go would replay a cached result, which leaves no evidence.",
		"  GOAT_SPOOL=spool goat test ./... && goat report spool",
	},
	{
		"run", "go run, with the change instrumented",
		"Run runs go run with track points in the changed code.",
		"  goat run ./cmd/app --config app.yaml",
	},
	{
		"install", "go install, with the change instrumented",
		"Install runs go install with track points in the changed code.",
		"  goat install ./cmd/...",
	},
	{"vet", "go vet, on the sources as they are", "Vet runs go vet on the original sources.", "  goat vet ./..."},
	{"list", "go list, on the sources as they are", "List runs go list on the original sources.", "  goat list -deps ./cmd/app"},
}

const goVerbLong = `

goat's flags stand before the verb or directly behind it. The first argument that is
not one of them, and everything behind it, is go's and stays as it is. Exit code and
output are go's`

// What goat adds to go's output: nothing where nothing is built.
const (
	goBuildAdds = `; goat adds one line on stderr, none with -q. The sources, go.mod and
the build cache are not touched: a plain go build afterwards gives the plain program.`
	goLookAdds = `: nothing of goat's is in them, also under goat env.`
)

// newGoVerbs are the verbs that run the go command.
func (a *app) newGoVerbs() []*cobra.Command {
	var cmds []*cobra.Command
	for _, v := range goVerbs {
		cmds = append(cmds, a.newGoVerb(v))
	}
	return cmds
}

func (a *app) newGoVerb(v goVerb) *cobra.Command {
	adds := goBuildAdds
	if v.name == "vet" || v.name == "list" {
		adds = goLookAdds
	}
	return a.takingGoFlags(&cobra.Command{
		Use:     v.name + " [goat flags] [arguments of go " + v.name + "]",
		GroupID: groupBuild,
		Short:   v.short,
		Long:    v.what + goVerbLong + adds + "\n\nSee also: go help " + v.name,
		Example: v.example,
	}, a.open)
}

// takingGoFlags makes a verb leave go's flags, which are not ours to parse, to run.
func (a *app) takingGoFlags(cmd *cobra.Command, run func(*cobra.Command, []string) error) *cobra.Command {
	cmd.DisableFlagParsing, cmd.DisableFlagsInUseLine = true, true
	cmd.ValidArgsFunction = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		rest, err := a.splitGoFlags(cmd, args)
		if err != nil {
			return err
		}
		if len(rest) > 0 && (rest[0] == "--help" || rest[0] == "-h") {
			return cmd.Help()
		}
		return run(cmd, rest)
	}
	return cmd
}

// open hands a verb to its door and exits with the door's code.
func (a *app) open(cmd *cobra.Command, args []string) error {
	settings, err := a.settings()
	if err != nil {
		return err
	}
	if err := checkedOut(cmd, settings); err != nil {
		return err
	}
	if cmd.Name() != "vet" && cmd.Name() != "list" {
		if err := a.recover(cmd.Context(), settings); err != nil {
			return err
		}
	}
	executable, err := os.Executable()
	if err != nil {
		e := &goat.Error{Code: goat.CodeUnreadable, Message: "goat cannot find its own program"}
		return e.Wrap(err)
	}
	meter := a.newMeter(settings)
	code, err := doors.Run(cmd.Context(), doors.Request{
		Verb: cmd.Name(), Args: args, Settings: settings, Executable: executable,
		Streams: gocmd.Streams{In: a.stdin, Out: a.stdout, Err: a.stderr},
		Plan:    meter.planner(), Requirements: goat.Requirements,
	})
	if err != nil {
		return err
	}
	if code != exitDone {
		return exitStatus(code)
	}
	return nil
}

// checkedOut refuses a release that is not checked out: a build sees only the working
// tree. vet and list look at no release.
func checkedOut(cmd *cobra.Command, settings *config.Settings) error {
	if settings.WorkingTree() || cmd.Name() == "vet" || cmd.Name() == "list" {
		return nil
	}
	git := gitIn(settings.Dir)
	head, release := git.commit(cmd.Context(), "HEAD"), git.commit(cmd.Context(), settings.Release)
	switch {
	case release == "":
		// The core names what is wrong with a ref that means nothing; git may be what is wrong.
		return git.check(cmd.Context())
	case release == head:
		return nil
	}
	return &goat.Error{
		Code:    goat.CodeUsage,
		Message: fmt.Sprintf("%s is not checked out, and a build sees only the working tree", settings.Release),
		Hint:    fmt.Sprintf("`git checkout %s`, or `git worktree add ../release %[1]s` and goat there", settings.Release),
	}
}

const envLong = `Env prints shell lines after which plain go build, go test and so on are instrumented:

    eval "$(goat env)"
    go build ./...

The plan is the one of this moment: a file that is edited later fails its compile with
the command to type, because evidence about other code would be false.

go then lists goat's hook files beside yours. Commands that look for each file which go
lists do not find them; they take your own flags:

    GOFLAGS=$GOAT_GOFLAGS go generate ./...
    GOFLAGS=$GOAT_GOFLAGS go fmt ./...

-gcflags, -overlay and -toolexec on the command line take the place of those in GOFLAGS,
also of goat's: goat build merges them, and goat doctor says what is lost. Your own
-toolexec in GOFLAGS before goat env is run behind goat's. A host of plugins that is built
with -buildmode=pie says so in GOFLAGS before goat env, too: the plugins have to fit it.`

func (a *app) newEnv() *cobra.Command {
	var shell string
	var unset bool
	cmd := &cobra.Command{
		Use:     "env",
		GroupID: groupBuild,
		Short:   "Print shell lines after which plain go build is instrumented",
		Long:    envLong,
		Example: "  eval \"$(goat env)\"\n  goat env --shell fish | source\n  eval \"$(goat env --unset)\"",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var args []string
			if shell != "" {
				if err := config.OneOf(goat.CodeUsage, "--shell", shell, shells); err != nil {
					return err
				}
				args = append(args, "--shell="+shell)
			}
			if unset {
				args = append(args, "--unset")
			}
			return a.open(cmd, args)
		},
	}
	cmd.Flags().StringVar(&shell, "shell", "", "for the shell `NAME`: sh (default), fish or powershell")
	cmd.Flags().BoolVar(&unset, "unset", false, "print the lines that take it back")
	complete(cmd, "shell", cobra.FixedCompletions(shells, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

var shells = []string{"sh", "fish", "powershell"}

const generateLong = `Generate writes the plan (.goat), the runtime package and one hook file per tracked
main into the module, for a line such as

    //go:generate goat generate

After it, go build -toolexec "goat toolexec" builds the instrumented program anywhere:
without git, without the core, in another directory, in a container.`

func (a *app) newGenerate() *cobra.Command {
	return &cobra.Command{
		Use:     "generate",
		GroupID: groupBuild,
		Short:   "Write plan, runtime and main hooks into the module, for go generate",
		Long:    generateLong,
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.open(cmd, args) },
	}
}
