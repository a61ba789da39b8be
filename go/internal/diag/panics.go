package diag

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go"
)

// recorded is what the runtime answers at /panics and keeps beside its spool.
type recorded struct {
	Format   int               `json:"format"`
	Module   string            `json:"module"`
	Instance string            `json:"instance"`
	Lane     string            `json:"lane"`
	Lost     uint64            `json:"lost"`
	Panics   []goat.PanicEvent `json:"panics"`
}

// Files beside a spool file, in place of its suffix.
const (
	spoolSuffix  = ".spool"
	panicsSuffix = ".panics"
	crashSuffix  = ".crash"
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
	if strings.HasSuffix(name, spoolSuffix) {
		if _, err := os.Stat(name); err != nil {
			e := &goat.Error{Code: goat.CodeUnreadable, Message: "the spool cannot be read", Path: name, Hint: "name a file or a directory that GOAT_SPOOL named"}
			return e.Wrap(errors.Unwrap(err))
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
	return c.add(text, name, into)
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
func (c *Collector) add(text []byte, name string, into *goat.PanicsOptions) error {
	var r recorded
	if err := json.Unmarshal(text, &r); err != nil || r.Format != goat.Format {
		e := &goat.Error{Code: goat.CodeUnreadable, Message: "this is no record of panics", Path: name, Hint: "name the address of a program that was built with `goat build --panics`"}
		if err != nil {
			return e.Wrap(err)
		}
		return e
	}
	c.Recorded = append(c.Recorded, name)
	c.Lost += r.Lost
	if r.Lost > 0 {
		c.Said = append(c.Said, fmt.Sprintf("%s: there was no room for %d panics", name, r.Lost))
	}
	if r.Module != "" && !slices.Contains(into.Modules, r.Module) {
		into.Modules = append(into.Modules, r.Module)
	}
	for _, e := range r.Panics {
		e.Source, e.Instance, e.Lane = name, r.Instance, r.Lane
		into.Events = append(into.Events, e)
	}
	return nil
}

// spoolDir takes all spools of a directory.
func (c *Collector) spoolDir(dir string, into *goat.PanicsOptions) error {
	names, err := filepath.Glob(filepath.Join(escaped(dir), "*"+spoolSuffix))
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

func hasPanics(spool string) bool {
	for _, suffix := range []string{panicsSuffix, crashSuffix} {
		if _, err := os.Stat(strings.TrimSuffix(spool, spoolSuffix) + suffix); err == nil {
			return true
		}
	}
	return false
}

// spoolPanics takes what lies beside a spool file: what the runtime recorded, and what Go
// wrote when the process ended.
func (c *Collector) spoolPanics(spool string, into *goat.PanicsOptions) error {
	if !hasPanics(spool) {
		c.Silent = append(c.Silent, filepath.ToSlash(spool))
		return nil
	}
	stem := strings.TrimSuffix(spool, spoolSuffix)
	name, instance := filepath.ToSlash(spool), ""
	text, err := os.ReadFile(stem + panicsSuffix)
	switch {
	case err == nil:
		if err := c.add(text, name, into); err != nil {
			return err
		}
		var r recorded
		if json.Unmarshal(text, &r) == nil {
			instance = r.Instance
		}
	case !errors.Is(err, fs.ErrNotExist):
		e := &goat.Error{Code: goat.CodeUnreadable, Message: "the record of panics cannot be read", Path: stem + panicsSuffix}
		return e.Wrap(errors.Unwrap(err))
	}
	info, err := os.Stat(stem + crashSuffix)
	if err != nil || info.Size() == 0 {
		return nil
	}
	path, err := filepath.Abs(stem + crashSuffix)
	if err == nil {
		into.Sources = append(into.Sources, goat.DumpSource{Name: name, Path: path, Instance: instance, CrashOutput: true})
	}
	return err
}
