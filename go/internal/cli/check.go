package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/diag"
	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/checks"
	"github.com/goat-trace/goat/go/internal/gate/checks/coverage"
	"github.com/goat-trace/goat/go/internal/gate/checks/dump"
	"github.com/goat-trace/goat/go/internal/gate/checks/panics"
	"github.com/goat-trace/goat/go/internal/gate/settings"
	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/render"
	"github.com/goat-trace/goat/go/internal/render/html"
	"github.com/goat-trace/goat/go/internal/render/text"
	"github.com/goat-trace/goat/go/internal/report"
	"github.com/goat-trace/goat/go/internal/report/source"
	"github.com/goat-trace/goat/go/internal/self"
)

const checkLong = `Check answers whether this canary may be promoted: pass, fail, inconclusive (not enough
to judge by) or error (nobody could look). The whole is the worst of its checks, in the
order error, fail, inconclusive, pass. Each check says what it looked at and how far that
is from its threshold, also when it passes.

Without names the checks run that have settings below check: in goat.yaml; without any, or
with sources alone, it is coverage. Sources are those of goat report.

All checks look side by side. One that could not look, or that is inconclusive, looks again
(--retry) until the --timeout; a definite yes or no is not asked twice. --explain says what
each would ask, and asks nothing.

Every key below is a flag and a variable, too: --check.coverage.points 0.9,
GOAT_CHECK_COVERAGE_POINTS=0.9. An item of a list is named: --check.slo.rules.errors.max 0.01,
or by its number. ${NAME} in a value is the environment variable NAME, which is never shown;
${env}, ${service} and ${grayTag} are --env, --service and --gray-tag.

Exit codes: 0 pass, 1 fail, 2 usage or configuration, 3 inconclusive, 4 could not look.
Started under the name go-graycheck, with or without the word run, goat is goat check.
goat check serve answers judges over HTTP (goat check serve --help). docs/check.md says of
each check what it proves, and what not.

`

const checkExample = `  goat check
  goat check coverage http://10.0.0.7:57005 --check.coverage.must 'orders/**'
  goat check --explain
  goat check --format junit --output html=verdict.html`

// checkFlags are the flags of `goat check`.
type checkFlags struct {
	sourceFlags
	env, service, grayTag string
	given                 []settings.Given
	explain               bool
	outputs               []string
}

// checkFormats are the formats of a verdict.
var checkFormats = []string{"text", "json", "markdown", "junit", "html"}

func (a *app) newCheck() *cobra.Command {
	f := &checkFlags{}
	cmd := &cobra.Command{
		Use:     "check [CHECK]... [URL, SPOOL or REPORT]...",
		GroupID: groupLook,
		Short:   "Judge whether the canary may be promoted",
		Long:    checkLong + checkSchema(),
		Example: checkExample,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return checks.Names(), cobra.ShellCompDirectiveDefault
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.runCheck(cmd, args, f) },
	}
	a.addCheckFlags(cmd, f)
	cmd.Flags().BoolVar(&f.explain, "explain", false, "say what each check would ask, and ask nothing")
	cmd.Flags().StringArrayVar(&f.outputs, "output", nil, "write `FORMAT=FILE`, besides --format; repeatable")
	cmd.AddCommand(a.newCheckServe(f))
	return cmd
}

// addCheckFlags adds the flags that say what is judged, and by what.
func (a *app) addCheckFlags(cmd *cobra.Command, f *checkFlags) {
	f.add(cmd)
	f.sourceFlags.timeout = requestTimeout
	flags := cmd.Flags()
	flags.StringVar(&f.env, "env", "", "`NAME` of the environment: ${env} in settings")
	flags.StringVar(&f.service, "service", "", "`NAME` of the service: ${service} in settings")
	flags.StringVar(&f.grayTag, "gray-tag", "", "the gray `TAG`: ${grayTag} in settings")
	for short, key := range map[string]string{"timeout": "timeout", "retry": "retry", "try-timeout": "tryTimeout", "inconclusive": "inconclusive"} {
		flags.Var(&setting{f: f, path: settings.Root + "." + key, from: "--" + short}, short, checkHelp(key))
	}
	flags.Var(&setting{f: f, path: "check.topology.save", from: "--save"}, "save", "write what topology found to a `FILE`, for its snapshot")
	complete(cmd, "inconclusive", cobra.FixedCompletions(gate.Takes, cobra.ShellCompDirectiveNoFileComp))
	for _, k := range settings.Keys(&checks.Settings{}) {
		if k.Fixed() {
			flags.Var(&setting{f: f, path: k.Path, from: "--" + k.Path, many: k.Many}, k.Path, k.Help)
			if k.Words != nil {
				complete(cmd, k.Path, cobra.FixedCompletions(k.Words, cobra.ShellCompDirectiveNoFileComp))
			}
		}
	}
	// Items of lists and maps have the names that their users give them.
	for _, arg := range a.args {
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		if strings.HasPrefix(arg, "--"+settings.Root+".") && flags.Lookup(name) == nil {
			flags.Var(&setting{f: f, path: name, from: "--" + name}, name, "")
			_ = flags.MarkHidden(name)
		}
	}
	hideInHelp(cmd)
}

