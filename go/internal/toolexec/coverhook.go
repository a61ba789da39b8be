package toolexec

import (
	"bytes"
	"fmt"
	"regexp"

	"github.com/goat-trace/goat/go/internal/plan"
)

// Where there is a -coveragecfg, the compiler has main's initialiser call coverHook. It
// is part of few programs, and where it is, it says that there is no coverage. So at
// link the copy of main's archive calls another function in its place, which the
// table's object defines. The name of a variable that nobody uses tells which archives
// those are: with the user's own -cover the call is wanted.
const coverHook = "runtime/coverage.initHook"

// coverMark is what that name ends in, behind the accessor's.
const coverMark = "_calls"

var coverMarkPattern = regexp.MustCompile(`goat_acc_[0-9a-f]{16}` + coverMark)

// withCoverMark is the added file with that variable.
func (c *compilation) withCoverMark(added plan.Generated) plan.Generated {
	if get(c.args[:c.first], "p") == "main" {
		added.Text += fmt.Sprintf("\nvar %s%s byte\n", c.doc.Symbol, coverMark)
	}
	return added
}

// ownCoverHook is the function of ours, whose name has the length of the other's.
func (l *linking) ownCoverHook() string { return "goat.cover_hooks_" + l.key }

// redirect makes main's archive call our function; false where it does not call the
// other. The name stands in the object's table of strings, before all of its data.
func (l *linking) redirect() ([]byte, bool) {
	if !coverMarkPattern.Match(l.mainText) {
		return l.mainText, false
	}
	object := max(bytes.Index(l.mainText, []byte(objectMagic)), 0)
	at := bytes.Index(l.mainText[object:], []byte(coverHook))
	if at < 0 || len(l.ownCoverHook()) != len(coverHook) {
		return l.mainText, false
	}
	text := bytes.Clone(l.mainText)
	copy(text[object+at:], l.ownCoverHook())
	return text, true
}
