package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/linked"
)

// binaryVariable is the environment's form of --binary.
const binaryVariable = "GOAT_BINARY"

// addBinary reads the binary that was named, and has the account tell what the linker
// left out of it.
func (a *app) addBinary(cmd *cobra.Command, settings *config.Settings, path string, options *goat.Options) error {
	if !cmd.Flags().Changed("binary") {
		path = a.getenv(binaryVariable)
	}
	if path == "" {
		return nil
	}
	binary, err := linked.Read(path)
	if err != nil {
		e := &goat.Error{Code: goat.CodeUnreadable, Message: "the binary tells nothing of its functions", Path: path}
		e.Hint = "--binary (" + binaryVariable + ") takes a program that go or goat built"
		return e.Wrap(err)
	}
	if binary.FileList {
		return &goat.Error{
			Code: goat.CodeUsage, Message: "the binary was built of a list of files, and does not say which package they are", Path: path,
			Hint: "build the package instead, as in `goat build -o canary ./cmd/server`",
		}
	}
	build := options.Build
	if build == nil {
		build = &goat.Build{
			GOOS: binary.GOOS, GOARCH: binary.GOARCH, Cgo: binary.Cgo, GoVersion: binary.GoVersion, Tags: binary.Tags,
		}
		if build.Tags == nil {
			build.Tags = []string{}
		}
	}
	if build.GOOS != binary.GOOS || build.GOARCH != binary.GOARCH {
		return &goat.Error{
			Code:    goat.CodeUsage,
			Message: fmt.Sprintf("the binary is for %s/%s, the account for %s/%s", binary.GOOS, binary.GOARCH, build.GOOS, build.GOARCH),
			Hint:    fmt.Sprintf("GOOS=%s GOARCH=%s goat plan …", binary.GOOS, binary.GOARCH),
			Path:    path,
		}
	}
	for _, p := range binary.Packages {
		build.Linked = append(build.Linked, goat.LinkedPackage(p))
	}
	options.Build = build
	a.compareRevision(cmd.Context(), settings, binary)
	return nil
}

// compareRevision says where the binary was built from another commit than the plan's.
func (a *app) compareRevision(ctx context.Context, settings *config.Settings, binary *linked.Binary) {
	if binary.Revision == "" {
		return
	}
	release := settings.Release
	if release == "" {
		release = "HEAD"
	}
	commit := gitIn(settings.Dir).commit(ctx, release)
	if commit != "" && commit != binary.Revision {
		a.note(settings, fmt.Sprintf("the binary was built from %.12s, not from the release's %.12s", binary.Revision, commit))
	}
}
