//go:build go1.21

package goatrt

import (
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"
)

// Identity says what a binary is: the first entry of its table.
type Identity struct {
	Goat, App, Version, Component                       string
	Base, BaseCommit, Release, ReleaseCommit            string
	Dirty, ContentHash, Plan, Granularity, Mode, Module string
	Precision                                           string
	GOOS, GOARCH, Tags, Cgo, GoVersion                  string // of the build; empty where it is not known
	Plain                                               string // packages with changes and no points in the program
	Instance                                            string // random, one per Start
	Lane                                                string // GOAT_LANE: the gray lane of the process
}

// maxLane bounds the name of a lane, in bytes.
const maxLane = 128

// maxPoints bounds the memory that a broken table can make us ask for.
const maxPoints = 1 << 24

// Component is one tracked binary: an executable, or a plugin beside its host.
type Component struct {
	id       int
	identity Identity
	info     string // the identity as the table spells it
	packages []tracked
	total    int
	table    *Entry          // the first entry of the table it was made from
	started  int64           // wall clock, microseconds
	records  []atomic.Uint64 // one per point and phase: see record.go
	window   time.Duration   // 0: last hits are not looked for
	last     []atomic.Int64  // last hits, to one window; nil without windows
	moved    []atomic.Bool   // pages of last hits and counts that the file has older
	counts   *stripes        // nil unless some point counts every hit
	prompt   bool            // counts go into the file as they grow: nothing of ours runs at the end
	spool    atomic.Pointer[spool]
	trouble  string // why there is no spool
	pruned   atomic.Bool
}

// tracked is one package of a component.
type tracked struct {
	path     string
	meta     string
	counters []uint32
	hook     *func(*uint32)
	first    int     // index of its first point in the component
	silent   []int32 // its points that do not call the hook at their first hit
}

// span is the address range of one package's counters.
type span struct {
	low, high uintptr
	component *Component
	first     int
}

// newComponent reads the table; nil when it holds no identity.
func newComponent(table []Entry) *Component {
	if table[0].Pkg != "" || table[0].Meta == "" {
		return nil
	}
	c := &Component{table: &table[0], started: wallMicros(), info: table[0].Meta}
	c.identity = parseIdentity(c.info)
	c.identity.Instance = randomHex()
	c.identity.Lane = laneName(env("GOAT_LANE"))
	c.window = windowOf(c.identity.Mode)
	counting := false
	for _, entry := range table[1:] {
		p, ok := readPackage(entry, c.total)
		if !ok || c.total+len(p.counters) > maxPoints {
			p = tracked{path: entry.Pkg}
		}
		c.total += len(p.counters)
		c.packages = append(c.packages, p)
		counting = counting || strings.Contains(p.meta, "\tcount\t")
	}
	c.records = make([]atomic.Uint64, c.total*phases)
	c.moved = make([]atomic.Bool, (c.total+slotsPerPage-1)/slotsPerPage)
	if c.window > 0 {
		c.last = make([]atomic.Int64, c.total)
	}
	if counting {
		c.counts = newStripes(c.total)
	}
	return c
}

// laneName keeps a lane's name to what a label may be.
func laneName(name string) string {
	name = strings.ToValidUTF8(strings.TrimSpace(name), "\ufffd")
	if len(name) > maxLane {
		name = strings.ToValidUTF8(name[:maxLane], "")
	}
	return name
}

// readPackage trusts an entry only when its accessor and its points agree;
// otherwise the package is shown as degraded.
func readPackage(entry Entry, first int) (p tracked, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	if entry.Acc == nil {
		return p, false
	}
	counters, n, hook := entry.Acc()
	if n <= 0 || n > maxPoints || counters == nil || hook == nil || n != countLines(entry.Meta) {
		return p, false
	}
	return tracked{entry.Pkg, entry.Meta, unsafe.Slice(counters, n), hook, first, silentPoints(entry.Meta)}, true
}

// silentPoints lists the points that only a scan can find.
func silentPoints(meta string) []int32 {
	var list []int32
	for i := int32(0); meta != ""; i++ {
		var line string
		line, meta, _ = strings.Cut(meta, "\n")
		if strings.Contains(line, "\tstore\t") {
			list = append(list, i)
		}
	}
	return list
}

// countLines counts lines, the last of which may lack its newline.
func countLines(text string) int {
	n := strings.Count(text, "\n")
	if text != "" && !strings.HasSuffix(text, "\n") {
		n++
	}
	return n
}

// parseIdentity reads the key=value lines of the table's first entry.
func parseIdentity(text string) Identity {
	var id Identity
	fields := map[string]*string{
		"goat": &id.Goat, "app": &id.App, "version": &id.Version, "component": &id.Component,
		"base": &id.Base, "baseCommit": &id.BaseCommit, "release": &id.Release,
		"releaseCommit": &id.ReleaseCommit, "dirty": &id.Dirty, "contentHash": &id.ContentHash,
		"plan": &id.Plan, "granularity": &id.Granularity, "precision": &id.Precision,
		"mode": &id.Mode, "module": &id.Module,
		"goos": &id.GOOS, "goarch": &id.GOARCH, "tags": &id.Tags, "cgo": &id.Cgo, "goVersion": &id.GoVersion,
		"plain": &id.Plain,
	}
	for _, line := range strings.Split(text, "\n") {
		key, quoted, _ := strings.Cut(line, "=")
		if field := fields[key]; field != nil {
			*field = unquote(quoted)
		}
	}
	return id
}

// unquote undoes strconv.Quote and takes anything else as it is.
func unquote(text string) string {
	if value, err := strconv.Unquote(text); err == nil {
		return value
	}
	return text
}

// spans lists the address ranges of c's counters.
func (c *Component) spans() []span {
	var spans []span
	for _, p := range c.packages {
		if len(p.counters) > 0 {
			low := uintptr(unsafe.Pointer(&p.counters[0]))
			spans = append(spans, span{low, low + uintptr(4*len(p.counters)), c, p.first})
		}
	}
	return spans
}

// sortedSpans orders spans for find, by Shell's method: package sort is more
// than a program may already link.
func sortedSpans(spans []span) []span {
	for gap := len(spans) / 2; gap > 0; gap /= 2 {
		for i := gap; i < len(spans); i++ {
			for j := i; j >= gap && spans[j].low < spans[j-gap].low; j -= gap {
				spans[j], spans[j-gap] = spans[j-gap], spans[j]
			}
		}
	}
	return spans
}

// find returns the spans that an address lies in: one, or two where a plugin
// shares a package with its host.
func (r *registry) find(address uintptr) []span {
	low, high := 0, len(r.spans)
	for low < high {
		if middle := int(uint(low+high) >> 1); r.spans[middle].high <= address {
			low = middle + 1
		} else {
			high = middle
		}
	}
	end := low
	for end < len(r.spans) && r.spans[end].low <= address {
		end++
	}
	return r.spans[low:end]
}

// hook lets the packages call us at an exact hit. The function has no captured
// variables: the word that is stored points into read-only data, so that a
// goroutine that is running already sees all of it or nothing.
//
//go:norace
func (c *Component) hook() {
	for _, p := range c.packages {
		if p.hook != nil {
			*p.hook = hit
		}
	}
}
