package doors

import (
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"

	"github.com/goat-trace/goat/go/internal/hook"
	"github.com/goat-trace/goat/go/internal/rtsource"
)

// linkPath is the import path under which the runtime's source is read for what it
// imports; the helper chooses its own at link.
const linkPath = "goat/rt"

// runtimeNeeds returns the standard packages that the runtime imports, sorted; with
// the server those of the server besides. Without it the helper adds the server
// wherever the program links all that it needs anyway.
func runtimeNeeds(server bool) ([]string, error) {
	files, err := rtsource.Files(linkPath, "")
	if err != nil {
		return nil, err
	}
	var needs []string
	for name, text := range files {
		if path.Dir(name) == hook.ServerDir && !server {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
		if err != nil {
			return nil, err
		}
		for _, spec := range file.Imports {
			if need, err := strconv.Unquote(spec.Path.Value); err == nil && need != linkPath && need != "unsafe" {
				needs = append(needs, need)
			}
		}
	}
	slices.Sort(needs)
	return slices.Compact(needs), nil
}

// identity is a hash over what decides how a program's table and runtime look. It
// stands in the hook, so that go links anew when it changes.
func (d *door) identity() (string, error) {
	sum, err := rtsource.Hash()
	if err != nil {
		return "", err
	}
	return d.index.PlanHash + "-" + sum[:min(len(sum), 16)] + "-" + d.Settings.Server, nil
}
