package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
)

// addGoatFlags gives the root the flags that every verb takes. They only collect
// text: package config settles what holds.
func addGoatFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringP("directory", "C", "", "work in `DIR` (before the verb only)")
	f.String(config.FlagBase, "", "compare with `REF`: branch, tag or commit; INIT for nothing")
	f.String(config.FlagRelease, "", "what runs: `REF`, by default the working tree")
	f.Var(new(word), config.FlagRange, "merge-base (default) or direct: compare with the tip of the base")
	f.Var(new(word), config.FlagPrecision, "1 blame, 2 diff with renames (default), 3 diff without renames")
	f.Var(new(word), config.FlagGranularity, "line, patch (default), scope or func")
	f.String(config.FlagConfig, "", "read `FILE` instead of goat.yaml")
	f.Var(new(word), config.FlagFormat, "text (default) or json; the verb's help names further ones")
	f.Bool(config.FlagExact, false, "write every point in the exact form")
	f.Var(new(word), config.FlagServer, "auto (default), on or off: HTTP server in the program")
	f.Bool(config.FlagDeps, false, "track the changed code of upgraded modules (go.mod), too")
	f.String(config.FlagTimings, "", "log what each tool of the build takes, in `DIR` (with =) or goat's cache; see goat heat")
	f.Lookup(config.FlagTimings).NoOptDefVal = config.OwnTimings
	f.Bool(config.FlagPanics, false, "record every panic of the program, recovered or not")
	f.Bool(config.FlagPprof, false, "let the program serve profiles of itself; see goat profile")
	f.Bool(config.FlagVerbose, false, "say more")
	f.BoolP(config.FlagQuiet, "q", false, "say nothing but errors")
	f.Bool(config.FlagNoColor, false, "no colour, even on a terminal")
	for flag, words := range map[string][]string{
		config.FlagRange:       config.Ranges,
		config.FlagPrecision:   config.Precisions,
		config.FlagGranularity: config.Granularities,
		config.FlagServer:      config.Servers,
	} {
		complete(root, flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	}
	complete(root, config.FlagFormat, completeFormats)
	complete(root, config.FlagBase, completeRefs)
	complete(root, config.FlagRelease, completeRefs)
}

// word is a text that help shows as one of a few words.
type word string

func (w *word) String() string        { return string(*w) }
func (w *word) Set(text string) error { *w = word(text); return nil }
func (w *word) Type() string          { return "WORD" }

// complete registers a completion; it fails only for a flag that does not exist.
func complete(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err)
	}
}

// typed are goat's flags as they stood on the command line.
func (a *app) typed() config.Flags {
	flags := config.Flags{}
	// Not Visit: a flag behind the verb is noted in the verb's own set.
	a.root.PersistentFlags().VisitAll(func(f *pflag.Flag) {
		if f.Changed {
			flags[f.Name] = f.Value.String()
		}
	})
	return flags
}

func (a *app) directory() string {
	return a.root.PersistentFlags().Lookup("directory").Value.String()
}

// settings reads flags, environment and goat.yaml.
func (a *app) settings() (*config.Settings, error) {
	return config.Resolve(a.directory(), a.typed(), a.getenv)
}

// format is the output format where goat.yaml does not matter.
func (a *app) format() string {
	if text, given := a.typed()[config.FlagFormat]; given {
		return text
	}
	return a.getenv(config.EnvName(config.FlagFormat))
}

// textOrJSON reports whether JSON was asked for.
func textOrJSON(format string) (bool, error) {
	switch format {
	case "", "text":
		return false, nil
	case "json":
		return true, nil
	}
	return false, config.OneOf(goat.CodeUsage, "--format", format, []string{"text", "json"})
}

// splitGoFlags takes goat's flags off the front of a go verb's arguments, sets them,
// and returns the rest, which is go's: the first argument that is not a flag of goat's
// ends them, so that neither go's flags nor the program's are ever taken.
func (a *app) splitGoFlags(cmd *cobra.Command, args []string) ([]string, error) {
	flags := a.root.PersistentFlags()
	for len(args) > 0 {
		flag, text, inline := goatFlag(flags, args[0])
		if flag == nil {
			break
		}
		args = args[1:]
		switch {
		case inline:
		case flag.NoOptDefVal != "":
			text = flag.NoOptDefVal
		case len(args) == 0:
			return nil, flagError(cmd, fmt.Errorf("flag needs an argument: --%s", flag.Name))
		default:
			text, args = args[0], args[1:]
		}
		if err := flags.Set(flag.Name, text); err != nil {
			return nil, flagError(cmd, err)
		}
	}
	return args, nil
}

// goatFlag recognises --name, --name=text and -q. -C after a verb is go's own.
func goatFlag(flags *pflag.FlagSet, arg string) (flag *pflag.Flag, text string, inline bool) {
	if arg == "-q" {
		return flags.Lookup(config.FlagQuiet), "", false
	}
	name, dashed := strings.CutPrefix(arg, "--")
	if !dashed || name == "" {
		return nil, "", false
	}
	name, text, inline = strings.Cut(name, "=")
	if name == "directory" {
		return nil, "", false
	}
	return flags.Lookup(name), text, inline
}
