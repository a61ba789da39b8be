package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/printable"
)

const initLong = `Init writes goat.yaml into the module's root, every key with a comment. The other
verbs need no goat.yaml; write one to keep answers that you would else type as flags.

It refuses to overwrite a file without --force. --config or GOAT_CONFIG name another
place. Texts are written so that they come back as they were given: 1.10 stays 1.10.`

// initFlags are the answers of `goat init` as typed.
type initFlags struct {
	old, new, appName, appVersion               string
	precision                                   string
	threads, tabWidth, indent                   int
	race, skipNested, force                     bool
	packageName, packageAlias, packagePath      string
	ignores, mainEntries, printerMode, dataType string
}

func (a *app) newInit() *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:     "init",
		GroupID: groupInPlace,
		Short:   "Write goat.yaml",
		Long:    initLong,
		Example: "  goat init\n  goat init --old v1.4.0 --ignores '*.pb.go,/third_party' --force",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.runInit(cmd, &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.old, "old", "", "base `REF` (default main, where it exists); INIT for nothing")
	flags.StringVar(&f.new, "new", "HEAD", "release `REF`")
	flags.StringVar(&f.appName, "app-name", "", "`NAME` in reports (default the directory's name)")
	flags.StringVar(&f.appVersion, "app-version", "", "`VERSION` in reports (default the release's short hash)")
	flags.StringVar(&f.precision, "diff-precision", "2", "`WORD`: 1 blame, 2 diff with renames, 3 diff without renames")
	flags.IntVar(&f.threads, "threads", 1, "`N`, needless: goat uses all processors")
	flags.BoolVar(&f.race, "race", false, "needless: points are always race-free")
	flags.StringVar(&f.packageName, "goat-package-name", "goat", "`NAME` of the generated runtime package")
	flags.StringVar(&f.packageAlias, "goat-package-alias", "goat", "`NAME` under which sources import it")
	flags.StringVar(&f.packagePath, "goat-package-path", "goat", "`DIR` of the module where it stands")
	flags.StringVar(&f.ignores, "ignores", "", "`PATTERNS` to leave out, gitignore syntax, commas between")
	flags.StringVar(&f.mainEntries, "main-entries", "*", "main packages to track: * or `DIRS`, commas between")
	flags.StringVar(&f.printerMode, "printer-config-mode", "useSpaces,tabIndent", "`WORD`, needless: goat never reformats")
	flags.IntVar(&f.tabWidth, "printer-config-tabwidth", 8, "`N`, needless")
	flags.IntVar(&f.indent, "printer-config-indent", 0, "`N`, needless")
	flags.StringVar(&f.dataType, "data-type", "bool", "`WORD`: bool or count")
	flags.BoolVar(&f.skipNested, "skip-nested-modules", true, "leave modules below this one out")
	flags.BoolVar(&f.force, "force", false, "overwrite an existing file")
	complete(cmd, "old", completeRefs)
	complete(cmd, "new", completeRefs)
	complete(cmd, "data-type", cobra.FixedCompletions(config.DataTypes, cobra.ShellCompDirectiveNoFileComp))
	complete(cmd, "diff-precision", cobra.FixedCompletions(config.Precisions, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// adopt takes goat's own flags for the answers that they mean here.
func (f *initFlags) adopt(cmd *cobra.Command, typed config.Flags) {
	for _, same := range []struct {
		flag, own string
		answer    *string
	}{
		{config.FlagBase, "old", &f.old},
		{config.FlagRelease, "new", &f.new},
		{config.FlagPrecision, "diff-precision", &f.precision},
	} {
		if value, given := typed[same.flag]; given && !cmd.Flags().Changed(same.own) {
			*same.answer = value
		}
	}
}

func (a *app) runInit(cmd *cobra.Command, f *initFlags) error {
	f.adopt(cmd, a.typed())
	dir, err := config.WorkDir(a.directory())
	if err != nil {
		return err
	}
	root := config.ModuleRoot(dir)
	if root == "" {
		return &goat.Error{
			Code: goat.CodeNoGoMod, Message: "no go.mod in the directory or above it", Path: dir,
			Hint: "go into a Go module, or make one with `go mod init`",
		}
	}
	target := a.initTarget(dir, root)
	if _, err := os.Lstat(target); err == nil && !f.force {
		return &goat.Error{
			Code: goat.CodeUsage, Message: filepath.Base(target) + " exists already", Path: target,
			Hint: "`goat init --force` overwrites it",
		}
	}
	mains, err := initMains(cmd.Context(), root, f)
	if err != nil {
		return err
	}
	file, err := a.initFile(cmd.Context(), root, f)
	if err != nil {
		return err
	}
	text, err := file.Marshal()
	if err != nil {
		return err
	}
	if err := writeWhole(target, text, f.force); err != nil {
		return err
	}
	return a.tellInit(cmd.Context(), root, target, file, mains)
}

// tellInit says what was written and what the answers mean here.
func (a *app) tellInit(ctx context.Context, root, target string, file *config.File, mains []string) error {
	looks, err := a.looks()
	if err != nil || looks.Quiet {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "wrote %s\n", printable.Text(target))
	fmt.Fprintf(&b, "base %s, release %s; `goat plan` shows what would be tracked\n", printable.Text(*file.OldBranch), printable.Text(file.NewBranch))
	if tracked := matching(file.MainEntries, mains); len(tracked) > 0 {
		fmt.Fprintf(&b, "main packages for goat track: %s\n", printable.Text(strings.Join(tracked, ", ")))
	}
	b.WriteString(trunkNote(ctx, gitIn(root), *file.OldBranch))
	_, err = io.WriteString(a.stdout, b.String())
	return written(err)
}

// matching are the mains that some entry names.
func matching(entries, mains []string) []string {
	var kept []string
	for _, main := range mains {
		for _, entry := range entries {
			if entry == "*" || entryMatches(entry, main) {
				kept = append(kept, main)
				break
			}
		}
	}
	return kept
}

// trunkNote warns when the base is where the tree stands: then only what is not
// committed differs.
func trunkNote(ctx context.Context, git gitIn, base string) string {
	if at := git.commit(ctx, base); at == "" || at != git.commit(ctx, "HEAD") {
		return ""
	}
	note := "note: " + base + " is what is checked out, so only changes that are not committed count"
	tag, err := git.output(ctx, "describe", "--tags", "--abbrev=0", "HEAD^")
	if err != nil {
		return note + "\n"
	}
	return note + "; `goat init --force --old " + tag + "` compares with the release before it\n"
}

// initTarget is where goat.yaml goes: where it was named, else into the module's root.
func (a *app) initTarget(dir, root string) string {
	named, given := a.typed()[config.FlagConfig]
	if !given {
		named = a.getenv(config.EnvName(config.FlagConfig))
	}
	switch {
	case named == "":
		return filepath.Join(root, config.FileName)
	case filepath.IsAbs(named):
		return named
	}
	return filepath.Join(dir, named)
}

// initMains are the module's main packages. Without a go command there are none to see,
// which matters only where some were named.
func initMains(ctx context.Context, root string, f *initFlags) ([]string, error) {
	entries := config.SplitList(f.mainEntries)
	mains, err := listMains(ctx, root)
	if err != nil {
		if len(entries) == 1 && entries[0] == "*" {
			return nil, ctx.Err()
		}
		return nil, err
	}
	return mains, checkMains(entries, mains)
}

// initFile checks the answers and finds those that were not given.
func (a *app) initFile(ctx context.Context, root string, f *initFlags) (*config.File, error) {
	granularity, err := a.initWords(f)
	if err != nil {
		return nil, err
	}
	git := gitIn(root)
	if err := git.check(ctx); err != nil {
		return nil, err
	}
	old, err := initBase(ctx, git, f.old)
	if err != nil {
		return nil, err
	}
	if f.new != "" && f.new != "HEAD" && git.commit(ctx, f.new) == "" {
		return nil, unknownRef("--new", f.new)
	}
	verbose := a.typed()[config.FlagVerbose] == "true"
	return &config.File{
		AppName:    cmp.Or(f.appName, filepath.Base(root)),
		AppVersion: cmp.Or(f.appVersion, git.shortCommit(ctx, cmp.Or(f.new, "HEAD"))),
		OldBranch:  &old, NewBranch: f.new, Ignores: config.SplitList(f.ignores),
		Granularity: granularity, DiffPrecision: int(f.precision[0] - '0'),
		MainEntries: config.SplitList(f.mainEntries), DataType: f.dataType, SkipNestedModules: &f.skipNested,
		GoatPackageName: f.packageName, GoatPackageAlias: f.packageAlias, GoatPackagePath: f.packagePath,
		Verbose: verbose, Threads: f.threads, Race: f.race,
		PrinterConfigMode: config.SplitList(f.printerMode),
		PrinterConfigTab:  f.tabWidth, PrinterConfigIndent: f.indent,
	}, nil
}

// initWords checks the flags that take one of a few words.
func (a *app) initWords(f *initFlags) (granularity string, err error) {
	granularity = "patch"
	if typed, given := a.typed()[config.FlagGranularity]; given {
		granularity = typed
	}
	for _, check := range []struct {
		flag, value string
		legal       []string
	}{
		{"--granularity", granularity, config.Granularities},
		{"--diff-precision", f.precision, config.Precisions},
		{"--data-type", f.dataType, config.DataTypes},
	} {
		if err := config.OneOf(goat.CodeUsage, check.flag, check.value, check.legal); err != nil {
			return "", err
		}
	}
	return granularity, nil
}

func unknownRef(flag, ref string) error {
	return &goat.Error{
		Code: goat.CodeUnknownRef, Message: fmt.Sprintf("%s: %q names no commit", flag, ref),
		Hint: "`git branch -a` and `git tag` list the names; `git fetch --tags` gets those of the remote",
	}
}

// initBase is the base to write: the one that was named, else main, else what the
// repository has in its place.
func initBase(ctx context.Context, git gitIn, named string) (string, error) {
	if named == "" {
		for _, ref := range []string{"main", "master", "origin/HEAD"} {
			if git.commit(ctx, ref) != "" {
				return ref, nil
			}
		}
		return "main", nil
	}
	if named != "INIT" && named != "HEAD" && git.commit(ctx, named) == "" {
		return "", unknownRef("--old", named)
	}
	return named, nil
}

// checkMains refuses an entry that matches no main package of the module, as the
// go command sees it with the build's own tags, workspace and replacements.
func checkMains(entries, mains []string) error {
	for _, entry := range entries {
		if entry == "*" || len(matching([]string{entry}, mains)) > 0 {
			continue
		}
		e := &goat.Error{Code: goat.CodeUsage, Message: fmt.Sprintf("--main-entries: %q matches no main package", entry)}
		e.Hint = "the module's main packages: " + strings.Join(mains, ", ")
		if len(mains) == 0 {
			e.Hint = "the module has no main package; leave --main-entries out"
		}
		return e
	}
	return nil
}
