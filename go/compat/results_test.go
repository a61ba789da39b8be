package compat

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// result is how one case ended on one Go.
type result struct {
	Case    string  `json:"case"`
	Go      string  `json:"go"`
	Verdict string  `json:"verdict"` // ok, failed, skipped
	Reason  string  `json:"reason,omitempty"`
	Seconds float64 `json:"seconds"`
}

// results writes them as they come, one JSON line each.
type results struct {
	mu   sync.Mutex
	file *os.File
}

func newResults(t *testing.T, version string) *results {
	dir := os.Getenv(envResults)
	if dir == "" {
		return &results{}
	}
	file, err := os.Create(filepath.Join(dir, version+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return &results{file: file}
}

func (r *results) add(one result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return
	}
	line, err := json.Marshal(one)
	if err == nil {
		fmt.Fprintf(r.file, "%s\n", line)
	}
}

// caseT is a test as testscript sees it: it notes how the script ended, and under
// sabotage a failure is what we want.
type caseT struct {
	*testing.T
	b       *bench
	results *results
	name    string
	skipped string // the reason
	failed  bool
	began   time.Time
}

// Parallel waits for the script's turn.
func (c *caseT) Parallel() {
	c.T.Parallel()
	c.began = time.Now()
}

// Run runs one script.
func (c *caseT) Run(name string, f func(testscript.T)) {
	c.T.Run(name, func(t *testing.T) {
		sub := &caseT{T: t, b: c.b, results: c.results, name: name}
		// f waits its turn, and then runs to its end in this very call.
		defer sub.end()
		f(sub)
	})
}

// end notes the result.
func (c *caseT) end() {
	verdict, reason := "ok", ""
	switch {
	case c.failed:
		verdict = "failed"
	case c.Skipped():
		verdict, reason = "skipped", c.skipped
	}
	c.results.add(result{Case: c.name, Go: c.b.version, Verdict: verdict, Reason: reason, Seconds: time.Since(c.began).Seconds()})
	if c.b.sabotage == "" || verdict == "skipped" {
		return
	}
	if !c.failed {
		c.T.Errorf("with goat taken out (%s) this script passes: it claims nothing", c.b.sabotage)
	}
}

// Skip notes the reason.
func (c *caseT) Skip(args ...any) {
	c.skipped = strings.TrimSpace(fmt.Sprintln(args...))
	c.T.Skip(args...)
}

// Fatal fails the script.
func (c *caseT) Fatal(args ...any) {
	c.Log(args...)
	c.FailNow()
}

// FailNow ends the script; under sabotage that is no failure of the test.
func (c *caseT) FailNow() {
	c.failed = true
	if c.b.sabotage == "" {
		c.T.FailNow()
	}
	c.T.Skip("fails, as it must without goat")
}

// Log shows a script's log; of a failure that we want, where it was.
func (c *caseT) Log(args ...any) {
	text := fmt.Sprint(args...)
	if c.b.sabotage == "" {
		c.T.Log(text)
	} else if _, where, ok := strings.Cut(text, "\nFAIL: "); ok {
		where, _, _ = strings.Cut(where, "\n")
		c.T.Log(where)
	}
}

// Verbose keeps logs of scripts that passed short.
func (c *caseT) Verbose() bool { return testing.Verbose() && c.b.sabotage == "" }
