package cli

import (
	"os/exec"
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
