//go:build cgo && !goat_nocore

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestPlanText(t *testing.T) {
	dir := repository(t)
	if got := run(t, "-C", dir, "plan", "--base=v1"); strings.Contains(got.stdout, "TRACK_ID_1") {
		t.Errorf("without a terminal nobody asked for the points:\n%s", got.stdout)
	}
	got := run(t, "-C", dir, "plan", "--base=v1", "--verbose")
	if got.code != 0 || got.stderr != "" {
		t.Fatalf("%+v", got)
	}
	for _, want := range []string{
		"PACKAGE, FILE       POINTS  TRACKED  NOT EXECUTABLE  UNTRACKED\n",
		"example.com/shop         2  ",
		"  price_windows.go       0        0               0          5\n",
		"module   example.com/shop\n",
		"how      precision 2 (diff with renames), granularity patch\n",
		"POINT       PLACE       FUNCTION  KIND    FORM\n",
		"TRACK_ID_1  price.go:5  Price     change  ",
		"changed lines     9  in 2 files\n",
		"  untracked       5  build constraint 5\n",
		"2 points in 1 package (",
	} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("%q is missing in\n%s", want, got.stdout)
		}
	}
	for _, line := range strings.Split(got.stdout, "\n") {
		if strings.HasSuffix(line, " ") {
			t.Errorf("%q ends in a blank", line)
		}
	}
	if strings.Contains(got.stdout, "\x1b") {
		t.Error("colour without a terminal")
	}
}

func TestPlanBy(t *testing.T) {
	dir := repository(t)
	for key, want := range map[string]string{"package": "PACKAGE           POINTS", "file": "\nprice.go               2  ", "func": "\nexample.com/shop.Price       "} {
		if got := run(t, "-C", dir, "plan", "--base=v1", "--by", key); got.code != 0 || !strings.Contains(got.stdout, want) {
			t.Errorf("--by %s: %q is missing in\n%s%s", key, want, got.stdout, got.stderr)
		}
	}
	if got := run(t, "-C", dir, "plan", "--base=v1", "--by", "lane"); got.code != 2 || !strings.Contains(got.stderr, "--by: \"lane\" is not one of package, file or func") {
		t.Errorf("%+v", got)
	}
}

func TestPlanExplain(t *testing.T) {
	dir := repository(t)
	got := run(t, "-C", dir, "plan", "--base=v1", "--explain")
	for _, want := range []string{"price.go:3 ", "not executable  comment\n", "tracked         TRACK_ID_1\n", "price_windows.go, 5 lines"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("%q is missing in\n%s", want, got.stdout)
		}
	}
}

// Every reason that the core gives has its sentence, with the estimate where there is one.
func TestPlanExplainForms(t *testing.T) {
	dir := repository(t)
	write(t, dir, "forms.go", `package shop

import "os"

var home = os.Getenv("HOME")

func small(x int) int { return x + 1 }

//go:noinline
func kept(x int) int { return x + 2 }

func later(f func()) { defer f() }

func init() { home += "/" }

func Large(a, b, c int) (d int) {
	d = a + b; d = d * c; d = d + a; d = d * b; d = d - c; d = d + d; d = d * d; d = d + a; d = d - b
	d = a + b; d = d * c; d = d + a; d = d * b; d = d - c; d = d + d; d = d * d; d = d + a; d = d - b
	d = a + b; d = d * c; d = d + a; d = d * b; d = d - c; d = d + d; d = d * d; d = d + a; d = d - b
	a = small(d); a = small(a); a = small(a); a = small(a); a = small(a); a = small(a); a = small(a)
	a = small(a); a = small(a); a = small(a); a = small(a); a = small(a); a = small(a); a = small(a)
	return a
}
`)
	got := run(t, "-C", dir, "plan", "--base=v1", "--explain")
	for _, want := range []string{
		`(?m)^TRACK_ID_\d+ +\S*forms.go:5 +home +change +exact +\w+  after a package variable, in no function$`,
		`forms.go:7 +small +change +store +\w+  may be inlined: costs at least \d+ of 80\n`,
		`forms.go:10 +kept +change +exact +\w+  //go:noinline\n`,
		`forms.go:12 +later +change +exact +\w+  go, defer and recover are never inlined\n`,
		`forms.go:14 +init +change +exact +\w+  init and main are never inlined\n`,
		`Large +change +exact +\w+  too large to be inlined: costs at least 1\d\d of 80\n`,
	} {
		if !regexp.MustCompile(want).MatchString(got.stdout) {
			t.Errorf("%q is missing in\n%s", want, got.stdout)
		}
	}
	got = run(t, "-C", dir, "plan", "--base=v1", "--explain", "--exact")
	if !regexp.MustCompile(`small +change +exact +\w+  asked for\n`).MatchString(got.stdout) {
		t.Error(got.stdout)
	}
}

