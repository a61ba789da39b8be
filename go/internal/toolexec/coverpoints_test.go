package toolexec

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const coverSource = `package main

func N(x int) (n int) {
	if x == 1 { /* { */
		n = 1
	} else if x == 2 { // }
		n = 2
	} else if s := "}{"; x == 3 && s != "" {
		n = 3
	} else if x == 4 {
		return 4
	}
	f := func() int {
		return n
	}; for i := 0; i < 2; i++ { n += f() }
	switch '}' {
	case '}':
	}
	if n > 3 {} else if n > 2 {}
	return n
}

func main() { N(1) }
`

// Every byte of the original is found again in what the cover of this machine's Go
// makes of it, and a text inserted before a statement stands behind its counter.
func TestAlign(t *testing.T) {
	for _, mode := range []string{"set", "count", "atomic"} {
		covered := coverWith(t, mode)
		body := covered[strings.Index(covered, "\n")+1:]
		places, ok := align([]byte(coverSource), []byte(body))
		if !ok {
			t.Fatalf("%s: cannot be aligned:\n%s", mode, covered)
		}
		for i, at := range places[:len(coverSource)] {
			if body[at] != coverSource[i] {
				t.Fatalf("%s: byte %d is %q in the original, %q at %d", mode, i, coverSource[i], body[at], at)
			}
		}
		inner := strings.Index(coverSource, "{}\n\treturn n") + 2
		if rest := body[places[inner]-1:]; !strings.HasPrefix(rest, "}\n") {
			t.Errorf("%s: the line's end is at %.20q, inside cover's own braces", mode, rest)
		}
	}
}

// A text that is not cover's output of the original is refused.
func TestAlignRefuses(t *testing.T) {
	covered := coverWith(t, "set")
	body := covered[strings.Index(covered, "\n")+1:]
	for _, other := range []string{
		strings.Replace(body, "n = 2", "n = 5", 1),
		strings.Replace(body, "n = 2", "n = 2; n = 5", 1),
		body + "\nfunc extra() {}\n",
		body[:len(body)/2],
	} {
		if _, ok := align([]byte(coverSource), []byte(other)); ok {
			t.Errorf("aligned with a text that holds more or less:\n%s", other)
		}
	}
}

// coverWith builds with -cover and returns cover's output of coverSource.
func coverWith(t *testing.T, mode string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module ex.com/m\n\ngo 1.21\n")
	write(t, filepath.Join(dir, "a.go"), coverSource)
	cmd := exec.Command("go", "build", "-cover", "-covermode="+mode, "-work", "-o", filepath.Join(dir, "out"), ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOTMPDIR="+t.TempDir(), "GOFLAGS=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, work, _ := strings.Cut(string(out), "WORK=")
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(work), "b001", "a.cover.go"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
