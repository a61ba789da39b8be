package diag

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/diag/recorded"
	"github.com/goat-trace/goat/go/internal/spool"
)

// Panics adds what one argument holds: the address of a process built with --panics, a
// spool file or a directory of them, a crash text, or - for standard input.
func (c *Collector) Panics(ctx context.Context, name string, stdin io.Reader, into *goat.PanicsOptions) error {
	if IsLive(name) {
		return c.livePanics(ctx, name, into)
	}
	if info, err := os.Stat(name); err == nil && name != "-" && info.IsDir() {
		return c.spoolDir(name, into)
	}
	if strings.HasSuffix(name, recorded.SpoolSuffix) {
		if err := spool.Look(name); err != nil {
			e := &goat.Error{Code: goat.CodeUnreadable, Message: "the spool cannot be read", Path: name, Hint: "name a file or a directory that GOAT_SPOOL named"}
			return e.Wrap(err)
		}
		return c.spoolPanics(name, into)
	}
	s, err := c.Source(ctx, name, stdin)
	if err == nil {
		into.Sources = append(into.Sources, s)
	}
	return err
}

func (c *Collector) livePanics(ctx context.Context, name string, into *goat.PanicsOptions) error {
	client, base, err := c.client(name)
	if err != nil {
		return err
	}
	if !strings.HasSuffix(base.Path, "/panics") {
		base.Path = strings.TrimRight(base.Path, "/") + "/panics"
	}
	path, err := c.get(ctx, client, base, name)
	if err != nil {
		return panicsHint(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	r, err := recorded.Decode(text, name)
	if err != nil {
		e := &goat.Error{Code: goat.CodeUnreadable, Message: "this is no record of panics", Path: name, Hint: "name the address of a program that was built with `goat build --panics`"}
		return e.Wrap(err)
	}
	c.add(r, name, into)
	return nil
}

// panicsHint says what a process lacks that has no such path.
func panicsHint(err error) error {
	var e *goat.Error
	if !errors.As(err, &e) || e.Code != goat.CodeNetwork {
		return err
	}
	e.Message = strings.Replace(e.Message, "no dump from", "no panics from", 1)
	if strings.Contains(err.Error(), "404") {
		e.Hint = "build the program with `goat build --panics`"
	}
	return e
}

// add takes a record of the runtime's.
func (c *Collector) add(r *recorded.Record, name string, into *goat.PanicsOptions) {
	c.Recorded = append(c.Recorded, name)
	c.Lost += r.Lost
	if r.Lost > 0 {
		c.Said = append(c.Said, fmt.Sprintf("%s: there was no room for %d panics", name, r.Lost))
	}
	if r.Module != "" && !slices.Contains(into.Modules, r.Module) {
		into.Modules = append(into.Modules, r.Module)
	}
	if r.PlanHash != "" {
		c.Plan = r.PlanHash
	}
	into.Events = append(into.Events, r.Panics...)
}

// spoolDir takes all spools of a directory.
func (c *Collector) spoolDir(dir string, into *goat.PanicsOptions) error {
	names, err := filepath.Glob(filepath.Join(escaped(dir), "*"+recorded.SpoolSuffix))
	if err == nil && len(names) == 0 {
		return &goat.Error{Code: goat.CodeNoDump, Message: "no spool in the directory", Path: dir, Hint: "name the directory that GOAT_SPOOL named, or a crash text"}
	}
	for _, name := range names {
		err = errors.Join(err, c.spoolPanics(name, into))
	}
	return err
}

func escaped(dir string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(dir)
}

// spoolPanics takes what lies beside a spool file: what the runtime recorded, and what Go
// wrote when the process ended.
func (c *Collector) spoolPanics(spool string, into *goat.PanicsOptions) error {
	if !recorded.Any(spool) {
		c.Silent = append(c.Silent, filepath.ToSlash(spool))
		return nil
	}
	beside, err := recorded.Read(spool)
	if err != nil {
		return err
	}
	if beside.Record != nil {
		c.add(beside.Record, filepath.ToSlash(spool), into)
	}
	if beside.Crash != nil {
		into.Sources = append(into.Sources, *beside.Crash)
	}
	return nil
}
