package compat

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// testCase is what the head of a script says about it.
type testCase struct {
	name string
	// what it is, in a few words: the row of the table.
	what string
	// threads are the public complaints that it answers.
	threads []string
	// differs is where goat is not the same as plain go, and why.
	differs []string
	// claims says that the script fails where nothing is instrumented; marked that
	// it does so, too, where only the marker is lost.
	claims, marked bool
	// every says that CI runs it on the oldest and the newest Go, too.
	every bool
}

// claim is a line by which a script says that something was instrumented.
var claim = regexp.MustCompile(`(?m)^(\[[^\]]*\] *)*(hits|carries) `)

// readCases reads the heads of all scripts.
func readCases(t *testing.T) map[string]*testCase {
	t.Helper()
	files, err := filepath.Glob(caseFile("*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	cases := map[string]*testCase{}
	for _, file := range files {
		c, err := readCase(file)
		if err != nil {
			t.Fatal(err)
		}
		if c.what == "" {
			t.Errorf("%s: the first line must be `# case: WHAT IT IS`", file)
		}
		cases[c.name] = c
	}
	return cases
}

func readCase(file string) (*testCase, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	text, _, _ := strings.Cut(string(data), "\n-- ")
	c := &testCase{name: strings.TrimSuffix(filepath.Base(file), ".txtar"), claims: claim.MatchString(text), marked: true}
	for _, line := range strings.Split(text, "\n") {
		key, value, ok := strings.Cut(strings.TrimPrefix(line, "# "), ": ")
		if !ok || !strings.HasPrefix(line, "# ") {
			continue
		}
		switch value = strings.TrimSpace(value); key {
		case "case":
			c.what = value
		case "thread":
			c.threads = append(c.threads, value)
		case "differs":
			c.differs = append(c.differs, value)
		case "unmarked":
			// The claims rest on no marker; the value says why.
			c.marked = false
		case "every":
			c.every = true
		}
	}
	return c, nil
}

// thread is one line of testdata/threads.txt: id, address, what it was about.
type thread struct{ id, url, what string }

func readThreads(t *testing.T) []thread {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", "threads.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var threads []thread
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.SplitN(line, " ", 3)
		if len(words) != 3 {
			t.Fatalf("threads.txt: %q: want id, address and a line", line)
		}
		threads = append(threads, thread{words[0], words[1], words[2]})
	}
	return threads
}

// TestThreads: every complaint of the list has a script, every script's thread is
// in the list, and a script named after a thread names it.
func TestThreads(t *testing.T) {
	cases := readCases(t)
	named := map[string][]string{}
	for name, c := range cases {
		for _, url := range c.threads {
			named[url] = append(named[url], name)
		}
	}
	known := map[string]bool{}
	for _, thread := range readThreads(t) {
		known[thread.url] = true
		if len(named[thread.url]) == 0 {
			t.Errorf("%s (%s): no script names it: %s", thread.id, thread.what, thread.url)
		}
	}
	for url, scripts := range named {
		if !known[url] {
			t.Errorf("%s: %s is not in testdata/threads.txt", strings.Join(scripts, ", "), url)
		}
	}
	for name, c := range cases {
		if number := threadName.FindStringSubmatch(name); number != nil {
			if !slices.ContainsFunc(c.threads, func(url string) bool { return strings.HasSuffix(url, "/"+strings.TrimLeft(number[1], "0")) }) {
				t.Errorf("%s: no `# thread:` line ends in /%s", name, number[1])
			}
		}
	}
}

// threadName is the name of a script that is named after its thread.
var threadName = regexp.MustCompile(`^[a-z]+-([0-9]{4,})-`)
