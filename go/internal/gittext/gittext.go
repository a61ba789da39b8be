// Package gittext reads what a page shows beside the evidence: the text of a release's
// files, and the lines that its base had and it has not. Both come from the repository,
// through git; what is missing there is said file by file, never guessed.
package gittext

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Request says which texts are wanted.
type Request struct {
	// Dir is a directory of the repository.
	Dir string
	// Base and Release are commits.
	Base, Release string
	// WorkTree is set when the release is the working tree on top of its commit.
	WorkTree bool
	// Files are the wanted files, slash-separated, relative to the repository's root.
	Files []string
	// Hash gives the hash that a file of the release had ("sha256:…", "" when unknown);
	// a text with another one is not that of the release.
	Hash func(file string) string
	// Same compares two hashes as the plan writes them.
	Same func(text []byte, hash string) bool
}

// File is the text of one file.
type File struct {
	// Text is the release's text; nil when Missing says why it is not known.
	Text    []byte
	Missing string
	// Old are the base's lines that the release lacks, by place.
	Old []Old
}

// Old is a run of lines of the base; After is the release's line before them.
type Old struct {
	After int
	Lines []string
}

// largest bounds what one file may make us hold.
const largest = 4 << 20

// Read reads the texts. The error says why there are none at all; the map has an entry
// for each file then, too.
func Read(ctx context.Context, r *Request) (map[string]*File, error) {
	files := map[string]*File{}
	for _, name := range r.Files {
		files[name] = &File{}
	}
	root, err := r.root(ctx)
	if err != nil {
		return files, err
	}
	if r.WorkTree {
		readWorkTree(root, files)
	} else if err := r.readCommit(ctx, root, files); err != nil {
		return files, err
	}
	r.compare(files)
	r.readOld(ctx, root, files)
	return files, nil
}

func (r *Request) root(ctx context.Context) (string, error) {
	out, err := git(ctx, r.Dir, nil, "rev-parse", "--show-toplevel")
	if err != nil {
		return "", fmt.Errorf("no repository to take the text from: %w", err)
	}
	root := strings.TrimRight(string(out), "\r\n")
	if root == "" {
		return "", errors.New("no repository to take the text from: this one has no working tree")
	}
	if r.Release == "" {
		return "", errors.New("no text: the report names no release")
	}
	if _, err := git(ctx, root, nil, "cat-file", "-e", r.Release+"^{commit}"); err != nil {
		return "", fmt.Errorf("no text: this repository lacks the release's commit %.12s; fetch it, or run goat in the release's repository", r.Release)
	}
	return root, nil
}

// git runs git without what a repository's configuration could make it run, and without
// taking its locks.
func git(ctx context.Context, dir string, stdin []byte, args ...string) ([]byte, error) {
	args = append([]string{"-c", "core.fsmonitor=false", "-c", "core.quotePath=false"}, args...)
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1", "LC_ALL=C")
	if stdin != nil {
		cmd.Stdin = bytes.NewReader(stdin)
	}
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err == nil {
		return out, nil
	}
	if text := strings.TrimSpace(complaint.String()); text != "" {
		first, _, _ := strings.Cut(text, "\n")
		return out, errors.New(first)
	}
	return out, err
}

// ours reports whether a name can be that of a source file below the root.
func ours(name string) bool {
	if !filepath.IsLocal(filepath.FromSlash(name)) || strings.ContainsAny(name, "\n\x00") {
		return false
	}
	for _, part := range strings.Split(name, "/") {
		if strings.EqualFold(part, ".git") {
			return false
		}
	}
	return strings.HasSuffix(name, ".go")
}

func readWorkTree(root string, files map[string]*File) {
	for name, f := range files {
		if !ours(name) {
			f.Missing = "not a file of this repository"
			continue
		}
		path := filepath.Join(root, filepath.FromSlash(name))
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			f.Missing = "the working tree no longer has this file"
		case err != nil || !info.Mode().IsRegular():
			f.Missing = "unreadable in the working tree"
		case info.Size() > largest:
			f.Missing = "too large to show"
		default:
			if f.Text, err = os.ReadFile(path); err != nil {
				f.Text, f.Missing = nil, "unreadable in the working tree"
			} else if f.Text == nil {
				f.Text = []byte{}
			}
		}
	}
}

// compare drops texts that are not those of the release.
func (r *Request) compare(files map[string]*File) {
	if r.Hash == nil || r.Same == nil {
		return
	}
	for name, f := range files {
		if hash := r.Hash(name); f.Text != nil && hash != "" && !r.Same(f.Text, hash) {
			f.Text, f.Missing = nil, "changed since the release was built: its text then is not known"
		}
	}
}
