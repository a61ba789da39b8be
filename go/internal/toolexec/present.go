package toolexec

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"path"

	"github.com/goat-trace/goat/go/internal/plan"
)

// A package's document is about all its files, whatever their build constraints; a
// build compiles some of them. The points of the others are not in the program and
// must not stand in its table, or "all of it ran" could never be true. What was
// compiled is known at compile and needed at link, and between the two there is only
// the archive. So the added file declares a variable that nobody uses, and which the
// linker drops; its name says which of the document's files were there, with the text
// that the plan has of them: an overlay or a vendored copy may have another.

// presence is what the name begins with, behind the accessor's.
const presence = "_has_"

// withPresence is the added file with that variable.
func (c *compilation) withPresence(added plan.Generated) plan.Generated {
	compiled := map[string]bool{}
	for _, u := range c.units {
		compiled[u.base] = compiled[u.base] || !u.test && !u.other
	}
	bits := make([]byte, len(c.doc.Files)/8+1)
	for i := range c.doc.Files {
		if compiled[c.doc.Files[i].Name] {
			bits[i/8] |= 1 << (i % 8)
		}
	}
	added.Text += fmt.Sprintf("\nvar %s%s%x byte\n", c.doc.Symbol, presence, bits)
	return added
}

// run is a row of counters, from first up to but not including end.
type run struct{ first, end int }

// presentRuns finds in a package's archive which files were compiled, and returns the
// counters of their points; all where the archive does not say.
func presentRuns(archive []byte, doc *plan.Package) []run {
	all := []run{{0, len(doc.Points)}}
	_, rest, found := bytes.Cut(archive, []byte(doc.Symbol+presence))
	digits := 2 * (len(doc.Files)/8 + 1)
	if !found || len(rest) < digits {
		return all
	}
	bits, err := hex.DecodeString(string(rest[:digits]))
	if err != nil {
		return all
	}
	absent := map[string]bool{}
	for i := range doc.Files {
		absent[doc.Files[i].Name] = bits[i/8]&(1<<(i%8)) == 0
	}
	var runs []run
	for i := range doc.Points {
		switch last := len(runs) - 1; {
		case absent[path.Base(doc.Points[i].File)]:
		case last >= 0 && runs[last].end == i:
			runs[last].end++
		default:
			runs = append(runs, run{i, i + 1})
		}
	}
	return runs
}
