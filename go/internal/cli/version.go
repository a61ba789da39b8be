package cli

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go"
)

// Version is goat's version, the same as that of the Rust workspace. A variable, so
// that the tests can link a goat of another version.
var Version = "0.1.0"

// commit is set by the linker (scripts/build).
var commit string

// versionInfo is what `goat version --format json` prints.
type versionInfo struct {
	Format     int               `json:"format"`
	Version    string            `json:"version"`
	Commit     string            `json:"commit"`
	Core       *goat.VersionInfo `json:"core"`
	PlanFormat int               `json:"planFormat"`
	Go         string            `json:"go"`
	Platform   string            `json:"platform"`
	// CoreMissing says why there is no core.
	CoreMissing string `json:"coreMissing,omitempty"`
}

func (a *app) newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which goat this is: version, commit, core, ABI and plan format",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			asJSON, err := textOrJSON(a.format())
			if err != nil {
				return err
			}
			info := versionInfo{
				Format: goat.Format, Version: Version, Commit: buildCommit(), PlanFormat: goat.Format,
				Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
			}
			info.Core, err = goat.Version(cmd.Context())
			if errors.Is(err, &goat.Error{Code: goat.CodeCoreMissing}) {
				info.CoreMissing = err.Error()
			} else if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(a.stdout, info)
			}
			return a.printVersion(&info)
		},
	}
}

func (a *app) printVersion(info *versionInfo) error {
	line := "goat " + info.Version
	if len(info.Commit) >= 12 {
		line += " (" + info.Commit[:12] + ")"
	}
	core := "core: " + info.CoreMissing
	if info.Core != nil {
		core = fmt.Sprintf("core %s, ABI %d", info.Core.Version, info.Core.ABI)
	}
	_, err := fmt.Fprintf(a.stdout, "%s %s\n%s, plan format %d, %s\n",
		line, info.Platform, core, info.PlanFormat, info.Go)
	return err
}

// buildCommit is the commit goat was built from, as far as anybody noted it.
func buildCommit() string {
	if commit != "" {
		return commit
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				return setting.Value
			}
		}
	}
	return ""
}
