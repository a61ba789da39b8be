package archtest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const maxLines = 900

// Words that promise instead of doing, and calls that end a process behind its
// caller's back.
var (
	unfinished = regexp.MustCompile(`\bTO` + `DO\b|\bFIX` + `ME\b|to` + `do!\(|unimpl` + `emented!\(|\bnot (yet )?impl` + `emented\b|\b[Ff]or` + ` now\b|\bplacehold` + `er\b`)
	command    = regexp.MustCompile(`(?m)^package main$`)
	exits      = regexp.MustCompile(`\blog\.Fatal|\bos\.Exit\(`)
)

func TestTidy(t *testing.T) {
	for _, name := range tracked(t) {
		data, err := os.ReadFile(filepath.Join("../../..", name))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, fault := range faults(name, data) {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

func TestTidyFinds(t *testing.T) {
	long := strings.Repeat("x\n", maxLines+1)
	for _, c := range []struct {
		name, text string
		faults     int
	}{
		{"go/a.go", "package a\n", 0},
		{"go/a.go", "package a\r\n", 1},
		{"go/testdata/a.txtar", "package a\r\n", 0},
		{"docs/images/a.png", "\x89PNG\r\n", 0},
		{"go/a.go", long, 1},
		{"docs/a.md", long, 0},
		{"rust/a.rs", "// works for " + "now\n", 1},
		{"go/a.go", "func f() { os." + "Exit(1) }\n", 1},
		{"go/cmd/goat/main.go", "package main\n\nfunc f() { os." + "Exit(1) }\n", 0},
	} {
		if got := faults(c.name, []byte(c.text)); len(got) != c.faults {
			t.Errorf("%s: %d faults, want %d: %v", c.name, len(got), c.faults, got)
		}
	}
}

func faults(name string, data []byte) []string {
	source := strings.HasSuffix(name, ".go") || strings.HasSuffix(name, ".rs")
	sample := strings.Contains(name, "testdata/") || strings.HasPrefix(name, "examples/")
	var found []string
	picture := strings.HasSuffix(name, ".png")
	if bytes.IndexByte(data, '\r') >= 0 && !sample && !picture {
		found = append(found, "a carriage return")
	}
	if !source || sample {
		return found
	}
	if lines := bytes.Count(data, []byte("\n")); lines > maxLines {
		found = append(found, "too long to read in one sitting")
	}
	for _, word := range unfinished.FindAll(data, -1) {
		found = append(found, "unfinished: "+string(word))
	}
	library := strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && !command.Match(data)
	if library && exits.Match(data) {
		found = append(found, "ends the process; only a command may")
	}
	return found
}

// Whatever a reader of the plan directory knows by name stands on its page.
func TestPlanFormatIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../docs/plan-format.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../plan/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources of the plan reader: %v", err)
	}
	tag := regexp.MustCompile("`json:\"([A-Za-z]+)")
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range tag.FindAllSubmatch(source, -1) {
			if !regexp.MustCompile(`\b` + string(m[1]) + `\b`).Match(page) {
				t.Errorf("docs/plan-format.md does not mention %q (%s)", m[1], file)
			}
		}
	}
}

func tracked(t *testing.T) []string {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = "../../.."
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("not a git checkout: %v", err)
	}
	var names []string
	for _, name := range strings.Split(strings.TrimRight(string(out), "\x00"), "\x00") {
		if _, err := os.Lstat(filepath.Join("../../..", name)); err == nil {
			names = append(names, name)
		}
	}
	return names
}
