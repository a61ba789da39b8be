package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/goat-trace/goat/go/internal/lab/pair"
)

// session is one comparison: a checkout of the release and what was found.
type session struct {
	options       options
	tree          string // root of the checkout
	dir           string // the module inside it
	out           io.Writer
	disagreements int
}

// disagree prints one difference and counts it.
func (s *session) disagree(format string, args ...any) {
	s.disagreements++
	fmt.Fprintf(s.out, "DISAGREE "+format+"\n", args...)
}

// checkout clones the repository, so that nothing in the given one can change.
func checkout(ctx context.Context, o options) (string, func(), error) {
	tmp, err := os.MkdirTemp("", "goat-oracle-")
	if err != nil {
		return "", nil, err
	}
	cleanup := func() {
		if o.keep {
			fmt.Fprintln(os.Stderr, "oracle: kept", tmp)
			return
		}
		_ = os.RemoveAll(tmp)
	}
	tree := filepath.Join(tmp, "tree")
	if err := fill(ctx, tree, o); err != nil {
		cleanup()
		return "", nil, err
	}
	return tree, cleanup, nil
}

// fill makes the checkout: a clone, or a pair of versions of a module.
func fill(ctx context.Context, tree string, o options) error {
	if module, ok := strings.CutPrefix(o.repo, "module:"); ok {
		return pair.Make(ctx, tree, module, o.base, o.release)
	}
	if seed, ok := strings.CutPrefix(o.repo, "random:"); ok {
		return randomPair(ctx, tree, seed)
	}
	repo, err := filepath.Abs(o.repo)
	if err != nil {
		return err
	}
	if _, err := output(ctx, filepath.Dir(tree), nil, "git", "clone", "-q", "--no-checkout", repo, tree); err != nil {
		return err
	}
	_, err = output(ctx, tree, nil, "git", "checkout", "-q", "--detach", o.release)
	return err
}

// output runs a command and returns its standard output.
func output(ctx context.Context, dir string, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, tail(stderr.String(), 2000))
	}
	return out, nil
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// The parts of goat's documents that the oracles need.
type (
	document struct {
		Module  string        `json:"module"`
		Base    revision      `json:"base"`
		Points  []point       `json:"points"`
		Account []accountLine `json:"account"`
		Files   []fileEntry   `json:"files"`
	}
	revision struct {
		Ref    string `json:"ref"`
		Commit string `json:"commit"`
	}
	point struct {
		ID    string   `json:"id"`
		Kind  string   `json:"kind"`
		Form  string   `json:"form"`
		File  string   `json:"file"`
		Func  string   `json:"func"`
		Start position `json:"start"`
		End   position `json:"end"`
		Hit   bool     `json:"hit"`
	}
	position struct {
		Line   int `json:"line"`
		Column int `json:"column"`
	}
	accountLine struct {
		File         string   `json:"file"`
		Line         int      `json:"line"`
		DeletedAfter *int     `json:"deletedAfter"`
		Class        string   `json:"class"`
		Reason       string   `json:"reason"`
		Points       []string `json:"points"`
	}
	fileEntry struct {
		File   string `json:"file"`
		Added  int    `json:"added"`
		Class  string `json:"class"`
		Reason string `json:"reason"`
	}
)

// plan asks goat for the account.
func (s *session) plan(ctx context.Context, precision, granularity string) (*document, error) {
	out, err := output(ctx, s.dir, nil, s.options.goat, "plan", "--base="+s.options.base,
		"--release="+s.options.release, "--precision="+precision, "--granularity="+granularity, "--format=json")
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, tail(string(out), 1000))
	}
	var doc document
	if err := json.Unmarshal(out, &doc); err != nil {
		return nil, fmt.Errorf("goat plan: %w", err)
	}
	return &doc, nil
}

// lines returns the account's lines per file, and which files stand as a whole.
func (d *document) lines() (map[string]map[int]accountLine, map[string]fileEntry, []string) {
	lines := map[string]map[int]accountLine{}
	files := map[string]fileEntry{}
	var twice []string
	for _, f := range d.Files {
		if _, ok := files[f.File]; ok {
			twice = append(twice, f.File)
		}
		files[f.File] = f
	}
	for _, a := range d.Account {
		if a.DeletedAfter != nil {
			continue
		}
		if lines[a.File] == nil {
			lines[a.File] = map[int]accountLine{}
		}
		if _, ok := lines[a.File][a.Line]; ok {
			twice = append(twice, fmt.Sprintf("%s:%d", a.File, a.Line))
		}
		lines[a.File][a.Line] = a
		if _, ok := files[a.File]; ok {
			twice = append(twice, fmt.Sprintf("%s:%d and the whole file", a.File, a.Line))
		}
	}
	return lines, files, twice
}
