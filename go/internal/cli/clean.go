package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/render"
)

// inPlaceVerb is goat.Track or goat.Patch.
type inPlaceVerb = func(context.Context, goat.InPlaceOptions) (*goat.InPlaceResult, error)

const cleanLong = `Clean takes out everything that goat track and goat patch wrote, in the whole
repository, and gives back every byte of the files they touched. It needs nothing but
the sources: it also works on a fresh clone of a tree that was committed with its
points, after a run that was killed, and on what GOAT 1.0 wrote.

What somebody else wrote stays and is named: text inside a goat block, generated
files that were edited, +goat:user blocks.

Where a point had split a line and the code beside it was changed since (by gofmt, a
comment, an edit), the line cannot be put together again: that file and what goat
generated stay as they are, the block is named, and clean exits with 1.`

func (a *app) newClean() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:     "clean",
		GroupID: groupInPlace,
		Short:   "Take all of goat's marks out of the sources",
		Long:    cleanLong,
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.runClean(cmd, check) },
	}
	cmd.Flags().BoolVar(&check, "check", false, "only say what would change; exit with 1 if anything would")
	return cmd
}

func (a *app) runClean(cmd *cobra.Command, check bool) error {
	settings, err := a.settings()
	if err != nil {
		return err
	}
	asJSON, err := textOrJSON(settings.Format)
	if err != nil {
		return err
	}
	if err := a.recover(cmd.Context(), settings); err != nil {
		return err
	}
	result, err := goat.Clean(cmd.Context(), settings.Dir, check)
	if err != nil {
		return err
	}
	if check {
		settings.Verbose = true
	}
	if asJSON {
		err = writeJSON(a.stdout, result)
	} else {
		err = a.tellInPlace(settings, result, cleanSummary(result, check))
	}
	if err != nil {
		return err
	}
	for _, left := range result.Left {
		fmt.Fprintf(a.stderr, "goat: %s: %s\n", render.Place(left.Path, left.Line, left.Line), left.Text)
	}
	if len(result.Left) > 0 {
		fmt.Fprintln(a.stderr, "hint: undo the edit beside the block (`git diff` shows it) and type `goat clean` again, or delete the block by hand and keep its line as it is")
	}
	if len(result.Left) > 0 || check && len(result.Files) > 0 {
		return exitStatus(exitNo)
	}
	return nil
}

// recover undoes what a killed goat track, patch or clean left half done, before
// anything else looks at the tree.
func (a *app) recover(ctx context.Context, settings *config.Settings) error {
	if !goat.HasCore() {
		return nil // nothing could have been killed
	}
	left, err := goat.Recover(ctx, settings.Dir, func(p goat.Progress) {
		if !settings.Quiet && strings.HasPrefix(p.Stage, "waiting for ") {
			fmt.Fprintln(a.stderr, "goat: "+p.Stage)
		}
	})
	for _, path := range left {
		a.tell("%s was edited after goat was killed; it stays as it is", path)
	}
	return err
}

func cleanSummary(result *goat.InPlaceResult, check bool) string {
	restored, removed := 0, 0
	for _, file := range result.Files {
		if file.Action == "removed" {
			removed++
		} else {
			restored++
		}
	}
	if restored+removed == 0 && len(result.Left) > 0 {
		return "nothing was cleaned"
	}
	if restored+removed == 0 {
		return "nothing to clean"
	}
	would := ""
	if check {
		would = "would be "
	}
	return fmt.Sprintf("%s %srestored, %s removed", render.Plural(restored, "file"), would, render.Plural(removed, "generated file"))
}
