package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/goat-trace/goat/go/internal/lab/pair"
)

// compare runs one module's tests plain twice and through goat once.
func compare(ctx context.Context, s subject, goat string, timeout time.Duration, panics bool, progress io.Writer) row {
	r := row{subject: s}
	dir, err := os.MkdirTemp("", "goat-thirdparty-")
	if err != nil {
		r.err = err
		return r
	}
	defer func() { _ = os.RemoveAll(dir) }()
	tree := filepath.Join(dir, "tree")
	if r.err = pair.Make(ctx, tree, s.module, s.base, s.release); r.err != nil {
		return r
	}
	args := append([]string{"test", "-json", "-short", "-count=1", "-timeout=" + timeout.String()}, s.packages...)
	fmt.Fprintln(progress, "  plain")
	first := runTests(ctx, tree, nil, "go", args...)
	fmt.Fprintln(progress, "  plain again")
	second := runTests(ctx, tree, nil, "go", args...)
	fmt.Fprintln(progress, "  goat")
	spool := filepath.Join(dir, "spool")
	if r.err = os.Mkdir(spool, 0o755); r.err != nil {
		return r
	}
	goatArgs := append([]string{args[0], "--base=" + s.base}, args[1:]...)
	if panics {
		goatArgs = slices.Insert(goatArgs, 1, "--panics")
	}
	instrumented := runTests(ctx, tree, []string{"GOAT_SPOOL=" + spool}, goat, goatArgs...)
	r.judge(first, second, instrumented)
	r.points, r.hits, r.err = evidence(ctx, tree, goat, spool)
	return r
}

// judge compares the three runs test by test.
func (r *row) judge(first, second, instrumented map[string]string) {
	names := map[string]bool{}
	for _, run := range []map[string]string{first, second, instrumented} {
		for n := range run {
			names[n] = true
		}
	}
	sorted := make([]string, 0, len(names))
	for n := range names {
		sorted = append(sorted, n)
	}
	sort.Strings(sorted)
	for _, n := range sorted {
		r.tests++
		switch {
		case first[n] == "timeout":
			r.slow = append(r.slow, n)
		case first[n] != second[n]:
			r.flaky = append(r.flaky, n)
		case first[n] != instrumented[n]:
			r.differ++
			r.details = append(r.details, fmt.Sprintf("%s: plain %q, goat %q", n, first[n], instrumented[n]))
		}
	}
}

// event is one line of go test -json.
type event struct {
	Action, Package, ImportPath, Test, Output string
}

// volatile is what differs between two runs in names that tests make of values:
// addresses, and numbers such as the time of day.
var volatile = regexp.MustCompile(`0x[0-9a-f]+|[0-9]{3,}|time\.Date\(.*?\)`)

// severity orders results; the test of the zero value has not ended.
var severity = map[string]int{"pass": 1, "skip": 2, "fail": 3, "timeout": 4}

// runTests returns package/test -> pass, fail, skip or timeout.
func runTests(ctx context.Context, dir string, env []string, name string, args ...string) map[string]string {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, _ := cmd.Output() // failing tests are results like any other
	results := map[string]string{}
	scanner := bufio.NewScanner(bytes.NewReader(out))
	scanner.Buffer(nil, 1<<26)
	for scanner.Scan() {
		var e event
		if json.Unmarshal(scanner.Bytes(), &e) != nil {
			continue
		}
		key := e.Package + " " + volatile.ReplaceAllString(e.Test, "#")
		switch e.Action {
		case "pass", "fail", "skip":
			// Names that differ in such values only share a result: the worst counts.
			if severity[e.Action] > severity[results[key]] {
				results[key] = e.Action
			}
		case "output":
			if strings.HasPrefix(e.Output, "panic: test timed out") {
				results[e.Package+" "] = "timeout"
			}
		}
	}
	return results
}

// evidence asks goat report how many points there are and how many were hit.
func evidence(ctx context.Context, dir, goat, spool string) (points, hits int, err error) {
	cmd := exec.CommandContext(ctx, goat, "report", "--format=json", spool)
	cmd.Dir = dir
	out, runErr := cmd.Output()
	var doc struct {
		Summary struct{ Points, Hit int }
	}
	if err := json.Unmarshal(out, &doc); err != nil {
		return 0, 0, fmt.Errorf("goat report: %w (%v)", err, runErr)
	}
	return doc.Summary.Points, doc.Summary.Hit, nil
}
