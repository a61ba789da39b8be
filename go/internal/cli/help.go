package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go/internal/config"
)

// usageTemplate is cobra's with goat's own names for the parts.
const usageTemplate = `Usage:
  {{if .HasParent}}{{.UseLine}}{{else}}{{.Use}}{{end}}
{{- if .HasExample}}

Examples:
{{.Example}}{{end}}
{{- if .HasAvailableSubCommands}}{{$cmds := .Commands}}{{range $group := .Groups}}

{{.Title}}{{range $cmds}}{{if (and (eq .GroupID $group.ID) .IsAvailableCommand)}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}

Further:{{range $cmds}}{{if (and (eq .GroupID "") (or .IsAvailableCommand (eq .Name "help")))}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}
{{- if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}
{{- if and .HasAvailableInheritedFlags (ne .Name "toolexec")}}

Goat flags:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}
{{- if .HasHelpSubCommands}}

Topics (goat help TOPIC):{{range .Commands}}{{if .IsAdditionalHelpTopicCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}
`

// helpCommand is `goat help VERB`; an unknown verb is an error, not a page of help.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [VERB or TOPIC]",
		Short: "Explain a verb or a topic",
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, cmd := range root.Commands() {
				names = append(names, cmd.Name()+"\t"+cmd.Short)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || cmd == root && len(args) > 0 || len(rest) > 0 {
				var names []string
				for _, c := range root.Commands() {
					names = append(names, c.Name())
				}
				hint := "`goat help` lists verbs and topics"
				if near := config.Nearest(args[0], names); near != "" {
					hint = fmt.Sprintf("did you mean `goat help %s`?", near)
				}
				return usage(fmt.Sprintf("no help on %q", strings.Join(args, " ")), hint)
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	}
}

// helpTopics are commands that only explain.
func helpTopics() []*cobra.Command {
	return []*cobra.Command{
		{Use: "exit-codes", Short: "What goat's exit codes say", Long: topicExitCodes},
		{Use: "environment", Short: "Variables that goat and the instrumented program read", Long: topicEnvironment},
		{Use: "config", Short: "goat.yaml, key by key", Long: topicConfig()},
		{Use: "granularity", Short: "How many points a change gets, and what a hit vouches for", Long: topicGranularity},
		{Use: "precision", Short: "How changed lines are found", Long: topicPrecision},
		{Use: "base", Short: "What the release is compared with", Long: topicBase},
		{Use: "reasons", Short: "Why a changed line has no point", Long: topicReasons},
		{Use: "refusals", Short: "What goat does not build, and what to type instead", Long: topicRefusals()},
	}
}

const topicExitCodes = `Exit codes:

  0    done
  1    the answer is no: a check failed, or less ran than --fail-under asks for
  2    usage or configuration: a flag, a key, an unknown ref, no go.mod, bad marks,
       a plan of another goat
  3    inconclusive: part of the sources could not be read; what could be is shown
  4    could not look: not a repository, missing objects, an unreadable or unwritable
       place, no core, no go command, a stale plan, no source that answers
  130  interrupted (Ctrl-C)

build, test, run and install exit with go's code once go has started. What fails
before that is goat's own and starts with "goat:".`

