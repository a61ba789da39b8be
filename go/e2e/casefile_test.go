package e2e

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// testCase is one file of testdata/cases; testdata/cases/README.md has the format.
type testCase struct {
	header map[string][]string
	trees  map[string]map[string][]byte
	wants  []want
}

// want is what a line must come to.
type want struct {
	file   string
	line   int
	points []wantPoint
	none   string // the reason
}

type wantPoint struct {
	kind string
	hit  bool
}

// keys of a case's header; every other line of it is prose.
var keys = map[string]bool{
	"granularity": true, "precision": true, "range": true, "dir": true, "commit": true, "build": true,
	"run": true, "race": true, "cgo": true, "crlf": true, "bom": true, "noeol": true, "want-file": true,
}

func (c *testCase) one(key, fallback string) string {
	if values := c.header[key]; len(values) > 0 {
		return values[0]
	}
	return fallback
}

func (c *testCase) is(key string) bool { return c.one(key, "no") == "yes" }

func readCase(t *testing.T, path string) *testCase {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := &testCase{header: map[string][]string{}, trees: map[string]map[string][]byte{}}
	for _, line := range strings.Split(string(archive.Comment), "\n") {
		if key, value, ok := strings.Cut(line, ": "); ok && keys[key] {
			c.header[key] = append(c.header[key], strings.TrimSpace(value))
		}
	}
	for _, f := range archive.Files {
		if f.Name == "want" {
			c.readWants(t, string(f.Data))
			continue
		}
		tree, name, ok := strings.Cut(f.Name, "/")
		if !ok {
			t.Fatalf("%s: %q is in no tree", path, f.Name)
		}
		if c.trees[tree] == nil {
			c.trees[tree] = map[string][]byte{}
		}
		c.trees[tree][name] = f.Data
	}
	for tree, files := range c.trees {
		for name, text := range files {
			if tree == "release" && strings.HasSuffix(name, ".go") {
				text = c.takeWants(t, name, text)
			}
			files[name] = c.shape(name, text)
		}
		if files["go.mod"] == nil && files["go.work"] == nil && c.one("dir", ".") == "." {
			files["go.mod"] = []byte("module example.com/app\n\ngo 1.23\n")
		}
	}
	return c
}

var comment = regexp.MustCompile(`[ \t]*// want (.*)$`)

// takeWants reads the expectations of a file and takes them out of it.
func (c *testCase) takeWants(t *testing.T, name string, text []byte) []byte {
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		if found := comment.FindStringSubmatchIndex(line); found != nil {
			c.add(t, name, i+1, line[found[2]:found[3]])
			lines[i] = line[:found[0]]
		}
	}
	return []byte(strings.Join(lines, "\n"))
}

// readWants reads the file want: FILE:LINE EXPECTATION.
func (c *testCase) readWants(t *testing.T, text string) {
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		place, expectation, _ := strings.Cut(line, " ")
		file, number, _ := strings.Cut(place, ":")
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Fatalf("want: %q: %v", line, err)
		}
		c.add(t, file, n, expectation)
	}
}

func (c *testCase) add(t *testing.T, file string, line int, text string) {
	w := want{file: file, line: line}
	if reason, ok := strings.CutPrefix(text, "none: "); ok {
		w.none = strings.TrimSpace(reason)
		c.wants = append(c.wants, w)
		return
	}
	for _, item := range strings.Split(text, ",") {
		p := wantPoint{kind: "change"}
		for i, word := range strings.Fields(item) {
			kind, isKind := strings.CutPrefix(word, "kind=")
			switch {
			case i == 0 && word == "point":
			case isKind:
				p.kind = kind
			case word == "hit":
				p.hit = true
			default:
				t.Fatalf("%s:%d: want %q is no expectation", file, line, text)
			}
		}
		w.points = append(w.points, p)
	}
	c.wants = append(c.wants, w)
}

// shape gives a file the bytes that txtar cannot hold.
func (c *testCase) shape(name string, text []byte) []byte {
	has := func(key string) bool {
		for _, value := range c.header[key] {
			if value == name {
				return true
			}
		}
		return false
	}
	if has("noeol") {
		text = bytes.TrimSuffix(text, []byte("\n"))
	}
	if has("crlf") {
		text = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
	}
	if has("bom") {
		text = append([]byte("\xef\xbb\xbf"), text...)
	}
	return text
}
