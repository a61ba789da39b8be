package cli

import (
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/self"
)

// versionInfo is what `goat version --format json` prints.
type versionInfo struct {
	Format  int    `json:"format"`
	Version string `json:"version"`
	Commit  string `json:"commit"`
	// Date is the commit's; empty if nobody noted it.
	Date       string            `json:"date"`
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
				Format: goat.Format, Version: self.Version(), Commit: self.Commit(), Date: self.Date(), PlanFormat: goat.Format,
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
		line += " (" + strings.TrimSpace(shortCommit(info.Commit)+" "+day(info.Date)) + ")"
	}
	core := "core: " + info.CoreMissing
	if info.Core != nil {
		core = fmt.Sprintf("core %s, ABI %d", info.Core.Version, info.Core.ABI)
	}
	_, err := fmt.Fprintf(a.stdout, "%s %s\n%s, plan format %d, %s\n",
		line, info.Platform, core, info.PlanFormat, info.Go)
	return err
}

// shortCommit keeps what tells that the sources had been edited.
func shortCommit(commit string) string {
	_, edited, _ := strings.Cut(commit, "-")
	if edited != "" {
		return commit[:12] + "-" + edited
	}
	return commit[:12]
}

// day is the date of a time in RFC 3339.
func day(date string) string {
	day, _, _ := strings.Cut(date, "T")
	return day
}
