package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// gitOracle demands that the account holds exactly the lines that git adds
// (precision 2 and 3) or that git blames on the release (precision 1).
func (s *session) gitOracle(ctx context.Context) error {
	for _, precision := range strings.Split(s.options.precisions, ",") {
		doc, err := s.plan(ctx, precision, "patch")
		if err != nil {
			return err
		}
		want, err := s.gitLines(ctx, doc.Base.Commit, precision)
		if err != nil {
			return err
		}
		files, lines := s.compareLines(doc, want, "precision "+precision)
		fmt.Fprintf(s.out, "git    precision %s: %d files, %d lines compared, %s\n", precision, files, lines, classes(doc))
	}
	return nil
}

// gitLines returns the new lines of every Go file that is not a test.
func (s *session) gitLines(ctx context.Context, base, precision string) (map[string][]int, error) {
	if precision == "1" {
		return s.blameLines(ctx, base)
	}
	out, err := s.diff(ctx, base, precision)
	if err != nil {
		return nil, err
	}
	return addedLines(out)
}

// diff is what the oracle command prints, also of Go files that an attribute (-diff) has git
// take for binary: they are compiled all the same.
func (s *session) diff(ctx context.Context, base, precision string) ([]byte, error) {
	renames := "-M50%"
	if precision == "3" {
		renames = "--no-renames"
	}
	return output(ctx, s.tree, nil, "git", "-c", "diff.algorithm=myers", "-c", "diff.indentHeuristic=true", "-c", "core.quotePath=false",
		"diff", "--no-ext-diff", "--no-textconv", "--text", "--no-color", "-U0", "-l0", "--src-prefix=a/", "--dst-prefix=b/", renames, base, s.options.release)
}

// addedLines reads the new side of a diff without context.
func addedLines(diff []byte) (map[string][]int, error) {
	lines := map[string][]int{}
	file := ""
	left := 0 // lines of the hunk still to come: they may look like headers
	scanner := bufio.NewScanner(bytes.NewReader(diff))
	scanner.Buffer(nil, 1<<30)
	for scanner.Scan() {
		text := scanner.Text()
		switch {
		case left > 0 && text != "" && strings.ContainsRune("+-", rune(text[0])):
			left--
		case strings.HasPrefix(text, "+++ "):
			file = strings.TrimPrefix(strings.TrimSuffix(strings.TrimPrefix(text, "+++ "), "\t"), "b/")
		case strings.HasPrefix(text, "@@ "):
			_, removed, err := hunkSide(text, "-")
			if err != nil {
				return nil, err
			}
			start, added, err := hunkSide(text, "+")
			if err != nil {
				return nil, err
			}
			left = removed + added
			if !isSource(file) {
				continue
			}
			for i := range added {
				lines[file] = append(lines[file], start+i)
			}
		}
	}
	return lines, scanner.Err()
}

// hunkSide reads "-a,b" or "+c,d" of a hunk header.
func hunkSide(header, sign string) (start, count int, err error) {
	for _, field := range strings.Fields(header) {
		if !strings.HasPrefix(field, sign) {
			continue
		}
		first, rest, counted := strings.Cut(field[1:], ",")
		if start, err = strconv.Atoi(first); err != nil {
			break
		}
		count = 1
		if counted {
			count, err = strconv.Atoi(rest)
		}
		return start, count, err
	}
	return 0, 0, fmt.Errorf("unreadable hunk header %q", header)
}

func isSource(file string) bool {
	return strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, "_test.go")
}

// blameLines asks git blame about every Go file that the range touches.
func (s *session) blameLines(ctx context.Context, base string) (map[string][]int, error) {
	out, err := output(ctx, s.tree, nil, "git", "-c", "core.quotePath=false", "ls-tree", "-r", "-z", "--name-only", s.options.release)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, f := range strings.Split(string(out), "\x00") {
		if isSource(f) {
			files = append(files, f)
		}
	}
	var (
		mu    sync.Mutex
		wg    sync.WaitGroup
		lines = map[string][]int{}
		first error
		queue = make(chan string)
	)
	for range runtime.NumCPU() {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for f := range queue {
				added, err := s.blameFile(ctx, base, f)
				mu.Lock()
				if err != nil && first == nil {
					first = err
				}
				if len(added) > 0 {
					lines[f] = added
				}
				mu.Unlock()
			}
		}()
	}
	for _, f := range files {
		queue <- f
	}
	close(queue)
	wg.Wait()
	return lines, first
}

func (s *session) blameFile(ctx context.Context, base, file string) ([]int, error) {
	out, err := output(ctx, s.tree, nil, "git", "-c", "blame.ignoreRevsFile=", "blame", "--no-textconv", "-s",
		base+".."+s.options.release, "--", file)
	if err != nil {
		return nil, err
	}
	var lines []int
	scanner := bufio.NewScanner(bytes.NewReader(out))
	scanner.Buffer(nil, 1<<30)
	for n := 1; scanner.Scan(); n++ {
		if !strings.HasPrefix(scanner.Text(), "^") {
			lines = append(lines, n)
		}
	}
	return lines, scanner.Err()
}

// compareLines compares the account with git's lines, file by file.
func (s *session) compareLines(doc *document, want map[string][]int, what string) (files, lines int) {
	have, whole, twice := doc.lines()
	for _, t := range twice {
		s.disagree("%s: %s stands twice in the account", what, t)
	}
	names := map[string]bool{}
	for f := range want {
		names[f] = true
	}
	for f := range have {
		names[f] = true
	}
	for f := range whole {
		names[f] = true
	}
	sorted := make([]string, 0, len(names))
	for f := range names {
		sorted = append(sorted, f)
	}
	sort.Strings(sorted)
	for _, f := range sorted {
		files++
		lines += len(want[f])
		if entry, ok := whole[f]; ok {
			if entry.Added != len(want[f]) {
				s.disagree("%s: %s: git adds %d lines, goat counts %d (%s)", what, f, len(want[f]), entry.Added, entry.Reason)
			}
			continue
		}
		s.compareFile(what, f, want[f], have[f])
	}
	return files, lines
}

func (s *session) compareFile(what, file string, want []int, have map[int]accountLine) {
	seen := map[int]bool{}
	for _, n := range want {
		seen[n] = true
		if _, ok := have[n]; !ok {
			s.disagree("%s: %s:%d is new to git and not in the account", what, file, n)
		}
	}
	for n := range have {
		if !seen[n] {
			s.disagree("%s: %s:%d is in the account and not new to git", what, file, n)
		}
	}
}

// classes counts the account's lines by class.
func classes(doc *document) string {
	n := map[string]int{}
	for _, a := range doc.Account {
		if a.DeletedAfter == nil {
			n[a.Class]++
		}
	}
	for _, f := range doc.Files {
		n[f.Class] += f.Added
	}
	return fmt.Sprintf("%d tracked, %d not executable, %d untracked, %d points",
		n["tracked"], n["not_executable"], n["untracked"], len(doc.Points))
}
