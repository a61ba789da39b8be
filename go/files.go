package goat

import "context"

// FilesOptions say which files of which two versions.
type FilesOptions struct {
	// Dir is any directory of the repository.
	Dir string
	// Base and Release are refs; empty for what a plan would take.
	Base, Release string
	// Range says what the release is compared with; empty for RangeMergeBase.
	Range Range
	// Patterns are globs relative to the repository's root; * stays within a directory.
	// What matches one that begins with ! is left out.
	Patterns []string
}

// Files are files of two versions of a repository.
type Files struct {
	// Root is the repository's.
	Root string `json:"root"`
	Base struct {
		Ref    string `json:"ref"`
		Commit string `json:"commit"`
		// Why says why this base was taken.
		Why string `json:"why"`
	} `json:"base"`
	Release struct {
		Ref    string `json:"ref"`
		Commit string `json:"commit"`
		// WorkTree says that the files on disk are the release.
		WorkTree bool `json:"worktree"`
	} `json:"release"`
	// Files are sorted by path.
	Files []FilePair `json:"files"`
}

// FilePair is one file on both sides.
type FilePair struct {
	// Path is relative to the repository's root.
	Path string `json:"path"`
	// Base and Release are the texts; nil where the side has no such file.
	Base    *string `json:"base"`
	Release *string `json:"release"`
	// Problem says why the text of a file that is there is missing.
	Problem string `json:"problem"`
}

// wireFiles is FilesOptions as the core reads them.
type wireFiles struct {
	wireHead
	Dir      string   `json:"dir"`
	Base     string   `json:"base"`
	Release  string   `json:"release"`
	Range    Range    `json:"range"`
	Patterns []string `json:"patterns"`
}

// ReadFiles reads the files of both versions that match, from git; of the working tree
// those that git does not ignore. Nothing is checked out.
func ReadFiles(ctx context.Context, options FilesOptions) (*Files, error) {
	dir, err := absolute(options.Dir)
	if err != nil {
		return nil, err
	}
	request := &wireFiles{
		wireHead: head("files"), Dir: dir, Base: options.Base, Release: options.Release,
		Range: orDefault(options.Range, RangeMergeBase), Patterns: options.Patterns,
	}
	answer, err := runAbandoned(ctx, request, nil)
	if err != nil {
		return nil, err
	}
	files := &Files{}
	if err := decodeResult(answer, files); err != nil {
		return nil, err
	}
	return files, nil
}