// hideInHelp leaves the keys out of the list of flags: help explains them one by one.
func hideInHelp(cmd *cobra.Command) {
	shown := cmd.HelpFunc()
	cmd.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		for _, k := range settings.Keys(&checks.Settings{}) {
			if flag := cmd.Flags().Lookup(k.Path); flag != nil {
				flag.Hidden = true
			}
		}
		shown(cmd, args)
	})
}

// setting is a flag that overrides a key of goat.yaml.
type setting struct {
	f          *checkFlags
	path, from string
	many       bool
}

func (s *setting) String() string { return "" }
func (s *setting) Type() string   { return "VALUE" }

// Set notes the value; what is repeated for a list is its next item.
func (s *setting) Set(value string) error {
	for i := range s.f.given {
		if g := &s.f.given[i]; g.Path == s.path {
			if s.many {
				value = g.Text + "," + value
			}
			g.Text = value
			return nil
		}
	}
	s.f.given = append(s.f.given, settings.Given{Path: s.path, Text: value, From: s.from})
	return nil
}

func checkHelp(key string) string {
	for _, k := range settings.Keys(&checks.Settings{}) {
		if k.Path == settings.Root+"."+key {
			help, _, _ := strings.Cut(k.Help, ", as --")
			return help
		}
	}
	return ""
}

