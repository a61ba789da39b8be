package cli

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/render"
	"github.com/goat-trace/goat/go/internal/render/text"
	"github.com/goat-trace/goat/go/internal/report"
	"github.com/goat-trace/goat/go/internal/report/fleet"
	"github.com/goat-trace/goat/go/internal/report/source"
	"github.com/goat-trace/goat/go/internal/store"
)

const reportLong = `Report says which points ran, and when first: in live processes, in spool files, or
in both. Sources are URLs (http://host:port, https://..., unix:/path, host:port), spool
files, and directories of them; without any it is where an instrumented program listens
in this environment: GOAT_ADDR, GOAT_METRICS_IP and GOAT_PORT, else 127.0.0.1:57005.
Of a program that has started itself again, one process names the others, and all are
read. --pods reads the pods of a Kubernetes cluster through kubectl (docs/fleet.md).

Several sources are one fleet: a point ran if it ran in one of them. A process that is
seen live and in its spool counts once. What only initialisation or startup reached is
shown apart, because it proves nothing about traffic.

The account of changed lines comes from --plan (a plan directory, or a file that goat
plan --format json wrote), else from .goat, else from the plan cache. Where sources were
built from different plans, one plan counts: --plan, else that of the newest process.`

const reportExample = `  goat report
  goat report http://10.0.0.7:57005 http://10.0.0.8:57005
  goat report --pods app=shop,track=canary -n prod
  goat report /var/run/goat --plan .goat --format json`

// laterFormats are report formats that this goat names, but does not write.
var laterFormats = []string{"html", "markdown", "coverprofile", "sarif"}

// reportFlags are the flags of `goat report`.
type reportFlags struct {
	plan, token string
	timeout     time.Duration
	pods        podFlags
}

func (a *app) newReport() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use:     "report [URL or SPOOL]...",
		GroupID: groupLook,
		Short:   "Say which points ran, from live processes or spool files",
		Long:    reportLong,
		Example: reportExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runReport(cmd, args, &f)
		},
	}
	cmd.Flags().StringVar(&f.plan, "plan", "", "take the account from this plan `DIR or FILE`")
	cmd.Flags().StringVar(&f.token, "token", "", "bearer `TOKEN` of the programs (better: GOAT_TOKEN)")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 5*time.Second, "how long one request may take")
	f.pods.add(cmd)
	return cmd
}

func (a *app) runReport(cmd *cobra.Command, sources []string, f *reportFlags) error {
	asJSON, err := reportFormat(a.format())
	if err != nil {
		return err
	}
	looks, err := a.looks()
	if err != nil {
		return err
	}
	dir, err := config.WorkDir(a.directory())
	if err != nil {
		return err
	}
	if f.timeout <= 0 {
		return usage(fmt.Sprintf("--timeout: %q is not a time to wait", f.timeout), "use something like 5s")
	}
	pods, err := f.pods.sources(cmd)
	if err != nil {
		return err
	}
	if len(sources) == 0 && pods == nil {
		sources = []string{source.Default(a.getenv)}
	}
	// Without a cache there is no plan to find in it.
	cache, _ := store.Open(a.getenv)
	document, err := source.Make(cmd.Context(), source.Request{
		Further: pods, Sources: inDir(a.directory(), sources), Plan: joinDir(a.directory(), f.plan), Dir: dir,
		Cache: cache, Token: cmp.Or(f.token, a.getenv("GOAT_TOKEN")), Timeout: f.timeout,
	})
	if err != nil {
		return err
	}
	if document.Outcome() == report.Nothing {
		return noSource(document)
	}
	if asJSON {
		err = writeJSON(a.stdout, document)
	} else {
		err = a.print(text.Report(document, looks))
	}
	if err == nil && document.Outcome() == report.Partial {
		a.sayPartial(document)
		return exitStatus(exitInconclusive)
	}
	return err
}

func reportFormat(format string) (asJSON bool, err error) {
	for _, later := range laterFormats {
		if format == later {
			return false, usage(fmt.Sprintf("--format %s is not offered by this goat", format), "use text or json")
		}
	}
	return textOrJSON(format)
}

// looks are the switches of a verb for which goat.yaml does not matter.
func (a *app) looks() (l text.Looks, err error) {
	noColor := false
	for _, s := range []struct {
		flag   string
		target *bool
	}{{config.FlagQuiet, &l.Quiet}, {config.FlagVerbose, &l.Verbose}, {config.FlagNoColor, &noColor}} {
		what := "--" + s.flag
		value, given := a.typed()[s.flag]
		if !given {
			what = config.EnvName(s.flag)
			value = a.getenv(what)
		}
		if value == "" {
			continue
		}
		if *s.target, err = config.ParseBool(what, value); err != nil {
			return text.Looks{}, err
		}
	}
	l.Colour = a.colour(noColor || a.getenv("NO_COLOR") != "")
	return l, nil
}

// inDir takes paths from -C, as all other paths; what names a live process stays.
func inDir(dir string, sources []string) []string {
	moved := make([]string, len(sources))
	for i, name := range sources {
		moved[i] = name
		if !source.IsLive(joinDir(dir, name)) && !source.IsLive(name) {
			moved[i] = joinDir(dir, name)
		}
	}
	return moved
}

func joinDir(dir, path string) string {
	if path == "" || dir == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// noSource is the error when nothing at all could be read: each source with its reason.
func noSource(document *report.Document) error {
	var reasons []string
	for i := range document.Instances {
		reasons = append(reasons, document.Instances[i].Source+": "+*document.Instances[i].Error)
	}
	e := &goat.Error{Code: goat.CodeNetwork, Message: "no source could be read"}
	e.Causes = []string{strings.Join(reasons, "; ")}
	first := document.Instances[0].Source
	switch {
	case strings.Contains(e.Causes[0], "token"):
		e.Hint = "set GOAT_TOKEN to the token that the program was started with"
	case strings.HasPrefix(first, fleet.PodPrefix) || strings.HasPrefix(first, "pods "):
		e.Hint = "goat needs what `kubectl get pods` and `kubectl port-forward` need: docs/fleet.md names the rights"
	case source.IsLive(first):
		e.Hint = "is the program running, built by goat, and listening there? Its GOAT_ADDR says where; with GOAT_SPOOL=DIR, `goat report DIR` needs no server"
	default:
		e.Hint = "start the program with GOAT_SPOOL=DIR and name that directory"
	}
	return e
}

// sayPartial names what could not be read, beside the report of what could.
func (a *app) sayPartial(document *report.Document) {
	for i := range document.Instances {
		if problem := document.Instances[i].Error; problem != nil {
			a.tell("%s: %s", document.Instances[i].Source, *problem)
		}
	}
	if read, all := podsRead(document); all > 0 {
		a.tell("%d of %s read", read, render.Plural(all, "pod"))
	}
	a.tell("%d of %d sources could not be read; the report is of the others",
		document.Summary.Failed, document.Summary.Sources)
}
