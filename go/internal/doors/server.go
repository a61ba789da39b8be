package doors

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"

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

// profileNeeds are the standard packages that serving profiles needs besides those that
// net/http does.
var profileNeeds = []string{"runtime/debug", "runtime/pprof"}

// mainNeeds are what the hook of a program imports.
func (o *overlay) mainNeeds() []string {
	if !o.door.Settings.Pprof {
		return o.needs
	}
	needs := slices.Concat(o.needs, profileNeeds)
	slices.Sort(needs)
	return slices.Compact(needs)
}

// identity is a hash over what a binary says about itself and how it is put
// together. It stands in the hook, so that go links anew when it changes. What
// changes with every edit (the plan's hash, the hash of a dirty tree) is not in it:
// an edit that a program does not depend on does not link it again, as with plain
// go, and then it keeps naming the tree it was linked from.
func (d *door) identity() (string, error) {
	runtime, err := rtsource.Hash()
	if err != nil {
		return "", err
	}
	x := d.index
	version, _, _ := strings.Cut(x.App.Version, "-dirty-")
	sum := sha256.New()
	if d.Settings.Pprof {
		fmt.Fprintln(sum, "pprof")
	}
	fmt.Fprintf(sum, "%q\n", []string{
		x.Goat.Version, x.Goat.Commit, x.Module, x.App.Name, version, x.Granularity, strconv.Itoa(x.Precision),
		x.Base.Ref, x.Base.Commit, x.Release.Ref, x.Release.Commit, strconv.FormatBool(x.Release.Dirty),
		runtime, d.Settings.Server,
	})
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}