// checkSchema explains the keys.
func checkSchema() string {
	var b strings.Builder
	b.WriteString("Keys of goat.yaml:\n\n")
	for _, k := range settings.Keys(&checks.Settings{}) {
		kind := k.Kind
		switch {
		case k.Words != nil:
			kind = strings.Join(k.Words, ", ")
		case k.Many && kind != "":
			kind = "list of " + kind + "s"
		case k.Many:
			kind = "list"
		}
		b.WriteString("  " + k.Path)
		if kind != "" {
			b.WriteString(" (" + kind + ")")
		}
		b.WriteString("\n      " + k.Help + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// checkPlan is the command line of a check, understood.
type checkPlan struct {
	settings checks.Settings
	checks   []gate.Check
	values   *settings.Values
	request  source.Request
}

func (a *app) runCheck(cmd *cobra.Command, args []string, f *checkFlags) error {
	format := cmp.Or(a.format(), "text")
	if err := config.OneOf(goat.CodeUsage, "--format", format, checkFormats); err != nil {
		return err
	}
	looks, err := a.looks()
	if err != nil {
		return err
	}
	outputs, err := a.outputs(f.outputs, checkFormats)
	if err != nil {
		return err
	}
	plan, err := a.planChecks(cmd, args, f, nil)
	if err != nil {
		return err
	}
	if f.explain {
		return a.print(plan.values.Hide(text.CheckPlan(plan.checks)))
	}
	defer keepForwards(&plan.request)()
	document, err := a.verdict(cmd.Context(), plan)
	if err != nil {
		return err
	}
	if err := a.deliverVerdict(cmd.Context(), plan, document, format, outputs, looks); err != nil {
		return err
	}
	return exitOf(document.Verdict)
}

func exitOf(v gate.Verdict) error {
	switch v {
	case gate.Pass:
		return nil
	case gate.Fail:
		return exitStatus(exitNo)
	case gate.Inconclusive:
		return exitStatus(exitInconclusive)
	}
	return exitStatus(exitCouldNotLook)
}

// judged runs the checks; secrets are hidden in whatever comes out.
func (a *app) judged(ctx context.Context, plan *checkPlan) (*gate.Document, error) {
	document, err := gate.Run(ctx, plan.checks, plan.settings.Options())
	if err != nil {
		return nil, err
	}
	document.Goat = goat.Identity{Version: self.Version(), Commit: self.Commit()}
	if plan.values.Secrets() {
		document = printable.Map(document, plan.values.Hide)
	}
	return document, nil
}

// verdict runs the checks. A question that is wrong is an error.
func (a *app) verdict(ctx context.Context, plan *checkPlan) (*gate.Document, error) {
	document, err := a.judged(ctx, plan)
	if err != nil || len(document.Misconfigured) == 0 {
		return document, err
	}
	wrong := *asGoatError(document.Misconfigured[0])
	if wrong.Code == goat.CodeInternal {
		wrong.Code, wrong.Hint = goat.CodeBadConfig, "correct it in goat.yaml or in its flag; `goat check --explain` shows what is asked"
	}
	return nil, printable.Map(&wrong, plan.values.Hide)
}

// planChecks settles which checks run, with which settings; further overrides come after
// those of the command line.
func (a *app) planChecks(cmd *cobra.Command, args []string, f *checkFlags, further []settings.Given) (*checkPlan, error) {
	s, err := a.settings()
	if err != nil {
		return nil, err
	}
	names, sources, err := splitChecks(a.directory(), args)
	if err != nil {
		return nil, err
	}
	plan := &checkPlan{values: &settings.Values{Named: map[string]string{"env": f.env, "service": f.service, "grayTag": f.grayTag,
		"canary": "$canary", "file": "$file", "n": "$n", "stable": "$stable", "window": "$window"}, Getenv: a.getenv}}
	given := append(append(a.checkVariables(), f.given...), further...)
	root, err := settings.Override(s.File.Check, &plan.settings, given)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		names = checks.Configured(root)
	}
	if len(names) == 0 {
		names = []string{"coverage"}
	}
	if len(sources) > 0 && !slices.Contains(names, "coverage") {
		return nil, usage("the sources are for the check coverage, which is not among those that run", "`goat check coverage "+sources[0]+"`")
	}
	settings.Ensure(root, names)
	settings.Keep(root, checks.Names(), names)
	checks.Defaults(root, f.grayTag, f.service)
	if err := settings.Decode(s.ConfigPath, root, &plan.settings, plan.values); err != nil {
		return nil, err
	}
	tools := &checks.Tools{Now: time.Now, Hits: a.lastHits}
	tools.Path = func(path string) string { return joinDir(a.directory(), path) }
	tools.Write = func(path string, text []byte) error { return replaceFile(tools.Path(path), text) }
	tools.Compare = goat.FilesOptions{Dir: a.directory(), Base: s.Base, Release: s.Release, Range: goat.Range(s.Range)}
	tools.ModCache = func() string {
		cache, err := gocmd.Output(cmd.Context(), a.directory(), userEnviron(), []string{"env", "GOMODCACHE"})
		if err != nil {
			return "" // without a go command nobody knows
		}
		return strings.TrimSpace(string(cache))
	}
	tools.Report = func(c *coverage.Settings) (func(context.Context) (*report.Document, error), []string, error) {
		return a.checkReport(cmd, plan, c, sources, f)
	}
	tools.Dump, tools.Panics = a.checkDump(f), a.checkPanics(f)
	plan.checks, err = checks.Make(names, &plan.settings, tools)
	return plan, err
}

// diagnosed says how a check of diagnostics asks: the time is the check's own.
func (f *checkFlags) diagnosed() diagnoseFlags {
	return diagnoseFlags{plan: f.plan, token: f.token, timeout: time.Hour}
}

// checkDump reads the goroutines that a check judges.
func (a *app) checkDump(f *checkFlags) func(context.Context, *dump.Settings) (*goat.DumpResult, string, error) {
	return func(ctx context.Context, s *dump.Settings) (*goat.DumpResult, string, error) {
		return a.readDump(ctx, s.Sources, &dumpFlags{diagnoseFlags: f.diagnosed(), diff: s.Baseline, failIf: s.FailIf, leak: s.Leak})
	}
}

// checkPanics reads the panics that a check judges.
func (a *app) checkPanics(f *checkFlags) func(context.Context, []string, string) (*panics.Record, error) {
	return func(ctx context.Context, sources []string, failIf string) (*panics.Record, error) {
		flags := &panicsFlags{diagnoseFlags: f.diagnosed(), failIf: failIf}
		collector := diag.NewCollector(a.process(&flags.diagnoseFlags))
		defer collector.Close()
		found, change, err := a.readPanics(ctx, collector, sources, flags)
		return &panics.Record{PanicsResult: found, Recorded: collector.Recorded, Silent: collector.Silent, Lost: collector.Lost, Change: change}, err
	}
}

// checkVariables are the settings that the environment gives.
func (a *app) checkVariables() []settings.Given {
	var given []settings.Given
	for _, k := range settings.Keys(&checks.Settings{}) {
		name := settings.Variable(k.Path)
		if value := a.getenv(name); value != "" && k.Fixed() {
			given = append(given, settings.Given{Path: k.Path, Text: value, From: name})
		}
	}
	return given
}

// splitChecks tells names of checks from sources. A word that is neither a file nor an
// address was meant as a check.
func splitChecks(dir string, args []string) (names, sources []string, err error) {
	known := checks.Names()
	for _, arg := range args {
		if slices.Contains(known, arg) {
			names = append(names, arg)
			continue
		}
		_, missing := os.Lstat(joinDir(dir, arg))
		if missing != nil && !source.IsLive(arg) && !strings.ContainsAny(arg, `./\:`) {
			hint := "the checks are " + strings.Join(known, ", ")
			if near := config.Nearest(arg, known); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			return nil, nil, usage(fmt.Sprintf("%s is neither a check nor a source", strconv.Quote(arg)), hint)
		}
		sources = append(sources, arg)
	}
	return names, sources, nil
}

// checkReport prepares the reading of evidence for a coverage check.
func (a *app) checkReport(cmd *cobra.Command, plan *checkPlan, c *coverage.Settings, sources []string, f *checkFlags) (func(context.Context) (*report.Document, error), []string, error) {
	if len(sources) == 0 {
		sources = c.Sources
	}
	flags := f.sourceFlags
	flags.plan = cmp.Or(f.plan, c.Plan)
	request, err := a.sources(cmd, sources, &flags)
	if err != nil {
		return nil, nil, err
	}
	request.Counting = report.Counting{Phase: c.Phase, Lane: c.Lane}
	plan.request = request
	from := slices.Clone(request.Sources)
	if selector := f.fleet.pods.selector; selector != "" {
		from = append(from, "pods "+selector)
	}
	if server := f.fleet.prom.prometheus; server != "" {
		from = append(from, server)
	}
	read := func(ctx context.Context) (*report.Document, error) { return source.Make(ctx, request) }
	return read, from, nil
}

// lastHits tells when the processes of some sources were last hit. That part of them
// cannot be read makes the answer worthless.
func (a *app) lastHits(ctx context.Context, sources []string) (last time.Time, window time.Duration, err error) {
	request := source.Request{Sources: inDir(a.directory(), sources), Token: a.getenv("GOAT_TOKEN"), Timeout: requestTimeout}
	document, err := source.Make(ctx, request)
	if err != nil {
		return last, window, err
	}
	for i := range document.Instances {
		in := &document.Instances[i]
		if in.Error != nil {
			return last, window, fmt.Errorf("%s: %s", in.Source, *in.Error)
		}
		if known, err := time.ParseDuration(in.Window); err == nil {
			window = max(window, known)
		}
	}
	for i := range document.Points {
		for _, hit := range []*time.Time{document.Points[i].LastHit, document.Points[i].FirstTraffic} {
			if hit != nil && hit.After(last) {
				last = *hit
			}
		}
	}
	return last, window, nil
}

// deliverVerdict writes the verdict to its files and to stdout. Every form is made before
// the first is written.
func (a *app) deliverVerdict(ctx context.Context, plan *checkPlan, d *gate.Document, format string, outputs []output, looks text.Looks) error {
	files := make([][]byte, len(outputs))
	for i, o := range outputs {
		var err error
		if files[i], err = verdictForm(ctx, plan, d, o.format, text.Looks{Verbose: true, Quiet: looks.Quiet}); err != nil {
			return err
		}
	}
	shown, err := verdictForm(ctx, plan, d, format, looks)
	if err != nil {
		return err
	}
	for i, o := range outputs {
		if err := replaceFile(o.path, files[i]); err != nil {
			return err
		}
	}
	return a.print(string(shown))
}

// verdictForm is the verdict in one format.
func verdictForm(ctx context.Context, plan *checkPlan, d *gate.Document, format string, looks text.Looks) ([]byte, error) {
	switch format {
	case "json":
		var b bytes.Buffer
		err := writeJSON(&b, d)
		return b.Bytes(), err
	case "markdown":
		return render.VerdictMarkdown(d), nil
	case "junit":
		return render.JUnit(d)
	case "html":
		return verdictPage(ctx, plan.request, d)
	}
	return []byte(text.Check(d, looks)), nil
}

// verdictPage is the evidence page with the verdict on top. Without evidence it is about
// nothing but the verdict.
func verdictPage(ctx context.Context, request source.Request, d *gate.Document) ([]byte, error) {
	evidence := d.Report
	if evidence == nil {
		evidence = &report.Document{Format: report.Format, LinesMissing: "no evidence was looked at"}
	}
	p, err := drawPage(request)(ctx, evidence)
	if err != nil {
		return nil, err
	}
	p.Verdict = html.Verdict(d)
	var b bytes.Buffer
	err = p.Write(&b)
	return b.Bytes(), err
}

// GrayCheck is the name under which goat is `goat check`.
const GrayCheck = "go-graycheck"

// Words are the arguments of a command line, by the name it was started under.
func Words(args []string) []string {
	if len(args) == 0 {
		return nil
	}
	words := args[1:]
	if strings.TrimSuffix(filepath.Base(args[0]), ".exe") != GrayCheck {
		return words
	}
	if len(words) > 0 && words[0] == "run" {
		words = words[1:]
	}
	return append([]string{"check"}, words...)
}
