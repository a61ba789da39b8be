package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/rtsource"
	"github.com/goat-trace/goat/go/internal/self"
	"github.com/goat-trace/goat/go/internal/store"
	"github.com/goat-trace/goat/go/internal/toolexec"
)

// Arguments are those of this process: go may have put them into a response file.
func Arguments() []string { return toolexec.Unpack(os.Args) }

// Toolexec is the helper that go runs in place of its tools; args follow the word
// toolexec. The command calls it before anything else: it runs once per package.
func Toolexec(args []string) int {
	options := toolexec.Options{Version: self.Version(), Commit: self.Commit(), Runtime: rtsource.Files, Stderr: os.Stderr}
	if goat.HasCore() {
		options.Planner = barePlan
	}
	return toolexec.Main(args, options)
}

// barePlan makes the plan of a go build that nobody prepared: there are no flags, so
// environment and goat.yaml settle everything.
func barePlan(ctx context.Context, dir string) (string, error) {
	settings, err := config.Resolve(dir, config.Flags{}, os.Getenv)
	if err != nil {
		return "", err
	}
	options := settings.Options()
	cache, err := cacheDir(os.Getenv)
	if err != nil {
		return "", advised(err)
	}
	options.OutDir, options.MemoDir, options.Brief = filepath.Join(cache, "plans"), filepath.Join(cache, "memo"), true
	if err := os.MkdirAll(options.OutDir, 0o777); err != nil {
		return "", advised(unwritableCache(err))
	}
	result, err := goat.Plan(ctx, options)
	if err != nil {
		return "", advised(err)
	}
	return result.PlanDir, nil
}

// cacheDir is goat's directory of caches.
func cacheDir(getenv func(string) string) (string, error) {
	dir, err := store.Open(getenv)
	if err != nil {
		return "", unwritableCache(err)
	}
	return dir, nil
}

func unwritableCache(err error) *goat.Error {
	e := &goat.Error{Code: goat.CodeUnwritable, Message: "goat's cache cannot be written", Hint: store.Hint}
	return e.Wrap(err)
}

// advice is an error in the form in which the helper, which does not know package
// goat, prints the hint.
type advice struct{ cause *goat.Error }

func (a advice) Error() string { return a.cause.Error() }

// Hint says what to type.
func (a advice) Hint() string { return a.cause.Hint }

// Unwrap gives the error itself.
func (a advice) Unwrap() error { return a.cause }

func advised(err error) error {
	var e *goat.Error
	if errors.As(err, &e) {
		return advice{e}
	}
	return err
}

const toolexecLong = `Toolexec is the helper of go build -toolexec. With --plan=DIR it serves that plan;
without it makes one plan per go command, so that

    go build -toolexec "goat toolexec" ./...

needs no step before it. It is configured by environment and goat.yaml only, and it
adds nothing to what the go command prints.`

func (a *app) newToolexec() *cobra.Command {
	return &cobra.Command{
		Use:     "toolexec [--plan=DIR] TOOL [arguments]",
		GroupID: groupBuild,
		Short:   "The helper of go build -toolexec \"goat toolexec\"",
		Long:    toolexecLong,
		// Everything is for the helper, whose own flags end at the tool.
		DisableFlagParsing: true, DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 || args[0] == "--help" || args[0] == "-h" {
				return cmd.Help()
			}
			if code := Toolexec(args); code != exitDone {
				return exitStatus(code)
			}
			return nil
		},
	}
}
