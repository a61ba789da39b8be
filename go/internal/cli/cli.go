// Package cli is the goat command: its verbs, flags, messages and exit codes.
//
// Every verb is one file that turns arguments into a call of another package and
// its result into text or JSON. Errors are values until [Main] renders them, so
// that all verbs speak with one voice.
package cli

import (
	"context"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// app is one run of the command: its streams, its environment, its flags.
type app struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	getenv func(string) string
	args   []string
	root   *cobra.Command
	shown  *remembered
}

// remembered is where cobra writes help and completions: it drops the errors.
type remembered struct {
	io.Writer
	err error
}

func (r *remembered) Write(text []byte) (int, error) {
	n, err := r.Writer.Write(text)
	if err != nil && r.err == nil {
		r.err = err
	}
	return n, err
}

// Main runs goat with the arguments after the program's name and returns its exit code.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, getenv: os.Getenv, args: args}
	a.root = a.newRoot()
	a.root.SetArgs(args)
	err := a.root.ExecuteContext(ctx)
	if isFlagError(err) {
		err = flagError(a.root, err)
	}
	if err == nil {
		err = written(a.shown.err)
	}
	return a.finish(err)
}

const rootLong = `goat tells which code of a change really ran.

It compares a base with a release, puts track points into the changed code while
go builds it, and reports from the running program which of them were reached.
Without flags the release is the working tree and the base is where it left the
trunk, so that

    goat build -o app ./cmd/app && ./app &
    goat report

is the whole of it. Every flag has an environment variable (goat help environment)
and, where GOAT 1.0 had one, a key in goat.yaml (goat help config).`

// Groups of verbs in goat's help.
const (
	groupBuild    = "build"
	groupLook     = "look"
	groupDiagnose = "diagnose"
	groupInPlace  = "inplace"
)

func (a *app) newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "goat [-C DIR] [goat flags] VERB [goat flags] [arguments]",
		Short: "Which code of a change really ran",
		Long:  rootLong,
		Args:  noVerb,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		// The manual's line of use has them already.
		DisableFlagsInUseLine: true,
		// Errors are rendered once, by finish.
		SilenceErrors: true, SilenceUsage: true,
		// What stands before the verb is goat's, what stands behind it may be go's.
		TraverseChildren: true,
	}
	root.SetIn(a.stdin)
	a.shown = &remembered{Writer: a.stdout}
	root.SetOut(a.shown)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(flagError)
	root.SetUsageTemplate(usageTemplate)
	addGoatFlags(root)
	root.AddGroup(
		&cobra.Group{ID: groupBuild, Title: "Build with the change instrumented:"},
		&cobra.Group{ID: groupLook, Title: "Look:"},
		&cobra.Group{ID: groupDiagnose, Title: "Diagnose:"},
		&cobra.Group{ID: groupInPlace, Title: "In the sources themselves:"},
	)
	root.AddCommand(a.newGoVerbs()...)
	root.AddCommand(a.newEnv(), a.newGenerate(), a.newToolexec())
	root.AddCommand(a.newPlan(), a.newReport(), a.newWatch(), a.newUI(), a.newCheck(), a.newDoctor(), a.newVersion())
	root.AddCommand(a.newDump(), a.newPanics(), a.newProfile(), a.newHeat())
	root.AddCommand(a.newInit(), a.newTrack(), a.newPatch(), a.newClean())
	root.AddCommand(helpTopics()...)
	root.SetHelpCommand(helpCommand(root))
	explainCompletion(root)
	explainFormats(root)
	return root
}

// Tree is the tree of commands, for those who make manuals of it; it runs nothing.
func Tree() *cobra.Command {
	a := &app{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, getenv: func(string) string { return "" }}
	return a.newRoot()
}
