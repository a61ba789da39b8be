package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/goat-trace/goat/go/internal/cli"
)

// The topics that have a section in the pages of verbs instead of a page of their own.
const (
	topicExitCodes   = "exit-codes"
	topicEnvironment = "environment"
)

// manual makes a page for each verb (section 1) and for each help topic (section 7) from
// the tree of commands. In goat(1) stand all variables, in every verb's page the exit codes.
func (r *release) manual(add func(name, installed string, data []byte)) error {
	tree := cli.Tree()
	tree.DisableAutoGenTag = true
	topics := map[string]string{}
	for _, cmd := range tree.Commands() {
		if cmd.IsAdditionalHelpTopicCommand() {
			topics[cmd.Name()] = cmd.Long
		}
	}
	for _, name := range []string{topicExitCodes, topicEnvironment} {
		if topics[name] == "" {
			return fmt.Errorf("goat help %s is empty", name)
		}
	}
	page := func(section, name string, text []byte) error {
		packed, err := r.gzipped(text)
		if err != nil {
			return err
		}
		file := name + "." + section
		add("man/"+file, "", text)
		add("man/"+file+".gz", "/usr/share/man/man"+section+"/"+file+".gz", packed)
		return nil
	}
	var seeAlso []string
	for _, cmd := range tree.Commands() {
		if !cmd.IsAdditionalHelpTopicCommand() || cmd.Name() == topicExitCodes || cmd.Name() == topicEnvironment {
			continue
		}
		name := "goat-" + cmd.Name()
		seeAlso = append(seeAlso, roffBold(name+"(7)"))
		if err := page("7", name, r.topicPage(name, cmd)); err != nil {
			return err
		}
	}
	var verb func(cmd *cobra.Command) error
	verb = func(cmd *cobra.Command) error {
		if cmd.HasParent() && (!cmd.IsAvailableCommand() || cmd.IsAdditionalHelpTopicCommand()) {
			return nil
		}
		var out bytes.Buffer
		// Without a title each page has its own: GOAT-PLAN(1).
		header := &doc.GenManHeader{Section: "1", Date: &r.time, Source: r.source(), Manual: "goat"}
		if err := doc.GenMan(cmd, header, &out); err != nil {
			return err
		}
		added := roffSection("EXIT STATUS", strings.TrimPrefix(topics[topicExitCodes], "Exit codes:\n\n"))
		if cmd.HasParent() {
			added += ".SH ENVIRONMENT\nEach flag has a variable: --base is GOAT_BASE, --no-color is GOAT_NO_COLOR.\n" +
				roffBold("goat(1)") + " has them all, and those of instrumented programs.\n"
		} else {
			added += roffSection("ENVIRONMENT", topics[topicEnvironment])
		}
		text := out.String()
		before, after, found := strings.Cut(text, ".SH SEE ALSO\n")
		if !found {
			return fmt.Errorf("the page of %s has no SEE ALSO", cmd.CommandPath())
		}
		text = before + added + "\n.SH SEE ALSO\n" + after
		if !cmd.HasParent() {
			text = strings.TrimRight(text, "\n") + ", " + strings.Join(seeAlso, ", ") + "\n"
		}
		if err := page("1", strings.ReplaceAll(cmd.CommandPath(), " ", "-"), []byte(text)); err != nil {
			return err
		}
		for _, child := range cmd.Commands() {
			if err := verb(child); err != nil {
				return err
			}
		}
		return nil
	}
	return verb(tree)
}

// source is what the foot of a page says.
func (r *release) source() string { return "goat " + strings.TrimPrefix(r.version, "v") }

// topicPage is what `goat help TOPIC` prints, as a page.
func (r *release) topicPage(name string, cmd *cobra.Command) []byte {
	return fmt.Appendf(nil, ".nh\n.TH \"%s\" \"7\" \"%s\" \"%s\" \"goat\"\n\n.SH NAME\n%s - %s\n\n%s\n.SH SEE ALSO\n%s\n",
		strings.ToUpper(name), r.time.Format("Jan 2006"), r.source(), name, cmd.Short, roffSection("DESCRIPTION", cmd.Long), roffBold("goat(1)"))
}

// roffSection is a section whose lines stay as they are.
func roffSection(title, text string) string {
	var out strings.Builder
	fmt.Fprintf(&out, ".SH %s\n.EX\n", title)
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		line = strings.ReplaceAll(line, `\`, `\e`)
		line = strings.ReplaceAll(line, "-", `\-`)
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			line = `\&` + line
		}
		out.WriteString(line + "\n")
	}
	out.WriteString(".EE\n")
	return out.String()
}

func roffBold(text string) string { return `\fB` + text + `\fP` }
