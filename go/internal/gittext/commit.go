package gittext

import (
	"bytes"
	"context"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// readCommit reads the files as the release's commit has them, with one git for all.
func (r *Request) readCommit(ctx context.Context, root string, files map[string]*File) error {
	names := make([]string, 0, len(files))
	var ask bytes.Buffer
	for name, f := range files {
		if !ours(name) {
			f.Missing = "not a file of this repository"
			continue
		}
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(&ask, "%s:%s\n", r.Release, name)
	}
	out, err := git(ctx, root, ask.Bytes(), "cat-file", "--batch")
	if err != nil {
		return fmt.Errorf("no text: %w", err)
	}
	for _, name := range names {
		files[name].Text, files[name].Missing, out = nextBlob(out)
	}
	return nil
}

// nextBlob takes one answer of cat-file --batch off its output: "<id> blob <size>" and
// the bytes, or a line that says that there is none.
func nextBlob(out []byte) (text []byte, missing string, rest []byte) {
	head, rest, _ := bytes.Cut(out, []byte("\n"))
	fields := strings.Fields(string(head))
	if len(fields) < 3 || fields[len(fields)-2] != "blob" {
		if len(fields) >= 3 && (fields[len(fields)-2] == "tree" || fields[len(fields)-2] == "commit") {
			_, rest = cutSize(rest, fields[len(fields)-1])
		}
		return nil, "the release's commit has no such file", rest
	}
	text, rest = cutSize(rest, fields[len(fields)-1])
	if text == nil {
		return nil, "the repository lacks this file's text", rest
	}
	if len(text) > largest {
		return nil, "too large to show", rest
	}
	return text, "", rest
}

func cutSize(out []byte, size string) (text, rest []byte) {
	n, err := strconv.Atoi(size)
	if err != nil || n < 0 || n+1 > len(out) {
		return nil, nil
	}
	return out[:n:n], out[n+1:]
}

// readOld reads which lines of the base are gone. Where that fails, the page shows the
// release alone: the states of deletions do not depend on it.
func (r *Request) readOld(ctx context.Context, root string, files map[string]*File) {
	if r.Base == "" || strings.HasPrefix(r.Base, "-") {
		return
	}
	args := []string{
		"-c", "diff.algorithm=myers", "-c", "diff.indentHeuristic=true", "-c", "diff.noprefix=false", "-c", "diff.mnemonicPrefix=false",
		"diff", "--no-ext-diff", "--no-textconv", "--no-color", "--src-prefix=a/", "--dst-prefix=b/", "-U0", "-l0", "-M50%", r.Base,
	}
	if !r.WorkTree {
		args = append(args, r.Release)
	}
	out, err := git(ctx, root, nil, append(args, "--", "*.go")...)
	if err != nil {
		return
	}
	parseOld(string(out), files)
}

// parseOld reads a diff without context: of each hunk the removed lines and the place.
func parseOld(diff string, files map[string]*File) {
	var file *File
	for diff != "" {
		var line string
		line, diff, _ = strings.Cut(diff, "\n")
		switch {
		case strings.HasPrefix(line, "diff --git "):
			file = nil
		case strings.HasPrefix(line, "+++ "):
			file = files[diffPath(line[len("+++ "):])]
		case strings.HasPrefix(line, "@@ "):
			diff = hunk(line, diff, file)
		}
	}
}

// hunk reads one hunk's lines, counted by its head, so that a line of code that looks
// like a head is none.
func hunk(head, diff string, file *File) (rest string) {
	fields := strings.Fields(head)
	if len(fields) < 3 {
		return diff
	}
	_, removed := span(fields[1])
	at, added := span(fields[2])
	var lines []string
	for n := 0; n < removed+added && diff != ""; {
		var line string
		line, diff, _ = strings.Cut(diff, "\n")
		if strings.HasPrefix(line, "\\") {
			continue
		}
		if strings.HasPrefix(line, "-") {
			lines = append(lines, strings.TrimSuffix(line[1:], "\r"))
		}
		n++
	}
	if added > 0 {
		at--
	}
	if file != nil && len(lines) > 0 {
		file.Old = append(file.Old, Old{After: at, Lines: lines})
	}
	return diff
}

// span reads "-12,3" or "+12": start and count.
func span(text string) (start, count int) {
	from, n, several := strings.Cut(strings.TrimLeft(text, "-+"), ",")
	start, _ = strconv.Atoi(from)
	count = 1
	if several {
		count, _ = strconv.Atoi(n)
	}
	return start, count
}

// diffPath is the path in a diff's head: quoted as in C when it has odd characters, and
// followed by a tab when it has spaces.
func diffPath(text string) string {
	text = strings.TrimSuffix(text, "\t")
	if strings.HasPrefix(text, `"`) {
		// git's escapes are octal and C's: a subset of Go's.
		if plain, err := strconv.Unquote(text); err == nil {
			text = plain
		}
	}
	return strings.TrimPrefix(text, "b/")
}
