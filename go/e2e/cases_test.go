package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestCases plans, tracks, builds, runs and cleans every file of testdata/cases.
func TestCases(t *testing.T) {
	m := look(t)
	files, err := filepath.Glob(filepath.Join(m.root, "testdata", "cases", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			c := readCase(t, file)
			s := m.newSession(t, c)
			document := s.plan()
			s.checkPoints(document)
			s.checkAccount(document)
			inPlace := s.inPlace(document)
			if toolexec := s.toolexec(); !maps.Equal(inPlace, toolexec) {
				t.Errorf("hits differ:\nin place %v\ntoolexec %v", inPlace, toolexec)
			}
			s.checkHits(document, inPlace)
		})
	}
}

// session is one case in a repository of its own.
type session struct {
	*testing.T
	c    *testCase
	root string // of the repository
	dir  string // where goat runs
	env  []string
	base string
}

func (m machine) newSession(t *testing.T, c *testCase) *session {
	s := &session{T: t, c: c, root: t.TempDir(), base: "main"}
	s.dir = filepath.Join(s.root, c.one("dir", "."))
	cgo := "0"
	if c.is("cgo") || c.is("race") {
		if !raceWorks() {
			t.Skip("no C compiler")
		}
		cgo = "1"
	}
	s.env = append(os.Environ(),
		"PATH="+filepath.Dir(m.goat)+string(filepath.ListSeparator)+m.path,
		"CGO_ENABLED="+cgo, "GOENV=off", "GOFLAGS=", "GOWORK=", "GOTOOLCHAIN=local",
		"GOAT_CACHE="+t.TempDir(), "GOAT_ADDR=off", "NO_COLOR=1", "LC_ALL=C",
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=e2e", "GIT_AUTHOR_EMAIL=e2e@example.com",
		"GIT_COMMITTER_NAME=e2e", "GIT_COMMITTER_EMAIL=e2e@example.com",
	)
	s.commitTrees()
	return s
}

// commitTrees makes main hold the base (on top of the fork, if there is one) and a
// branch hold the release.
func (s *session) commitTrees() {
	s.run(s.root, "git", "init", "-q", "-b", "main")
	first := "base"
	if s.c.trees["fork"] != nil {
		first = "fork"
	}
	s.put(first)
	s.run(s.root, "git", "checkout", "-q", "-b", "release")
	if first == "fork" {
		s.run(s.root, "git", "checkout", "-q", "main")
		s.put("base")
		s.run(s.root, "git", "checkout", "-q", "release")
	}
	if s.c.one("commit", "yes") == "no" {
		s.write("release")
		return
	}
	s.put("release")
}

// put makes a tree the content of the work tree and commits it.
func (s *session) put(tree string) {
	s.write(tree)
	s.run(s.root, "git", "add", "-A")
	s.run(s.root, "git", "commit", "-q", "--allow-empty", "-m", tree)
}

func (s *session) write(tree string) {
	for name := range s.snapshot() {
		if err := os.Remove(filepath.Join(s.root, name)); err != nil {
			s.Fatal(err)
		}
	}
	for name, text := range s.c.trees[tree] {
		path := filepath.Join(s.root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			s.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o666); err != nil {
			s.Fatal(err)
		}
	}
}

