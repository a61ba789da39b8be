package cli

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/render"
	"github.com/goat-trace/goat/go/internal/rtsource"
)

const trackLong = `Track writes a call of goat.Track before the changed code, between +goat comments,
and the package goat that it calls. It writes all files or none; lines of yours stay
as they are, and goat clean gives back every byte.

Each chosen main gets a file goat_main.go that starts the runtime: mainEntries in
goat.yaml chooses. Running track again updates the points to the code of the moment
and changes nothing when that is the same.

The other doors (goat build, goat generate) need no change of the sources.`

func (a *app) newTrack() *cobra.Command {
	return &cobra.Command{
		Use:     "track",
		GroupID: groupInPlace,
		Short:   "Write track points into the changed sources",
		Long:    trackLong,
		Example: "  goat track\n  goat track --base v1.4.0 --granularity func",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.runTrack(cmd, goat.Track) },
	}
}

const patchLong = `Patch does what marks in the sources ask for and numbers the points anew:

    // +goat:insert                  a point of your own at this place
    // +goat:delete … // +goat:end   remove this block (change +goat:generate to it)
    // +goat:user   … // +goat:end   yours; goat leaves it alone

Points that goat track wrote and that you did not delete stay.`

func (a *app) newPatch() *cobra.Command {
	return &cobra.Command{
		Use:     "patch",
		GroupID: groupInPlace,
		Short:   "Do what +goat marks in the sources ask for",
		Long:    patchLong,
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.runTrack(cmd, goat.Patch) },
	}
}

func (a *app) runTrack(cmd *cobra.Command, do inPlaceVerb) error {
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
	options := goat.InPlaceOptions{Options: settings.Options(), Server: settings.Server != "off"}
	cache, err := cacheDir(a.getenv)
	if err != nil {
		return err
	}
	options.OutDir = filepath.Join(cache, "plans")
	if options.Build, err = a.buildContext(cmd.Context(), settings, nil); err != nil {
		return err
	}
	if options.Mains, err = a.trackedMains(cmd.Context(), settings); err != nil {
		return err
	}
	if options.Runtime, err = runtimeSource(settings); err != nil {
		return err
	}
	meter := a.newMeter(settings)
	options.Progress = meter.callback()
	result, err := do(cmd.Context(), options)
	meter.clear()
	if err != nil {
		return err
	}
	if asJSON {
		return writeJSON(a.stdout, result)
	}
	return a.tellInPlace(settings, result, trackSummary(result))
}

// runtimeSource is the runtime under the package name of goat.yaml.
func runtimeSource(settings *config.Settings) (map[string]string, error) {
	name := settings.File.GoatPackageName
	if name == "" {
		name = "goat"
	}
	files, err := rtsource.Files(goat.RuntimeImportPath, name)
	if err != nil {
		e := &goat.Error{Code: goat.CodeBadConfig, Message: "goatPackageName: `" + name + "` is not a package name"}
		return nil, e.Wrap(err)
	}
	source := make(map[string]string, len(files))
	for path, text := range files {
		source[path] = string(text)
	}
	return source, nil
}

func trackSummary(result *goat.InPlaceResult) string {
	written := 0
	for _, file := range result.Files {
		if file.Action == "marked" {
			written++
		}
	}
	switch {
	case len(result.Files) == 0 && result.Points == 0:
		return "nothing to track: no executable code differs"
	case len(result.Files) == 0:
		return fmt.Sprintf("%s, as before; nothing changed", render.Plural(result.Points, "point"))
	}
	return fmt.Sprintf("%s; %s marked, %s in all; `goat clean` takes everything out again",
		render.Plural(result.Points, "point"), render.Plural(written, "file"), render.Plural(len(result.Files), "file")+" written")
}

// tellInPlace says what became of the tree.
func (a *app) tellInPlace(settings *config.Settings, result *goat.InPlaceResult, summary string) error {
	var b strings.Builder
	result = printable.Copy(result)
	if settings.Verbose {
		for _, file := range result.Files {
			fmt.Fprintf(&b, "%-8s %s\n", file.Action, file.Path)
		}
	}
	for _, kept := range result.Kept {
		fmt.Fprintf(&b, "kept: %s: %s\n", render.Place(kept.Path, kept.Line, kept.Line), kept.Text)
	}
	for _, warning := range result.Warnings {
		fmt.Fprintf(&b, "warning: %s: %s\n", render.Place(warning.Path, warning.Line, warning.Line), warning.Message)
	}
	if !settings.Quiet {
		b.WriteString(summary + "\n")
	}
	_, err := io.WriteString(a.stdout, b.String())
	return written(err)
}
