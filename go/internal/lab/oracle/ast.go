package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sort"
	"strings"
)

// astOracle demands that no changed line with a token of an executable
// statement is called not executable, except as a change of format.
func (s *session) astOracle(ctx context.Context) error {
	for _, precision := range strings.Split(s.options.precisions, ",") {
		doc, err := s.plan(ctx, precision, "line")
		if err != nil {
			return err
		}
		lines, _, _ := doc.lines()
		files := make([]string, 0, len(lines))
		for f := range lines {
			files = append(files, f)
		}
		sort.Strings(files)
		compared, broken := 0, 0
		for _, f := range files {
			src, err := parseSource(filepath.Join(s.tree, filepath.FromSlash(f)))
			if err != nil {
				broken++ // Go itself cannot read it: there is nothing to compare with
				continue
			}
			compared += s.astFile(precision, f, src, lines[f])
		}
		fmt.Fprintf(s.out, "go/ast precision %s: %d lines compared, %d files that Go cannot parse\n", precision, compared, broken)
	}
	return nil
}

func (s *session) astFile(precision, file string, src *source, lines map[int]accountLine) int {
	for n, a := range lines {
		if a.Class == "not_executable" && a.Reason != "format" && src.runs(n) {
			s.disagree("precision %s: %s:%d holds an executable statement and is called %s", precision, file, n, a.Reason)
		}
		if a.Class == "tracked" && len(a.Points) == 0 {
			s.disagree("precision %s: %s:%d is tracked by no point", precision, file, n)
		}
	}
	return len(lines)
}
