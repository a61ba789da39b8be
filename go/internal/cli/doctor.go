package cli

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/doctor"
	"github.com/goat-trace/goat/go/internal/doors"
	"github.com/goat-trace/goat/go/internal/render/text"
	"github.com/goat-trace/goat/go/internal/rtsource"
	"github.com/goat-trace/goat/go/internal/self"
)

const doctorLong = `Doctor explains, for the module it stands in, how goat would build here and what
stands in the way: which mode is in force and why, which of goat's refusals apply (goat
help refusals) with the command to type, what would be rebuilt and why, what became of
your own flags, and which code of the change is not instrumented. It looks at git, the
go command, the caches, the repository, and where an instrumented program would write
its spool and listen.

Packages, and go build's flags before them, are those of the build it is asked about;
./... without any. It compiles nothing. Exit code 0: all is well; 1: there are findings.`

const doctorExample = `  goat doctor
  goat doctor -race ./cmd/app
  goat doctor --format json | jq .refusals`

func (a *app) newDoctor() *cobra.Command {
	return a.takingGoFlags(&cobra.Command{
		Use:     "doctor [goat flags] [flags of go build] [packages]",
		GroupID: groupLook,
		Short:   "Explain how goat would build here, and what stands in the way",
		Long:    doctorLong,
		Example: doctorExample,
	}, a.runDoctor)
}

func (a *app) runDoctor(cmd *cobra.Command, args []string) error {
	settings, err := a.settings()
	if err != nil {
		return err
	}
	asJSON, err := textOrJSON(settings.Format)
	if err != nil {
		return err
	}
	if err := checkedOut(cmd, settings); err != nil {
		return err
	}
	if goRoot(settings.Dir) == "" {
		e := &goat.Error{Code: goat.CodeNoGoMod, Message: "no go.mod in this directory or above it", Path: settings.Dir}
		e.Hint = "run goat inside a Go module, or make one with `go mod init`; `go build` builds without goat (`goat help refusals`)"
		return e
	}
	executable, err := os.Executable()
	if err != nil {
		e := &goat.Error{Code: goat.CodeUnreadable, Message: "goat cannot find its own program"}
		return e.Wrap(err)
	}
	// Where go cannot say what it builds, the doctor says so itself.
	asked, err := goArgs(settings, args)
	if err != nil {
		return err
	}
	build, _ := a.buildContext(cmd.Context(), settings, asked)
	meter := a.newMeter(settings)
	report, err := doctor.Run(cmd.Context(), doctor.Request{
		Door: doors.Request{
			Verb: "build", Args: args, Settings: settings, Environ: os.Environ(), Executable: executable,
			Plan: meter.planner(), Requirements: goat.Requirements, Build: build,
		},
		Version: self.Version(), Commit: self.Commit(), Core: goat.HasCore(), Runtime: rtsource.Files,
	})
	if err != nil {
		return err
	}
	if asJSON {
		err = writeJSON(a.stdout, report)
	} else {
		err = a.print(text.Doctor(report, a.looksOf(settings)))
	}
	if err == nil && report.Findings > 0 {
		return exitStatus(exitNo)
	}
	return err
}

// topicRefusals lists what goat refuses to build.
func topicRefusals() string {
	var b strings.Builder
	b.WriteString("What plain go builds, goat builds, up to this closed list. `goat doctor` says which of\nthem apply here.\n")
	for _, r := range doctor.Refusals {
		b.WriteString("\n  " + r.Name + "\n" + filled(r.Why) + filled("instead: "+r.Instead))
	}
	return strings.TrimRight(b.String(), "\n")
}

// filled breaks a text into indented lines that fit a terminal.
func filled(text string) string {
	const indent, width = "      ", 88
	var b strings.Builder
	line := indent
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > width {
			b.WriteString(line + "\n")
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	return b.String() + line + "\n"
}
