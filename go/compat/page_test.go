package compat

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const page = "../../docs/compatibility.md"

// groups are the parts of the page: the first word of a script's name and a title.
var groups = []struct{ prefix, title string }{
	{"verbs", "Commands"},
	{"packages", "What is built"},
	{"flags", "Flags"},
	{"modes", "Build modes and targets"},
	{"code", "Kinds of code"},
	{"layout", "Modules, workspaces and paths"},
	{"cache", "Caches and builds side by side"},
	{"tests", "go test"},
	{"cover", "Coverage"},
	{"doors", "goat env, bare mode and goat generate"},
	{"positions", "Sameness: lines, columns, messages"},
	{"orchestrion", "Threads of DataDog/orchestrion"},
	{"garble", "Threads of burrowers/garble"},
	{"xgo", "Threads of xhd2015/xgo"},
	{"otelc", "Threads of opentelemetry-go-compile-instrumentation"},
	{"loongsuite", "Threads of alibaba/loongsuite-go"},
	{"golang", "Threads of golang/go"},
}

// TestPage holds the page against the scripts: it lists each of them, and none
// besides. With GOAT_COMPAT_PAGE=write it is written first.
func TestPage(t *testing.T) {
	cases := readCases(t)
	if os.Getenv(envPage) == "write" {
		if err := os.WriteFile(page, []byte(write(t, cases, readResults(t))), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` ").FindAllSubmatch(text, -1) {
		listed[string(row[1])] = true
	}
	for name := range cases {
		if !listed[name] {
			t.Errorf("docs/compatibility.md lacks %s: run `make matrix`", name)
		}
		delete(listed, name)
		if groupOf(name) < 0 {
			t.Errorf("%s: the first word of the name is no group", name)
		}
	}
	for name := range listed {
		t.Errorf("docs/compatibility.md lists %s, which does not exist: run `make matrix`", name)
	}
}

func groupOf(name string) int {
	prefix, _, _ := strings.Cut(name, "-")
	return slices.IndexFunc(groups, func(g struct{ prefix, title string }) bool { return g.prefix == prefix })
}

// readResults reads what the runs left: version to case to result.
func readResults(t *testing.T) map[string]map[string]result {
	files, err := filepath.Glob(filepath.Join(os.Getenv(envResults), "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s holds no results: %v", envResults, err)
	}
	all := map[string]map[string]result{}
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		for lines := bufio.NewScanner(file); lines.Scan(); {
			var r result
			if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
				t.Fatal(err)
			}
			if all[r.Go] == nil {
				all[r.Go] = map[string]result{}
			}
			all[r.Go][r.Case] = r
		}
	}
	return all
}

// write is the page's text.
func write(t *testing.T, cases map[string]*testCase, results map[string]map[string]result) string {
	versions := slices.SortedFunc(maps.Keys(results), func(a, b string) int {
		return cmp.Or(cmp.Compare(minorOf(a), minorOf(b)), cmp.Compare(a, b))
	})
	var b strings.Builder
	b.WriteString("# Compatibility\n\n<!-- Written by `make matrix`; not by hand. -->\n\n" +
		"Every row is a script in `go/compat/testdata/case`, run against the real go command: goat's build is\n" +
		"held against plain go's (exit code, output, what the programs print), and the points that ran prove that\n" +
		"it was instrumented. Taken out of the build on purpose, goat makes every script fail that claims so.\n" +
		"`ok`: passed. `–`: this Go or system cannot do it; the reason stands below the table.\n")
	for _, g := range groups {
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(cases)), func(name string) bool {
			i := groupOf(name)
			return i < 0 || groups[i].prefix != g.prefix
		})
		if len(names) > 0 {
			b.WriteString("\n## " + g.title + "\n\n" + table(t, names, versions, cases, results))
		}
	}
	b.WriteString("\n## Where goat is not the same as plain go\n\n")
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		for _, text := range cases[name].differs {
			fmt.Fprintf(&b, "- %s (`%s`)\n", text, name)
		}
	}
	return b.String()
}

func table(t *testing.T, names, versions []string, cases map[string]*testCase, results map[string]map[string]result) string {
	var b, reasons strings.Builder
	b.WriteString("| case | what |")
	for _, version := range versions {
		b.WriteString(" " + strings.TrimPrefix(version, "go") + " |")
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(versions)) + "\n")
	for _, name := range names {
		c := cases[name]
		what := strings.ReplaceAll(c.what, "|", "\\|")
		for _, url := range c.threads {
			what += fmt.Sprintf(" [%s](%s)", url[strings.LastIndexByte(url, '/')+1:], url)
		}
		fmt.Fprintf(&b, "| `%s` | %s |", name, what)
		why := ""
		for _, version := range versions {
			r, ok := results[version][name]
			switch {
			case !ok:
				t.Errorf("%s has no result on %s", name, version)
			case r.Verdict == "skipped":
				b.WriteString(" – |")
				why = r.Reason
			case r.Verdict == "failed":
				b.WriteString(" **failed** |")
			default:
				b.WriteString(" ok |")
			}
		}
		b.WriteString("\n")
		if why != "" {
			fmt.Fprintf(&reasons, "- `%s`: %s\n", name, why)
		}
	}
	if reasons.Len() > 0 {
		b.WriteString("\n" + reasons.String())
	}
	return b.String()
}
