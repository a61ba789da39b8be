package compat

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/contract"
)

// sources are the files that type-checking a module needs.
var sources = []string{"**/*.go", "**/go.mod", "**/go.sum", "**/go.work", "**/go.work.sum", "**/vendor/modules.txt"}

// goAPI compares the exported API of packages. Both sides are written to a directory of
// their own, which the go command reads; the working tree is not touched.
func (c *Check) goAPI(ctx context.Context, f *gate.Finding) (err error) {
	files, err := c.files(ctx, sources...)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "goat-compat-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	base, release := filepath.Join(scratch, "base"), filepath.Join(scratch, "release")
	for i := range files.Files {
		pair := &files.Files[i]
		if pair.Problem != "" {
			return fmt.Errorf("%s: %s", pair.Path, pair.Problem)
		}
		if err := errors.Join(export(base, pair.Path, pair.Base), export(release, pair.Path, pair.Release)); err != nil {
			return err
		}
	}
	for _, dir := range []string{base, release} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	answer, err := contract.Ask(ctx, c.Contract, &contract.Request{Op: "api", Base: contract.Side{Dir: base}, Release: contract.Side{Dir: release}, Packages: c.API})
	if err != nil {
		return err
	}
	query := "Go API, " + contract.Sides(files)
	c.judge(f, "Go API", query, answer.Findings, c.Now())
	f.Add(gate.Reason{Verdict: gate.Pass, Message: "semantic versioning asks for a " + answer.Advice + " version", Query: query})
	return nil
}

// export writes one file of a side.
func export(root, name string, text *string) error {
	if text == nil {
		return nil
	}
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return &goat.Error{Code: goat.CodeUnreadable, Message: name + " lies outside the repository", Path: name}
	}
	file := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(*text), 0o644)
}
