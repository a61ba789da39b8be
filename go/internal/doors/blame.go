package doors

import (
	"context"
	"io"
	"os"
	"slices"

	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/hook"
	"github.com/goat-trace/goat/go/internal/plan"
)

// overflowed reports whether the linker found no room for a point, as the helper has
// noted; the note is taken back, so that the next build does not find it.
func (d *door) overflowed() bool {
	keys := []string{}
	for _, m := range d.index.Mains {
		keys = append(keys, hook.Key(m.ImportPath, "main"))
	}
	for _, t := range d.index.Tests {
		keys = append(keys, hook.Key(t.ImportPath, t.Internal), hook.Key(t.ImportPath, t.External))
	}
	found := false
	for _, key := range keys {
		program := plan.Program{PlanHash: d.index.PlanHash, Key: key}
		program.GOOS, program.GOARCH = d.userEnviron().Target()
		if linked := plan.ReadLinked(d.cache.dir, program); linked.Overflow {
			found, linked.Overflow = true, false
			plan.NoteLinked(d.cache.dir, program, linked)
		}
	}
	return found
}

// linksPlain reports whether plain go links what it has not linked with points.
func (d *door) linksPlain(ctx context.Context) bool {
	dir, err := os.MkdirTemp("", "goat-plain")
	if err != nil {
		return false
	}
	defer os.RemoveAll(dir)
	line := []string{"build"}
	if d.Verb == "test" {
		line = []string{"test", "-c"}
	}
	for _, value := range d.args.Typed() {
		line = append(line, "-gcflags="+value)
	}
	if d.args.Overlay != "" {
		line = append(line, "-overlay="+d.args.Overlay)
	}
	line = append(line, slices.DeleteFunc(slices.Clone(d.args.Flags), func(flag string) bool { return flag == "--" })...)
	line = append(append(line, "-o", dir+string(os.PathSeparator)), d.args.Packages...)
	env := d.userEnviron().With("PWD", d.Settings.Dir)
	code, err := gocmd.Run(ctx, d.args.Dir, env, line, gocmd.Streams{Out: io.Discard, Err: io.Discard})
	return err == nil && code == 0
}
