package compat

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/contract"
)

// protobuf compares the .proto files below directories by the rules that buf has. What
// they import comes from git as they do.
func (c *Check) protobuf(ctx context.Context, f *gate.Finding) error {
	var patterns []string
	for _, root := range append(append([]string(nil), c.Protobuf...), c.ProtobufImports...) {
		patterns = append(patterns, path.Join(directory(root), "**/*.proto"))
	}
	files, err := c.files(ctx, patterns...)
	if err != nil {
		return err
	}
	for i := range files.Files {
		if pair := &files.Files[i]; pair.Problem != "" {
			return fmt.Errorf("%s: %s", pair.Path, pair.Problem)
		}
	}
	result, err := goat.CompareProtobuf(ctx, goat.ProtobufOptions{
		Roots: c.Protobuf, Imports: c.ProtobufImports, Absent: c.ProtobufAbsent, Rules: c.Rules, Files: files.Files,
	})
	if err != nil {
		return misconfigured(f, err)
	}
	for i := range result.Roots {
		root := &result.Roots[i]
		rules := strings.Join(c.Rules, ", ")
		query := fmt.Sprintf("protobuf %s by %s, %s", root.Root, rules, contract.Sides(files))
		c.judge(f, fmt.Sprintf("protobuf %s (%s)", root.Root, rules), query, protobufFindings(root), c.Now())
	}
	return nil
}

// directory is that of a root, which may say what import paths have in front.
func directory(root string) string {
	_, dir, prefixed := strings.Cut(root, "=")
	if !prefixed {
		dir = root
	}
	return path.Clean(dir)
}

// misconfigured notes a request that no repetition mends, and says where files are wrong.
func misconfigured(f *gate.Finding, err error) error {
	var problem *goat.Error
	if !errors.As(err, &problem) {
		return err
	}
	if problem.Code == goat.CodeBadRequest {
		f.Misconfigured = err
		return nil
	}
	if problem.Path == "" {
		return err
	}
	placed := *problem
	placed.Message = problem.Path + ": " + problem.Message
	return &placed
}

func protobufFindings(root *goat.ProtobufRoot) []finding {
	all := make([]finding, len(root.Findings))
	for i := range root.Findings {
		from, to := &root.Findings[i], &all[i]
		to.ID, to.Rule, to.Severity, to.Subject = from.ID, from.Rule, from.Severity, from.Subject
		to.Message = from.Message + " (" + from.Rule + ")"
		to.Place.File, to.Place.Line, to.Place.Column, to.Place.Base = from.Place.File, from.Place.Line, from.Place.Column, from.Place.Base
	}
	return all
}
