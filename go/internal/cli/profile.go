package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/diag"
	"github.com/goat-trace/goat/go/internal/render"
	"github.com/goat-trace/goat/go/internal/render/html"
	"github.com/goat-trace/goat/go/internal/render/text"
)

const profileLong = `Profile reads profiles in the format of pprof, says what each function costs, marks those
that are changed, and gives the share of the change: which part of the CPU time, of the
heap, of what is waited for goes through changed functions, and which is spent in them.

A source is a file (runtime/pprof, go test -cpuprofile, gzip or not), - for standard
input, or the address of a process: http://host:port is asked for the profile that --kind
names, for --seconds of CPU time; an address with a path is asked as it is. Several
sources, such as the instances of a canary, are added up.

A process serves profiles with net/http/pprof, or without a change in its code if it was
built with goat build --pprof and runs with GOAT_PPROF=1 and a GOAT_TOKEN, which is then
sent with every request. What such a process tells has no command line, no labels but
those in GOAT_PPROF_LABELS, and no paths of the machines; with GOAT_PPROF_KEY its names
are hashes, and with the same key here changed functions are found among them.

--diff OLD holds it against older or stable profiles, file or address, by shares of each
total, so that they need not have run for the same time; processes are asked at the same
moment. -o writes the sum as pprof reads it, with --diff the difference.

Changed functions come from --plan, else from .goat, else from the newest plan of this
module in goat's cache.

docs/diagnostics.md has the JSON form field by field.`

const profileExample = `  goat profile cpu.pb.gz
  goat profile http://10.0.0.7:6060 --seconds 30 --diff http://10.0.0.8:6060
  goat build --pprof -o app . && GOAT_PPROF=1 GOAT_TOKEN=T ./app
  GOAT_TOKEN=T goat profile http://127.0.0.1:57005 --kind heap
  goat profile http://10.0.0.7:6060 --kind heap --sample alloc_space
  goat profile cpu.pb.gz --format html > cpu.html
  goat profile canary-*.pb.gz -o canary.pb.gz`

var profileFormats = []string{"text", "json", "html", "folded"}

// profileFlags are the flags of `goat profile`.
type profileFlags struct {
	diagnoseFlags
	kind, sample, out string
	diff              []string
	seconds           int
	given             bool // the seconds
}

// longestProfile is the most seconds that a process is asked for.
const longestProfile = 600

func (a *app) newProfile() *cobra.Command {
	var f profileFlags
	cmd := &cobra.Command{
		Use:     "profile [FILE, URL or -]...",
		GroupID: groupDiagnose,
		Short:   "Say what each function costs, and which share of it is the change's",
		Long:    profileLong,
		Example: profileExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			f.given = cmd.Flags().Changed("seconds")
			return a.runProfile(cmd.Context(), args, &f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.kind, "kind", "cpu", "ask a live process for its `KIND`: cpu, heap, goroutine, mutex, block or leak")
	flags.IntVar(&f.seconds, "seconds", 10, "measure `N` seconds of a live process's CPU time; where given, also heap, mutex and block")
	flags.StringArrayVar(&f.diff, "diff", nil, "compare with the older profile `OLD`, a file or a URL; repeatable")
	flags.StringVar(&f.sample, "sample", "", "show the values of this `TYPE`, as alloc_space")
	flags.StringVarP(&f.out, "out", "o", "", "write the sum to `FILE`, as pprof reads it")
	f.add(flags, "functions")
	flags.Lookup("timeout").Usage += ", beside --seconds"
	return cmd
}

func (f *profileFlags) check() error {
	if err := config.OneOf(goat.CodeUsage, "--kind", f.kind, diag.ProfileKinds); err != nil {
		return err
	}
	if f.seconds <= 0 || f.seconds > longestProfile {
		return usage(fmt.Sprintf("--seconds is from 1 to %d", longestProfile), "use something like --seconds 30")
	}
	return f.diagnoseFlags.check()
}

func (a *app) runProfile(ctx context.Context, names []string, f *profileFlags) error {
	format := cmp.Or(a.format(), "text")
	if err := config.OneOf(goat.CodeUsage, "--format", format, profileFormats); err != nil {
		return err
	}
	looks, err := a.looks()
	if err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	if names, err = a.sourcesOr(names, "profile"); err != nil {
		return err
	}
	found, change, err := a.readProfile(ctx, names, f)
	if err != nil {
		return err
	}
	shown, err := profileForm(found, names, change, format, f.top, looks)
	if err != nil {
		return err
	}
	if f.out != "" {
		path, err := filepath.Abs(joinDir(a.directory(), f.out))
		if err != nil {
			return written(err)
		}
		if err := replaceFile(path, found.Pprof); err != nil {
			return err
		}
	}
	return a.print(string(shown))
}

func (a *app) readProfile(ctx context.Context, names []string, f *profileFlags) (*goat.ProfileResult, string, error) {
	live := a.process(&f.diagnoseFlags)
	live.What = "profile"
	collector := diag.NewCollector(live)
	defer collector.Close()
	wanted := diag.Wanted{Kind: f.kind, Seconds: f.seconds, Given: f.given}
	lists, err := collector.Profiles(ctx, wanted, a.stdin, a.sourcePaths(names), a.sourcePaths(f.diff))
	if err != nil {
		return nil, "", err
	}
	changed, change, err := a.changedFunctions(f.plan)
	if err != nil {
		return nil, "", err
	}
	found, err := goat.Profile(ctx, goat.ProfileOptions{
		Sources: lists[0], Diff: lists[1], Changed: changed, Sample: f.sample, Pprof: f.out != "",
	})
	return found, change, err
}

// profileForm is the profile in one format.
func profileForm(found *goat.ProfileResult, names []string, change, format string, top int, looks text.Looks) ([]byte, error) {
	var b bytes.Buffer
	switch format {
	case "json":
		err := writeJSON(&b, found.JSON)
		return b.Bytes(), err
	case "folded":
		return render.FoldedProfile(found), nil
	case "html":
		sheet := html.Profile(found, names, change)
		err := sheet.Write(&b)
		return b.Bytes(), err
	}
	return []byte(text.Profile(found, names, change, top, looks)), nil
}
