package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"go/scanner"
	"go/token"
	"path/filepath"
	"sort"
	"strings"
)

// liveOracle demands that code which became code, on lines that git does not add, is
// tracked: what stood in a comment or a string before.
func (s *session) liveOracle(ctx context.Context) error {
	doc, err := s.plan(ctx, "2", "line")
	if err != nil {
		return err
	}
	diff, err := s.diff(ctx, doc.Base.Commit, "2")
	if err != nil {
		return err
	}
	files, err := unchangedLines(diff)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	live := 0
	for _, name := range names {
		src, err := parseSource(filepath.Join(s.tree, filepath.FromSlash(name)))
		if err != nil {
			continue
		}
		old, err := output(ctx, s.tree, nil, "git", "show", doc.Base.Commit+":"+files[name].old)
		if err != nil {
			continue // The file is new.
		}
		live += s.liveFile(doc, name, src, codeLines(old), files[name].hunks)
	}
	fmt.Fprintf(s.out, "live   %d lines became code without being added\n", live)
	return nil
}

func (s *session) liveFile(doc *document, name string, src *source, was map[int]bool, hunks []hunk) int {
	live, next := 0, 0
	shift := 0
	for n := 1; n <= src.file.LineCount(); n++ {
		for next < len(hunks) && n >= hunks[next].start+hunks[next].added {
			shift += hunks[next].removed - hunks[next].added
			next++
		}
		added := next < len(hunks) && n >= hunks[next].start
		if added || !src.runs(n) || was[n+shift] {
			continue
		}
		live++
		// A clause shares the point of its first statement; a closing line has none of its own.
		_, _, clause := src.header(n)
		if src.starting(n) && !clause && !doc.tracks(name, n) {
			s.disagree("%s:%d became code and no point vouches for it", name, n)
		}
	}
	return live
}

// tracks tells whether a change point vouches for a line.
func (d *document) tracks(file string, line int) bool {
	for _, p := range d.Points {
		if p.File == file && p.Kind == "change" && p.Start.Line <= line && line <= p.End.Line {
			return true
		}
	}
	return false
}

// codeLines are the lines of a text that hold a part of a token that is no comment.
func codeLines(text []byte) map[int]bool {
	lines := map[int]bool{}
	file := token.NewFileSet().AddFile("", -1, len(text))
	var sc scanner.Scanner
	sc.Init(file, text, nil, 0)
	for {
		pos, tok, lit := sc.Scan()
		if tok == token.EOF {
			return lines
		}
		if tok == token.SEMICOLON {
			continue
		}
		first := file.Line(pos)
		for line := first; line <= first+strings.Count(lit, "\n"); line++ {
			lines[line] = true
		}
	}
}

// hunk is one of a diff without context: where its new side starts (behind what it
// removes, if it only removes), and how many lines each side has.
type hunk struct{ start, removed, added int }

type changedFile struct {
	old   string
	hunks []hunk
}

// unchangedLines reads the hunks of the changed Go files of a diff.
func unchangedLines(diff []byte) (map[string]*changedFile, error) {
	files := map[string]*changedFile{}
	var file *changedFile
	old := ""
	left := 0
	lines := bufio.NewScanner(bytes.NewReader(diff))
	lines.Buffer(nil, 1<<30)
	for lines.Scan() {
		text := lines.Text()
		switch {
		case left > 0 && text != "" && strings.ContainsRune("+-", rune(text[0])):
			left--
		case strings.HasPrefix(text, "--- "):
			old = strings.TrimPrefix(strings.TrimSuffix(text[4:], "\t"), "a/")
		case strings.HasPrefix(text, "+++ "):
			name := strings.TrimPrefix(strings.TrimSuffix(text[4:], "\t"), "b/")
			file = &changedFile{old: old}
			if isSource(name) {
				files[name] = file
			}
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
			if added == 0 {
				start++
			}
			file.hunks = append(file.hunks, hunk{start, removed, added})
		}
	}
	return files, lines.Err()
}
