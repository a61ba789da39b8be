package render

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/report"
)

// PanicEnd says what became of a panic.
func PanicEnd(p *goat.Panic) string { return cmp.Or(p.End(), "end not known") }

// PanicPlace is the first place of the user's code.
func PanicPlace(p *goat.Panic) string {
	if p.Place != nil {
		return frameWords(p.Place)
	}
	return FramesPlace(p.Frames)
}

// FramesPlace is where a stack stands for a reader: in changed code, else in the user's.
func FramesPlace(frames []goat.DumpFrame) string {
	for _, wanted := range []func(goat.DumpFrame) bool{
		func(f goat.DumpFrame) bool { return f.Changed }, func(f goat.DumpFrame) bool { return f.Own }, func(goat.DumpFrame) bool { return true },
	} {
		if at := slices.IndexFunc(frames, wanted); at >= 0 {
			return frameWords(&frames[at])
		}
	}
	return ""
}

func frameWords(f *goat.DumpFrame) string {
	return strings.TrimSpace(f.Func + " " + ShortPlace(f.File, f.Line))
}

// ShortPlace is a line of a file without the directories that only its machine knows.
func ShortPlace(file string, line int) string {
	if file == "" {
		return ""
	}
	file = strings.ReplaceAll(file, `\`, "/")
	return fmt.Sprintf("%s:%d", path.Join(path.Base(path.Dir(file)), path.Base(file)), line)
}

// WaitWords say why goroutines wait.
func WaitWords(c *goat.DumpCluster) string {
	words := strings.TrimSpace(c.Dimension + " " + c.Primitive)
	if c.NeverWakes {
		words += ", never wakes"
	}
	if c.Leaked > 0 {
		words += ", leaked"
	}
	return words
}

// NearWords say what ties it to the change.
func NearWords(near string) string {
	switch near {
	case report.NearFunction:
		return "changed"
	case report.NearFile:
		return "file changed"
	}
	return ""
}

// BesideWords are what stands in the function of a point, in a few words; "" for nothing.
func BesideWords(panics []*report.Panic, waiting []*report.Cluster) string {
	var parts []string
	var n, goroutines uint64
	for _, p := range panics {
		n += p.Count
	}
	if n > 0 {
		parts = append(parts, Plural(int(n), "panic"))
	}
	for _, c := range waiting {
		if c.Dimension != "running" {
			goroutines += c.Count
		}
	}
	if goroutines > 0 {
		parts = append(parts, Plural(int(goroutines), "goroutine")+" waiting")
	}
	return strings.Join(parts, ", ")
}

// PanicSumWords sum panics up.
func PanicSumWords(s *report.PanicSum) string {
	return fmt.Sprintf("%s by %s, %d in changed functions, %s ended a process",
		Plural(int(s.Count), "panic"), Plural(s.Causes, "root cause"), s.Changed, plain(s.Ended))
}

func plain(n uint64) string {
	if n == 0 {
		return "none"
	}
	return fmt.Sprint(n)
}
