package toolexec

import "strings"

// shortages are what a machine lacks for a while, as its errors spell it. A tool that
// fails for one of them has said nothing about the code: a package must not become
// degraded by it, for go would keep that.
var shortages = []string{
	"no space left on device", "not enough space on the disk", "disk quota exceeded", "cannot allocate memory",
	"out of memory", "input/output error", "too many open files", "read-only file system",
}

// passing reports whether a tool failed for want of something.
func passing(out []byte) bool { return shortage(string(out)) != "" }

func shortage(text string) string {
	text = strings.ToLower(text)
	for _, words := range shortages {
		if strings.Contains(text, words) {
			return words
		}
	}
	return ""
}

// shortageHint is what to do about an error of goat's own that is one.
func shortageHint(err error) string {
	if shortage(err.Error()) == "" {
		return ""
	}
	return "make room where go keeps its temporary files (TMPDIR, or GOTMPDIR names another place) and build again"
}