const topicEnvironment = `Every goat flag has a variable: --base is GOAT_BASE, --no-color is GOAT_NO_COLOR.
A flag beats its variable, which beats goat.yaml. An empty variable counts as unset.

When goat looks or builds:

  GOAT_BASE GOAT_RELEASE GOAT_RANGE GOAT_PRECISION GOAT_GRANULARITY GOAT_CONFIG
  GOAT_FORMAT GOAT_EXACT GOAT_SERVER GOAT_DEPS GOAT_PANICS GOAT_PPROF GOAT_VERBOSE GOAT_QUIET
  GOAT_NO_COLOR
  GOAT_CACHE        where plans are cached, instead of goat in the user's cache directory
  GOAT_CHECK_...    a setting of goat check: GOAT_CHECK_COVERAGE_POINTS (goat help check)
  GOAT_TIMINGS      a directory: each build leaves a log of what it took (goat help heat)
  GOAT_RUNNER       the kind of this machine, for goat heat --baseline
  GOAT_BINARY       goat plan --binary: the account is for this program
  GOAT_PROMETHEUS_TOKEN  bearer token for the server of --prometheus
  GOAT_CHECK_TOKEN  what goat check serve wants of who asks
  GOAT_STALE=skip   compile a file plain that has changed since the plan, instead of failing
  NO_COLOR          no colour

In the instrumented program:

  GOAT_OFF=1        do nothing at all
  GOAT_ADDR         host:port, unix:/path or off; default 127.0.0.1:57005
  GOAT_PORT         the port alone (0: a free one)
  GOAT_METRICS_IP   the address alone
  GOAT_TOKEN        bearer token; needed for POST /reset and for reads from other hosts
  GOAT_SPOOL        directory for spool files, which survive kill -9
  GOAT_SPOOL_MODE   their mode, default 0600
  GOAT_SPOOL_KEEP   how many of an app to keep, default 20
  GOAT_LANE         the gray lane of the process, shown in every report
  GOAT_WINDOW       how exactly last hits are known, default 1s; 0: not at all
  GOAT_STARTUP      how long the startup phase lasts, default 5s
  GOAT_POINT_METRICS=1  one metric per point
  GOAT_PPROF=1      serve profiles to who has GOAT_TOKEN, if built with --pprof
  GOAT_PPROF_LABELS the labels that a profile may tell, comma-separated; default none
  GOAT_PPROF_KEY    hash names of functions and files with this key; goat profile needs it, too
  GOAT_CURRENT_COMPONENT  the component that /track shows

GOAT_TOKEN is also what goat report sends.`

const topicGranularity = `Granularity says how many points a change gets, and so what a hit is evidence for:

  line   a point at each changed statement: that statement was reached
  patch  a point at each run of changed statements in one block: the run was entered.
         A run never spans a return, a branch, a loop or a jump (the rule of go's own
         coverage), but a call inside it may panic before the run's end. The default.
  scope  a point at each block that holds a change: the block was entered
  func   a point at each function that holds a change: the function was entered

A changed condition also gives each of its first-level branches a point (kind branch);
deleted lines give the block around them one (kind deletion).

Form (in goat plan) says how a point is written: exact points record the time before
the next statement runs, so that not even kill -9 loses them; store points, used where
a call would stop the compiler from inlining, are found by a scan every 100 ms.
--exact uses exact points everywhere.`

const topicPrecision = `Precision says how changed lines are found:

  1  blame: a line is new when the commit it comes from is not part of the base, or
     when it is not committed yet. No dates are looked at.
  2  diff with renames: what git diff -M adds. The default.
  3  diff without renames: a moved file is new as a whole.

An edit of comments or formatting is no change at any precision; goat plan accounts
for every changed line either way.`

const topicBase = `The release is compared with the merge-base of base and release: what the release's
side changed since it left the base. --range=direct compares with the base's tip.

Without --base, GOAT_BASE or oldBranch the base is the remote's default branch, else
main, else master. Where that leads to the release itself (on the trunk), it is the
latest tag before it. The summary line of every verb says what was taken, and why.

--base INIT means no base: everything is new. The release is the working tree, with
untracked files, unless --release names another commit (goat plan only: a build can
only see the working tree).

In a shallow clone the merge-base may be missing:  git fetch --unshallow
or                                                 git fetch --deepen=100`

const topicReasons = `Every changed line stands in the account exactly once (goat plan --explain).

not_executable: nothing on the line runs
  blank comment      empty, or only a comment
  format             the same tokens as before: only moved or spaced differently
  package import type const   declarations
  var                a variable whose initialiser calls nothing
  signature          a function's head, or the text of a deleted function
  brace label        only a brace or a label
  directive          //go:... or //line

untracked: it could run, but has no point
  generated          the file says "Code generated ... DO NOT EDIT."
  build_constraint   another GOOS, GOARCH or tag; not_in_build: not reached by the build
  ignored            goat.yaml's ignores; ignore_tag: //goat:ignore before it
  other_module vendor    not this module's code
  syntax_error       the function does not parse
  rewrite_rejected   the rewritten function does not parse
  assembly_stub nosplit cgo_preamble   code in which no Go statement may be put
  link_removed       the linker dropped the function (goat plan --binary)
  blank_variable     a package variable named _
  unreadable too_large   the file could not be taken`
