package cli

import (
	"os/exec"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// completeRefs offers the branches and tags of the repository. Without git or a
// repository there is nothing to offer; that is no error for a shell.
func completeRefs(cmd *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
	git := exec.CommandContext(cmd.Context(), "git", "for-each-ref", "--sort=-creatordate",
		"--format=%(refname:short)\t%(contents:subject)", "refs/heads", "refs/tags", "refs/remotes")
	if dir := cmd.Root().PersistentFlags().Lookup("directory"); dir != nil {
		git.Dir = dir.Value.String()
	}
	out, err := git.Output()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	refs := []string{"INIT\tno base: everything is new"}
	for _, line := range strings.Split(string(out), "\n") {
		if line != "" && strings.HasPrefix(line, prefix) {
			refs = append(refs, strings.TrimRight(line, "\t"))
		}
	}
	return refs, cobra.ShellCompDirectiveNoFileComp
}

// formats are the formats of a verb that has more than text and json.
func formats(verb string) []string {
	switch verb {
	case "report":
		return reportFormats
	case "check":
		return checkFormats
	case "dump":
		return dumpFormats
	case "profile":
		return profileFormats
	case "heat":
		return heatFormats
	}
	return nil
}

// completeFormats offers the formats of the verb.
func completeFormats(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	if further := formats(cmd.Name()); further != nil {
		return further, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp
}

// explainFormats names the formats of each verb in its help, where the text does not.
func explainFormats(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		if further := formats(cmd.Name()); further != nil && !strings.Contains(cmd.Long, "\nFormats: ") {
			cmd.Long += "\n\nFormats: " + strings.Join(further, ", ") + "."
		}
	}
}

// explainCompletion makes an unknown shell an error instead of a page of help.
func explainCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		cmd.Short = "Print the script that completes goat's words in a shell"
		cmd.Long = "Completion prints the script that completes goat's words in a shell; goat completion SHELL --help says\nhow to load it. The packages of a release have the scripts in place."
		for _, shell := range cmd.Commands() {
			shell.Short = "Print the script for " + shell.Name()
		}
		cmd.Args = cobra.ArbitraryArgs
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return usage("no completion for "+strconv.Quote(args[0]), "use bash, zsh, fish or powershell")
		}
	}
}