func TestPlanJSON(t *testing.T) {
	dir := repository(t)
	got := run(t, "-C", dir, "--format=json", "plan", "--base=v1")
	var plan struct {
		Format  int
		Build   struct{ GOOS string }
		Points  []struct{ File string }
		Account []map[string]any
		Files   []map[string]any
		Summary struct{ AddedLines, Tracked, NotExecutable, Untracked int }
	}
	if err := json.Unmarshal([]byte(got.stdout), &plan); err != nil {
		t.Fatal(err, got)
	}
	s := plan.Summary
	if plan.Format != 1 || plan.Build.GOOS == "" || len(plan.Points) != 2 || s.AddedLines != s.Tracked+s.NotExecutable+s.Untracked || s.AddedLines == 0 {
		t.Errorf("%+v", plan)
	}
	if strings.Contains(got.stdout, dir) {
		t.Error("an absolute path in the document")
	}
	again := run(t, "-C", dir, "--format=json", "plan", "--base=v1")
	if again.stdout != got.stdout {
		t.Error("the second document, with go's answers from the cache, differs")
	}
}

func TestPlanOfAnotherGOOS(t *testing.T) {
	dir := repository(t)
	t.Setenv("GOOS", "windows")
	got := run(t, "-C", dir, "plan", "--base=v1")
	if !strings.Contains(got.stdout, "  untracked       0\n") || !strings.Contains(got.stdout, "3 points in 1 package") {
		t.Errorf("%s", got.stdout)
	}
}

func TestPlanOut(t *testing.T) {
	dir, out := repository(t), t.TempDir()
	got := run(t, "-C", dir, "plan", "--base=v1", "--out", out)
	entries, err := os.ReadDir(out)
	if err != nil || len(entries) != 1 || got.code != 0 {
		t.Fatalf("%v %v %+v", entries, err, got)
	}
	if _, err := os.Stat(filepath.Join(out, entries[0].Name(), "index.json")); err != nil {
		t.Error(err)
	}
	if !strings.Contains(got.stdout, "written  "+filepath.Join(out, entries[0].Name())+"\n") {
		t.Errorf("%s", got.stdout)
	}
}

func TestPlanOfNoChange(t *testing.T) {
	dir := repository(t)
	git(t, dir, "add", ".")
	git(t, dir, "commit", "--quiet", "--message=two")
	got := run(t, "-C", dir, "plan", "--base=main", "-q")
	if got.code != 0 || got.stdout != "no Go code changed between base and release\n0 points in 0 packages\n" {
		t.Errorf("%+v", got)
	}
}

func TestPlanErrors(t *testing.T) {
	dir, plain := repository(t), t.TempDir()
	if got := run(t, "-C", plain, "plan"); got.code != 4 || !strings.HasPrefix(got.stderr, "goat: not inside a git repository") {
		t.Errorf("%+v", got)
	}
	if got := run(t, "-C", dir, "plan", "--base=v9"); got.code != 2 || !strings.Contains(got.stderr, "v9") {
		t.Errorf("%+v", got)
	}
	want := "goat: v1 is not checked out, and a build sees only the working tree\nhint: `git checkout v1`, or `git worktree add ../release v1` and goat there\n"
	write(t, dir, "x.go", "package shop\n")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "--quiet", "--message=two")
	if got := run(t, "-C", dir, "--release=v1", "build", "./..."); got.code != 2 || got.stderr != want {
		t.Errorf("%+v", got)
	}
}

func TestInterrupted(t *testing.T) {
	dir := repository(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var stdout, stderr bytes.Buffer
	code := Main(ctx, []string{"-C", dir, "plan", "--base=v1"}, strings.NewReader(""), &stdout, &stderr)
	if code != 130 || stdout.Len() != 0 || !strings.HasPrefix(stderr.String(), "goat: stopped") {
		t.Errorf("%d %q %q", code, stdout.String(), stderr.String())
	}
}
