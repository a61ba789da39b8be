package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var (
	inCode = regexp.MustCompile("`([^`\n]+)`")
	fence  = regexp.MustCompile("(?s)```[a-z]*\n(.*?)```")
	// command is one of goat's, as somebody would type it: at the start, or behind what
	// joins commands or sets variables.
	command = regexp.MustCompile(`(?:^|[;&|(]\s*|\$\(|\$ |-- |[A-Z_]+=\S* |\b(?:try|run|type|set up|exec|see|do|then|with|of|say|by) |["'` + "`" + `])goat ((?:-\S+ )*)([a-z][a-z-]*)\b([^;&|()#` + "`" + `\n]*)`)
	flag    = regexp.MustCompile(`(?:^|[\s\[])(--?[A-Za-z][A-Za-z0-9.-]*)`)
)

// named is a text that names commands, and where it stands.
type named struct {
	place, text string
	// prose is text in which goat is also the name of the program.
	prose bool
}

// TestNamedCommands holds every goat command that a page, a help text, a message or an
// example names against the real verbs and their flags.
func TestNamedCommands(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	sources := append(pages(t, root), literals(t, filepath.Join(root, "go"), "goat ")...)
	sources = append(sources, quoted(t, filepath.Join(root, "rust"))...)
	tree := Tree()
	walk(tree, func(c *cobra.Command) {
		sources = append(sources, named{place: "goat help " + c.Name(), text: c.Example})
	})
	found := 0
	for _, s := range sources {
		for _, line := range strings.Split(s.text, "\n") {
			for _, typed := range command.FindAllStringSubmatch(strings.TrimSpace(line), -1) {
				if complaint, ok := check(tree, typed, s.prose); ok {
					found++
					if complaint != "" {
						t.Errorf("%s: %s\n\t%s", s.place, complaint, strings.TrimSpace(typed[0]))
					}
				}
			}
		}
	}
	if found < 300 {
		t.Errorf("only %d commands were found", found)
	}
}

// TestNamedVariables: what goat reads of the environment stands in goat help environment.
func TestNamedVariables(t *testing.T) {
	// These are between goat and its helper, or tests alone set them.
	inner := map[string]bool{"GOAT_GOFLAGS": true, "GOAT_TOOLEXEC_LOG": true, "GOAT_PROPERTY_SECONDS": true}
	variable := regexp.MustCompile(`^GOAT_[A-Z_]+$`)
	for _, l := range literals(t, "..", "GOAT_") {
		if variable.MatchString(l.text) && !inner[l.text] && !strings.Contains(topicEnvironment, l.text) {
			t.Errorf("%s: %s does not stand in goat help environment", l.place, l.text)
		}
	}
}

// check tells what is wrong with a command; it is none where prose only goes on.
func check(tree *cobra.Command, typed []string, prose bool) (complaint string, isCommand bool) {
	words := append([]string{typed[2]}, strings.Fields(typed[3])...)
	switch words[0] {
	case "help": // Both are added when goat starts.
		return checkTopic(tree, words[1:]), true
	case "completion":
		return "", true
	}
	verb, _, err := tree.Find(words)
	if err != nil || verb == tree {
		return "there is no verb " + typed[2], !prose
	}
	if verb.IsAdditionalHelpTopicCommand() {
		return typed[2] + " is a topic: goat help " + typed[2], !prose
	}
	for _, text := range []string{typed[1], typed[3]} {
		for _, f := range flag.FindAllStringSubmatch(" "+text, -1) {
			if !hasFlag(verb, f[1]) {
				return verb.CommandPath() + " has no " + f[1], true
			}
		}
	}
	return "", true
}

// checkTopic: VERB and TOPIC stand for any.
func checkTopic(tree *cobra.Command, words []string) string {
	if len(words) == 0 || strings.ToUpper(words[0]) == words[0] || strings.HasPrefix(words[0], "%") {
		return ""
	}
	words[0] = strings.TrimRight(words[0], ",.:")
	if topic, _, err := tree.Find(words[:1]); err != nil || topic == tree {
		return "there is no help on " + words[0]
	}
	return ""
}

// hasFlag: go's own flags are not ours to know; checks have a flag for each key.
func hasFlag(verb *cobra.Command, name string) bool {
	if verb.DisableFlagParsing && !strings.HasPrefix(name, "--") || strings.HasPrefix(name, "--check.") && strings.HasPrefix(verb.CommandPath(), "goat check") {
		return true
	}
	verb.InitDefaultHelpFlag()
	var f *pflag.Flag
	if long, ok := strings.CutPrefix(name, "--"); ok {
		if f = verb.Flags().Lookup(long); f == nil {
			f = verb.InheritedFlags().Lookup(long)
		}
		return f != nil || long == "help" || verb.DisableFlagParsing && verb.Name() == "toolexec"
	}
	if len(name) != 2 {
		return false
	}
	return verb.Flags().ShorthandLookup(name[1:]) != nil || verb.InheritedFlags().ShorthandLookup(name[1:]) != nil || verb.DisableFlagParsing
}

func walk(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, child := range c.Commands() {
		walk(child, do)
	}
}

// pages are the documents and examples of the repository.
func pages(t *testing.T, root string) []named {
	t.Helper()
	var all []named
	add := func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(path) != ".md" {
			all = append(all, named{place: path, text: string(text), prose: true})
			return
		}
		for _, block := range fence.FindAllSubmatch(text, -1) {
			all = append(all, named{place: path, text: string(block[1]), prose: true})
		}
		for _, span := range inCode.FindAllSubmatch(fence.ReplaceAll(text, nil), -1) {
			all = append(all, named{place: path, text: string(span[1])})
		}
	}
	for _, name := range []string{"README.md", "README.zh-CN.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "action.yml"} {
		add(filepath.Join(root, name))
	}
	for _, folder := range []string{"docs", "examples"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() && strings.Contains(".md .yml .yaml .Dockerfile .tpl", filepath.Ext(path)+"") && filepath.Ext(path) != "" {
				add(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// quoted are the commands in the core's sources, which stand between backticks.
func quoted(t *testing.T, folder string) []named {
	t.Helper()
	var all []named
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".rs" || strings.Contains(path, "/tests/") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, span := range inCode.FindAllSubmatch(text, -1) {
			if strings.HasPrefix(string(span[1]), "goat ") {
				all = append(all, named{place: path, text: string(span[1])})
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Errorf("only %d commands in the core's sources", len(all))
	}
	return all
}

// literals are the texts of goat's own sources that hold a word: messages, hints, help.
func literals(t *testing.T, folder, holding string) []named {
	t.Helper()
	var all []named
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "lab" || entry.Name() == "e2e" || entry.Name() == "compat") {
			if err == nil {
				return filepath.SkipDir
			}
			return err
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil && strings.Contains(text, holding) {
					all = append(all, named{place: files.Position(literal.Pos()).String(), text: text, prose: true})
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
