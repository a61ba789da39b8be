package compat

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/contract"
)

// Check is the question about one pair of versions.
type Check struct {
	Settings
	// Options are the repository and its sides; Patterns are set by the check.
	Options goat.FilesOptions
	// Path takes a path of the settings from the directory in which goat works.
	Path func(string) string
	// Contract is the program goat-contract; empty for the one beside goat or on PATH.
	Contract string
	// ModCache is the module cache, which knows of retracted versions; empty for none.
	ModCache string
	Now      func() time.Time
}

// Name is compat.
func (c *Check) Name() gate.Name { return gate.Name{Check: "compat", Name: "compat"} }

// Explain says what is compared.
func (c *Check) Explain() []string {
	lines := []string{"base " + orElse(c.base(), "(as goat plan takes it)") + ", release " + orElse(c.Options.Release, "the working tree")}
	for _, document := range c.OpenAPI {
		lines = append(lines, "OpenAPI document "+document)
	}
	for _, root := range c.Protobuf {
		lines = append(lines, ".proto files below "+root+" by the rules "+strings.Join(c.Rules, ", "))
	}
	if len(c.API) > 0 {
		lines = append(lines, "exported API of "+strings.Join(c.API, " "))
	}
	if c.Modules {
		lines = append(lines, "requirements of every go.mod")
	}
	if c.Binary.New != "" {
		lines = append(lines, "build information of "+c.Binary.Old+" and "+c.Binary.New)
	}
	return lines
}

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func (c *Check) base() string { return orElse(c.Settings.Base, c.Options.Base) }

// Look compares.
func (c *Check) Look(ctx context.Context) gate.Finding {
	var f gate.Finding
	for _, part := range []struct {
		asked bool
		look  func(context.Context, *gate.Finding) error
		what  string
	}{
		{len(c.OpenAPI) > 0, c.openAPI, "OpenAPI"},
		{len(c.Protobuf) > 0, c.protobuf, "protobuf"},
		{len(c.API) > 0, c.goAPI, "Go API"},
		{c.Modules, c.modules, "modules"},
		{c.Binary.New != "", c.binaries, "binaries"},
	} {
		if !part.asked {
			continue
		}
		if err := part.look(ctx, &f); err != nil {
			f.Add(gate.Reason{Verdict: gate.Error, Message: part.what + ": " + gate.Said(err), Query: part.what})
		}
	}
	return f
}

// files reads files of both sides.
func (c *Check) files(ctx context.Context, patterns ...string) (*goat.Files, error) {
	options := c.Options
	options.Base, options.Patterns = c.base(), patterns
	return goat.ReadFiles(ctx, options)
}

// openAPI compares the documents. One that is in neither side was named wrongly.
func (c *Check) openAPI(ctx context.Context, f *gate.Finding) error {
	files, err := c.files(ctx, c.OpenAPI...)
	if err != nil {
		return err
	}
	for _, pattern := range c.OpenAPI {
		// What ** takes within a path only the core knows: there anything counts.
		if !slices.ContainsFunc(files.Files, func(p goat.FilePair) bool { return matches(pattern, p.Path) || strings.Contains(pattern, "**") }) {
			f.Add(gate.Reason{Verdict: gate.Error, Message: "no file " + pattern + " in base or release", Query: contract.Sides(files)})
		}
	}
	for i := range files.Files {
		pair := &files.Files[i]
		query := "openapi " + pair.Path + ", " + contract.Sides(files)
		switch {
		case pair.Problem != "":
			f.Add(gate.Reason{Verdict: gate.Error, Message: pair.Path + ": " + pair.Problem, Query: query})
		case pair.Base == nil:
			f.Add(gate.Reason{Verdict: gate.Pass, Message: pair.Path + " is new", Query: query})
		case pair.Release == nil:
			gone := finding{ID: "openapi.document.removed", Severity: breaking, Subject: pair.Path, Message: "the document is gone"}
			gone.Place.File, gone.Place.Base = pair.Path, true
			c.judge(f, pair.Path, query, []finding{gone}, c.Now())
		default:
			answer, err := contract.Ask(ctx, c.Contract, &contract.Request{Op: "openapi", Path: pair.Path, Base: contract.Side{Text: *pair.Base}, Release: contract.Side{Text: *pair.Release}})
			if err != nil {
				return err
			}
			c.judge(f, pair.Path, query, answer.Findings, c.Now())
		}
	}
	return nil
}
