package toolexec

import (
	"bytes"
	"strings"

	"github.com/goat-trace/goat/go/internal/plan"
)

// spliceCovered inserts the points into cover's output of a file, each before the
// byte that stands at its offset in the original: so after the counter that cover
// put there. It first finds what cover inserted; false if what is left without it
// is not the original, byte for byte.
func spliceCovered(original, covered []byte, edits []plan.Edit, f forms) ([]byte, bool) {
	body := bytes.IndexByte(covered, '\n') + 1
	if !bytes.HasPrefix(covered, []byte("//line ")) || body == 0 {
		return nil, false
	}
	places, ok := align(original, covered[body:])
	if !ok {
		return nil, false
	}
	shifted := make([]plan.Edit, len(edits))
	for i, e := range edits {
		if e.At > len(original) {
			return nil, false
		}
		e.At = places[e.At] + body
		shifted[i] = e
	}
	return splice(covered, shifted, f)
}

// align returns, for every offset of the original (its end included), the offset
// in covered of the same byte. Cover only inserts: counters, its imports after the
// package clause, braces around `else if`, declarations at the end.
func align(original, covered []byte) ([]int, bool) {
	a := &aligner{original: original, covered: covered, places: make([]int, 0, len(original)+1)}
	for len(a.places) < len(original) {
		if !a.step() {
			return nil, false
		}
	}
	if len(a.open) > 0 {
		a.closers()
	}
	a.places = append(a.places, a.at)
	return a.places, a.clean() && len(a.open) == 0
}

// aligner walks the covered text token by token.
type aligner struct {
	original, covered []byte
	places            []int // by offset in the original
	at                int   // offset in covered
	depth             int   // open braces in covered
	open              []int // depths at which cover opened a brace of its own
}

// step consumes one insertion, or one token that both texts hold.
func (a *aligner) step() bool {
	rest := a.covered[a.at:]
	if len(rest) == 0 {
		return false
	}
	if n := insertion(rest); n > 0 {
		a.at += n
		return true
	}
	orig := a.original[len(a.places):]
	if a.closers() {
		return true
	}
	if rest[0] == '{' && orig[0] != '{' {
		a.open = append(a.open, a.depth)
		a.depth++
		a.at++
		return true
	}
	n := tokenLen(orig)
	if !bytes.HasPrefix(rest, orig[:n]) {
		return false
	}
	a.count(orig[0], n)
	for i := 0; i < n; i++ {
		a.places = append(a.places, a.at+i)
	}
	a.at += n
	return true
}

// closers consumes a closing brace that matches a brace of cover's own.
func (a *aligner) closers() bool {
	last := len(a.open) - 1
	if last < 0 || a.at >= len(a.covered) || a.covered[a.at] != '}' || a.depth-1 != a.open[last] {
		return false
	}
	a.depth--
	a.open = a.open[:last]
	a.at++
	return true
}

func (a *aligner) count(first byte, n int) {
	switch {
	case n == 1 && first == '{':
		a.depth++
	case n == 1 && first == '}':
		a.depth--
	}
}

// clean reports whether what follows the original is cover's own.
func (a *aligner) clean() bool {
	for _, line := range strings.Split(string(a.covered[a.at:]), "\n") {
		if line != "" && !strings.HasPrefix(line, "var _ = ") {
			return false
		}
	}
	return true
}

// insertion returns the length of a text at the front of rest that only cover
// writes: a statement on its own variables, with the separator after it, or one of
// its imports.
func insertion(rest []byte) int {
	for _, text := range [...]string{`; import _cover_atomic_ "sync/atomic"`, `; import _ "runtime/coverage"`} {
		if bytes.HasPrefix(rest, []byte(text)) {
			return len(text)
		}
	}
	return counterStatement(rest)
}

// counterCalls are what may stand before the name of a counter.
var counterCalls = [...]string{"", "_cover_atomic_.AddUint32(&", "_cover_atomic_.StoreUint32(&", "AddUint32(&", "StoreUint32(&"}

// counterStatement matches `goCover_<hash>_<n>[i] = 1;`, `…++;` and the atomic
// calls on it; cover ends each with `;` or ` ; `.
func counterStatement(rest []byte) int {
	if rest[0] != 'g' && rest[0] != '_' && rest[0] != 'A' && rest[0] != 'S' {
		return 0
	}
	for _, call := range counterCalls {
		if !bytes.HasPrefix(rest, []byte(call+"goCover_")) {
			continue
		}
		n := bytes.IndexAny(rest, ";\n{}") + 1
		if n == 0 || rest[n-1] != ';' {
			return 0
		}
		if n < len(rest) && rest[n-2] == ' ' && rest[n] == ' ' {
			n++
		}
		return n
	}
	return 0
}

// tokenLen is the length of the text at the front of src within which a brace is
// no brace: a comment, a string, a rune; else one byte.
func tokenLen(src []byte) int {
	switch {
	case bytes.HasPrefix(src, []byte("//")):
		return through(src, "\n")
	case bytes.HasPrefix(src, []byte("/*")):
		return 2 + through(src[2:], "*/")
	case src[0] == '`':
		return 1 + through(src[1:], "`")
	case src[0] == '"' || src[0] == '\'':
		return quoted(src)
	}
	return 1
}

// through is the length up to and including the end text.
func through(src []byte, end string) int {
	if i := bytes.Index(src, []byte(end)); i >= 0 {
		return i + len(end)
	}
	return len(src)
}

// quoted is the length of a string or rune literal at the front of src.
func quoted(src []byte) int {
	for i := 1; i < len(src); i++ {
		switch src[i] {
		case '\\':
			i++
		case src[0]:
			return i + 1
		case '\n':
			return i
		}
	}
	return len(src)
}