// command runs one and gives its output; a failure is not the test's yet.
func (s *session) command(dir string, args ...string) (stdout, stderr string, err error) {
	cmd := exec.Command(args[0], args[1:]...)
	if path := filepath.Join(filepath.Dir(s.goat()), args[0]); args[0] == "goat" {
		cmd.Path, cmd.Err = path, nil
	}
	cmd.Dir, cmd.Env = dir, s.env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// goat is the first goat on the session's PATH.
func (s *session) goat() string {
	for i := len(s.env) - 1; i >= 0; i-- {
		if path, ok := strings.CutPrefix(s.env[i], "PATH="); ok {
			return filepath.Join(filepath.SplitList(path)[0], "goat")
		}
	}
	return "goat"
}

func (s *session) run(dir string, args ...string) string {
	s.Helper()
	stdout, stderr, err := s.command(dir, args...)
	if err != nil {
		s.Fatalf("%s: %v\n%s%s", strings.Join(args, " "), err, stdout, stderr)
	}
	return stdout
}

// flags are the case's goat flags.
func (s *session) flags() []string {
	flags := []string{"--base", s.base}
	for _, name := range []string{"granularity", "precision", "range"} {
		if value := s.c.one(name, ""); value != "" {
			flags = append(flags, "--"+name, value)
		}
	}
	return flags
}

func (s *session) verb(verb string, args ...string) []string {
	return slices.Concat([]string{"goat", verb}, s.flags(), args)
}

// document is the part of a plan that the cases look at.
type document struct {
	PlanHash string
	Marked   bool
	Points   []struct {
		ID, Kind, File string
		Start          struct{ Line int }
	}
	Account []struct {
		File, Class, Reason string
		Line, DeletedAfter  *int
	}
	Files []struct {
		File, Reason string
		Added        int
	}
	Summary struct{ AddedLines, Tracked, NotExecutable, Untracked int }
}

func (s *session) plan() *document {
	s.Helper()
	var d document
	if err := json.Unmarshal([]byte(s.run(s.dir, s.verb("plan", "--format", "json")...)), &d); err != nil {
		s.Fatal(err)
	}
	return &d
}

// checkPoints compares the points with the expectations, all of them.
func (s *session) checkPoints(d *document) {
	var got, want []string
	for _, p := range d.Points {
		got = append(got, fmt.Sprintf("%s:%d %s", p.File, p.Start.Line, p.Kind))
	}
	for _, e := range s.c.wants {
		for _, p := range e.points {
			want = append(want, fmt.Sprintf("%s:%d %s", e.file, e.line, p.kind))
		}
	}
	s.equal("points", got, want)
	var files, wantFiles []string
	for _, f := range d.Files {
		files = append(files, f.File+" "+f.Reason)
	}
	s.equal("files", files, append(wantFiles, s.c.header["want-file"]...))
}

func (s *session) equal(what string, got, want []string) {
	s.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.Errorf("%s:\ngot  %s\nwant %s", what, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// checkAccount holds the account against git: every added line once, nothing else.
func (s *session) checkAccount(d *document) {
	reasons := map[string]string{}
	var got []string
	whole := map[string]bool{}
	for _, f := range d.Files {
		whole[f.File] = true
	}
	for _, entry := range d.Account {
		if entry.Line == nil {
			continue
		}
		place := fmt.Sprintf("%s:%d", entry.File, *entry.Line)
		reasons[place] = entry.Reason
		got = append(got, place)
	}
	var want []string
	added := s.addedLines()
	for file, lines := range added {
		for _, line := range lines {
			if !whole[file] {
				want = append(want, fmt.Sprintf("%s:%d", file, line))
			}
		}
	}
	s.equal("accounted lines", got, want)
	for _, f := range d.Files {
		if f.Added != len(added[f.File]) {
			s.Errorf("%s: %d lines, git says %d", f.File, f.Added, len(added[f.File]))
		}
	}
	sum := d.Summary
	if sum.AddedLines != sum.Tracked+sum.NotExecutable+sum.Untracked {
		s.Errorf("the sums do not add up: %+v", sum)
	}
	for _, e := range s.c.wants {
		place := fmt.Sprintf("%s:%d", e.file, e.line)
		if e.none != "" && reasons[place] != e.none {
			s.Errorf("%s: reason %q, want %q", place, reasons[place], e.none)
		}
	}
}

var hunk = regexp.MustCompile(`^@@ -\S+ \+(\d+)(?:,(\d+))? @@`)

// addedLines are the lines of the universe as git itself has them.
func (s *session) addedLines() map[string][]int {
	from := s.base
	if s.c.one("range", "") != "direct" {
		from = strings.TrimSpace(s.run(s.root, "git", "merge-base", "main", "HEAD"))
	}
	renames := "-M50%"
	if s.c.one("precision", "") == "3" {
		renames = "--no-renames"
	}
	out := s.run(s.root, "git", "-c", "diff.algorithm=myers", "-c", "diff.indentHeuristic=true",
		"diff", "--no-ext-diff", "--no-textconv", "-U0", "-l0", renames, "--no-prefix", from)
	added := map[string][]int{}
	file := ""
	for _, line := range strings.Split(out, "\n") {
		if name, ok := strings.CutPrefix(line, "+++ "); ok {
			file = strings.TrimSuffix(name, "\t")
		}
		h := hunk.FindStringSubmatch(line)
		if h == nil || !isCode(file) {
			continue
		}
		start, _ := strconv.Atoi(h[1])
		count := 1
		if h[2] != "" {
			count, _ = strconv.Atoi(h[2])
		}
		for i := range count {
			added[file] = append(added[file], start+i)
		}
	}
	untracked := s.run(s.root, "git", "ls-files", "--others", "--exclude-standard")
	for _, file := range strings.Fields(untracked) {
		if isCode(file) {
			for i := range bytes.Count(s.c.trees["release"][file], []byte("\n")) {
				added[file] = append(added[file], i+1)
			}
		}
	}
	return added
}

func isCode(file string) bool {
	return strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, "_test.go")
}

// file is what must come back as it was.
type file struct {
	text string
	mode fs.FileMode
}

// snapshot is the work tree.
func (s *session) snapshot() map[string]file {
	s.Helper()
	found := map[string]file{}
	err := filepath.WalkDir(s.root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() == ".git" {
			if entry != nil && entry.IsDir() {
				return filepath.SkipDir
			}
			return err
		}
		if entry.IsDir() {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(s.root, path)
		found[filepath.ToSlash(name)] = file{string(text), info.Mode()}
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	return found
}

func (s *session) same(when string, before, after map[string]file) {
	s.Helper()
	for name := range before {
		if now, there := after[name]; !there {
			s.Errorf("%s: %s is gone", when, name)
		} else if now != before[name] {
			s.Errorf("%s: %s differs:\n%q\n%q", when, name, before[name].text, now.text)
		}
	}
	for name := range after {
		if _, there := before[name]; !there {
			s.Errorf("%s: %s is new", when, name)
		}
	}
}

var trackID = regexp.MustCompile(`\.TRACK_ID_\d+\b`)

// inPlace tracks, builds, runs and cleans the tree; it gives the points that ran.
func (s *session) inPlace(d *document) map[string]bool {
	before := s.snapshot()
	s.run(s.dir, s.verb("track")...)
	marked := s.snapshot()
	called := map[string]bool{} // A point may be called in several places.
	for name, file := range marked {
		if old, there := before[name]; there {
			for _, id := range trackID.FindAllString(file.text, -1) {
				called[id] = called[id] || !strings.Contains(old.text, id)
			}
		}
	}
	if len(called) != len(d.Points) {
		s.Errorf("%d points are called in the tree, %d are planned", len(called), len(d.Points))
	}
	again := s.plan()
	s.equal("points of the marked tree", lines(again), lines(d))
	if len(d.Points) > 0 && !again.Marked {
		s.Error("the plan does not say that the tree is marked")
	}
	s.build("go")
	if s.c.one("build", "") != "no" {
		s.run(s.dir, "go", "vet", s.packages())
	}
	hits := s.hits("go")
	s.run(s.dir, s.verb("track")...)
	s.same("a second track", marked, s.snapshot())
	s.run(s.dir, "goat", "clean")
	s.same("clean", before, s.snapshot())
	s.run(s.dir, "goat", "clean", "--check")
	return hits
}

func lines(d *document) []string {
	var lines []string
	for _, p := range d.Points {
		lines = append(lines, fmt.Sprintf("%s %s:%d %s", p.ID, p.File, p.Start.Line, p.Kind))
	}
	return lines
}

// toolexec builds and runs the tree through the build door.
func (s *session) toolexec() map[string]bool {
	before := s.snapshot()
	s.build("goat")
	hits := s.hits("goat")
	s.same("goat build", before, s.snapshot())
	return hits
}

func (s *session) packages() string {
	fields := strings.Fields(s.c.one("build", "./..."))
	return fields[len(fields)-1]
}

// build builds everything with plain go or with goat.
func (s *session) build(tool string) {
	s.Helper()
	words := s.c.one("build", "./...")
	if words == "no" {
		return
	}
	args := []string{tool, "build"}
	if tool == "goat" {
		args = append(args, s.flags()...)
	}
	if s.c.is("race") {
		args = append(args, "-race")
	}
	if strings.Contains(words, "-buildmode") || s.hasMain() {
		// Without it, go leaves a lone main's binary in the tree.
		args = append(args, "-o", s.TempDir()+string(filepath.Separator))
	}
	s.run(s.dir, append(args, strings.Fields(words)...)...)
}

func (s *session) hasMain() bool {
	for name, text := range s.c.trees["release"] {
		ignored := bytes.Contains(text, []byte("//go:build ignore"))
		if strings.HasSuffix(name, ".go") && bytes.Contains(text, []byte("package main\n")) && !ignored {
			return true
		}
	}
	return false
}

// hits runs the case's programs and gives the ids of the points that ran.
func (s *session) hits(tool string) map[string]bool {
	s.Helper()
	spool := s.TempDir()
	for i, words := range s.c.header["run"] {
		fields := strings.Fields(words)
		program := filepath.Join(spool, fmt.Sprintf("program%d", i))
		args := []string{tool, "build"}
		if tool == "goat" {
			args = append(args, s.flags()...)
		}
		if s.c.is("race") {
			args = append(args, "-race")
		}
		args = append(args, "-o", program, strings.TrimPrefix(fields[0], "./"+s.c.one("dir", "")+"/"))
		args[len(args)-1] = "./" + strings.TrimPrefix(args[len(args)-1], "./")
		s.run(s.dir, args...)
		run := *s
		run.env = append(slices.Clone(s.env), "GOAT_SPOOL="+spool)
		run.run(s.root, append([]string{program}, fields[1:]...)...)
		if err := os.Remove(program); err != nil {
			s.Fatal(err)
		}
	}
	hits := map[string]bool{}
	if spools, _ := os.ReadDir(spool); len(spools) == 0 {
		return hits
	}
	stdout, stderr, err := s.command(s.dir, "goat", "report", "--format", "json", spool)
	var report struct {
		Points []struct {
			ID  string
			Hit bool
		}
	}
	if jsonErr := json.Unmarshal([]byte(stdout), &report); jsonErr != nil {
		s.Fatalf("report: %v %v\n%s%s", err, jsonErr, stdout, stderr)
	}
	for _, p := range report.Points {
		if p.Hit {
			hits[p.ID] = true
		}
	}
	return hits
}

// checkHits compares what ran with the word hit in the expectations.
func (s *session) checkHits(d *document, hits map[string]bool) {
	if len(s.c.header["run"]) == 0 {
		return
	}
	var got, want []string
	for _, p := range d.Points {
		if hits[p.ID] {
			got = append(got, fmt.Sprintf("%s:%d %s", p.File, p.Start.Line, p.Kind))
		}
	}
	for _, e := range s.c.wants {
		for _, p := range e.points {
			if p.hit {
				want = append(want, fmt.Sprintf("%s:%d %s", e.file, e.line, p.kind))
			}
		}
	}
	s.equal("hits", got, want)
}
