package toolexec

import (
	"bytes"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go/internal/hook"
	"github.com/goat-trace/goat/go/internal/plan"
)

// forms says which of the texts of an edit a build takes.
type forms struct {
	// exact says that only exact points are right.
	exact bool
	// free says that the compiler is told not to count points when it decides what
	// to inline.
	free bool
}

// text is what an edit inserts.
func (f forms) text(e plan.Edit) string { return e.In(f.exact, f.free) }

// mayBeFree reports whether points can be free in this build. The compiler takes one
// -coveragecfg per package, and in main it adds a call that only the link of a program
// with goat's hook takes care of (coverhook.go). Where nothing is inlined, the call in
// a free point would stay one.
func (c *compilation) mayBeFree() bool {
	flags := c.args[:c.first]
	none := slices.ContainsFunc(flags, func(flag string) bool {
		return flag == "-N" || flag == "-l" || strings.HasPrefix(flag, "-l=") || strings.HasPrefix(flag, "-N=")
	})
	if c.doc.Free == "" || none || get(flags, "coveragecfg") != "" {
		return false
	}
	return get(flags, "p") != "main" || slices.ContainsFunc(c.args[c.first:], func(file string) bool { return hook.IsName(hookBase(file)) })
}

// setFree makes the free texts free: by a -coveragecfg, as go's own cover writes it,
// that calls the variable of the free points one of cover's. The mode testmain is the
// one in which the compiler adds nothing to the package.
func (b *builder) setFree(c *compilation) error {
	config := filepath.Join(b.dir, "coveragecfg")
	text := `{"MetaVar":"goat_none","MetaLen":0,"MetaHash":"` + strings.Repeat("0", 32) +
		`","Strategy":"normal","CounterPrefix":"goat_none","PkgIdVar":"` + c.doc.Free +
		`","CounterMode":"testmain","CounterGranularity":"perblock"}`
	b.args = slices.Insert(b.args, c.first, "-coveragecfg="+config)
	return writeFile(config, []byte(text))
}

// oursPattern matches what the compiler's -m says of free points.
var oursPattern = regexp.MustCompile(`: inlining call to (\S+\.)?goat_[es]_[0-9a-z]+$`)

// withoutOurs takes what the compiler says about the added file, and about the calls
// in points, out of its output: that is there only if the user asked for it by -m.
func (c *compilation) withoutOurs(out []byte) []byte {
	if len(out) == 0 {
		return out
	}
	var kept []byte
	for _, line := range bytes.SplitAfter(out, []byte("\n")) {
		place, _, _ := bytes.Cut(line, []byte(":"))
		if filepath.Base(string(place)) != c.doc.Added.Name && !oursPattern.Match(bytes.TrimRight(line, "\r\n")) {
			kept = append(kept, line...)
		}
	}
	return kept
}
