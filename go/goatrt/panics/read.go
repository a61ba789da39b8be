//go:build go1.21

package panics

import (
	"runtime"
	"strconv"
	"strings"
	"time"

	goatrt "github.com/goat-trace/goat/go/goatrt"
)

// settled is how long ago a panic was when it is certain that it was recovered: a process
// does not outlive one that was not by as much.
const settled = time.Second

type frame struct {
	function, file string
	line           int
}

// panicked is what is known of one root cause.
type panicked struct {
	key, typ, message, class string
	counts                   [3]uint64
	first, last              int64
	goroutine, parent        uint64
	creator                  frame
	chain                    []string
	frames                   []frame
	place                    frame
	file                     string // of the place, as metrics have it
	changed                  bool
	ended                    bool // one of them ended the process
}

// kind is a slot that is ready, with what it says.
type kind struct {
	*slot
	*words
}

func (p *panicked) count() uint64 { return p.counts[0] + p.counts[1] + p.counts[2] }

// recovered is no where one of them ended the process, yes where the process has lived on
// for long enough, by the wall clock.
func (p *panicked) recovered(now int64) string {
	if p.ended {
		return "no"
	}
	if now-p.last > settled.Microseconds() {
		return "yes"
	}
	return "unknown"
}

// snapshot returns what was recorded, by root cause: panics that passed on another one
// are steps of its chain and count no more.
func snapshot() []*panicked {
	rules := rulesOf()
	var list []*panicked
	byKey := map[string]*panicked{}
	var later []kind
	for i := range slots {
		if slots[i].ready.Load() == 0 {
			continue
		}
		s := kind{&slots[i], said[i].Load()}
		if len(origin(framesOf(s.pcs()))) > 0 && passesOn(s) {
			later = append(later, s)
			continue
		}
		list = rules.add(list, byKey, s)
	}
	for _, s := range later {
		list = rules.pass(list, byKey, s)
	}
	return list
}

// passesOn reports whether a panic began while another one was on its stack.
func passesOn(s kind) bool {
	for _, f := range framesOf(s.pcs()) {
		if f.function == "runtime.gopanic" {
			return true
		}
	}
	return false
}

// origin is the stack of the first panic of a chain.
func origin(frames []frame) []frame {
	for i := len(frames) - 1; i >= 0; i-- {
		if frames[i].function == "runtime.gopanic" {
			return frames[i+1:]
		}
	}
	return frames
}

func framesOf(pcs []uintptr) []frame {
	var frames []frame
	if len(pcs) == 0 {
		return nil
	}
	walk := runtime.CallersFrames(pcs)
	for {
		f, more := walk.Next()
		if f.PC != 0 {
			frames = append(frames, frame{f.Function, f.File, f.Line})
		}
		if !more {
			return frames
		}
	}
}

func (r *rules) add(list []*panicked, byKey map[string]*panicked, s kind) []*panicked {
	frames := framesOf(s.pcs())
	place := r.place(frames)
	key := keyOf(canonical(s.typ), place)
	p := byKey[key]
	if p == nil {
		p = &panicked{
			key: key, typ: canonical(s.typ), message: s.message, class: classOf(s.typ, s.message, frames),
			first: s.first, goroutine: s.goroutine, parent: s.parent, frames: frames, place: place, file: r.label(place),
			changed: r.changed(frames),
		}
		if s.creator != 0 {
			started := framesOf([]uintptr{s.creator + 1})
			// The main goroutine is the runtime's.
			if len(started) > 0 && !strings.HasPrefix(started[0].function, "runtime.") {
				p.creator = started[0]
			}
		}
		byKey[key] = p
		list = append(list, p)
	}
	counts, last := s.counted()
	for i, n := range counts {
		p.counts[i] += n
	}
	p.first, p.last = min(p.first, s.first), max(p.last, last)
	p.ended = p.ended || s.ended.Load()
	return list
}

// pass makes a panic a step of the one that it passed on; where that is not on record it
// stands for itself.
func (r *rules) pass(list []*panicked, byKey map[string]*panicked, s kind) []*panicked {
	place := r.place(origin(framesOf(s.pcs())))
	for _, p := range list {
		if p.place == place {
			p.ended = p.ended || s.ended.Load()
			step := s.message
			if step == "" {
				step = s.typ
			}
			if len(p.chain) < 8 && (len(p.chain) == 0 || p.chain[len(p.chain)-1] != step) {
				p.chain = append(p.chain, step)
			}
			return list
		}
	}
	return r.add(list, byKey, s)
}

// rules tell the user's code apart and know the changed functions.
type rules struct {
	module string
	// functions are the changed ones: package and declaration.
	functions map[string]bool
	files     map[string]bool // of changed main packages
}

func rulesOf() *rules {
	r := &rules{functions: map[string]bool{}, files: map[string]bool{}}
	for _, c := range goatrt.Tracked() {
		if id := c.Identity(); r.module == "" {
			r.module = id.Module
		}
		for _, p := range c.Points() {
			r.functions[p.Package+"."+p.Func] = true
			r.functions["main "+p.File+" "+p.Func] = true
		}
	}
	return r
}

// changed reports whether one of the frames is in a changed function.
func (r *rules) changed(frames []frame) bool {
	for _, f := range frames {
		pkg, name := goatrt.SplitFunction(f.function)
		name = declaration(name)
		if r.functions[pkg+"."+name] || pkg == "main" && r.inMain(f.file, name) != "" {
			return true
		}
	}
	return false
}

// inMain is the file, as the plan calls it, of a changed function of a main package; empty
// where it is none.
func (r *rules) inMain(file, name string) string {
	for at := 0; ; {
		if r.functions["main "+file[at:]+" "+name] {
			return file[at:]
		}
		next := strings.IndexByte(file[at:], '/')
		if next < 0 {
			return ""
		}
		at += next + 1
	}
}

// label is the file of a place without the folders of whoever built the program. Of a
// main package, whose path no stack tells, it is the plan's.
func (r *rules) label(f frame) string {
	if pkg, name := goatrt.SplitFunction(f.function); pkg == "main" {
		if known := r.inMain(f.file, declaration(name)); known != "" {
			return known
		}
	}
	return f.file[strings.LastIndexAny(f.file, `/\`)+1:]
}

// declaration is the function around a closure, without type arguments.
func declaration(name string) string {
	if at := strings.IndexByte(name, '['); at >= 0 {
		if end := strings.LastIndexByte(name, ']'); end > at {
			name = name[:at] + name[end+1:]
		}
	}
	start := 0
	if strings.HasPrefix(name, "(") {
		start = strings.Index(name, ").") + 2
	}
	if end := strings.IndexByte(name[start:], '.'); end >= 0 {
		if rest := name[start+end+1:]; strings.HasPrefix(rest, "func") || strings.HasPrefix(rest, "gowrap") || strings.HasPrefix(rest, "deferwrap") {
			name = name[:start+end]
		}
	}
	return strings.TrimSuffix(name, "-fm")
}

// place is the first frame of the user's code: of the module where there is any, then
// what lies in no module cache, then a dependency, then what is not the runtime's. It is
// the rule of goat panics.
func (r *rules) place(frames []frame) frame {
	best, found := 3, frame{}
	for _, f := range frames {
		if rank := r.rank(f); rank < best {
			best, found = rank, f
		}
	}
	if best < 3 {
		return found
	}
	for _, f := range frames {
		if pkg, _ := goatrt.SplitFunction(f.function); pkg != "" && pkg != "runtime" && pkg != "internal/runtime/maps" {
			return f
		}
	}
	return frame{}
}

func (r *rules) rank(f frame) int {
	pkg, name := goatrt.SplitFunction(f.function)
	made := strings.HasSuffix(f.file, "<autogenerated>") || strings.HasSuffix(f.file, "_testmain.go")
	wrapper := strings.Contains(name, ".gowrap") || strings.Contains(name, ".deferwrap") || strings.Contains(name, "_Cfunc_")
	if made || wrapper || f.line == 0 || isStandard(pkg, f.file) {
		return 3
	}
	switch {
	case pkg == "main" || r.module != "" && (pkg == r.module || strings.HasPrefix(pkg, r.module+"/")):
		return 0
	case strings.Contains(f.file, "/vendor/") || inCache(f.file):
		return 2
	}
	return 1
}

func inCache(file string) bool {
	for rest := file; ; {
		at := strings.Index(rest, "@v")
		if at < 0 {
			return false
		}
		if rest = rest[at+2:]; rest != "" && rest[0] >= '0' && rest[0] <= '9' {
			return true
		}
	}
}

// isStandard reports whether a package is of the Go distribution. A module may be called
// as a folder of it; its files do not lie in a folder of that path.
func isStandard(pkg, file string) bool {
	if pkg == "" || pkg == "runtime" {
		return true
	}
	if !goatrt.HasStandardName(pkg) {
		return false
	}
	folder := file[:max(strings.LastIndexAny(file, `/\`), 0)]
	folder = strings.ReplaceAll(folder, `\`, "/")
	for _, path := range [...]string{pkg, "runtime"} {
		if folder == path || strings.HasSuffix(folder, "/"+path) {
			return true
		}
	}
	return folder == ""
}

// keyOf is the key of goat panics (rust/diag/src/panics/group.rs).
func keyOf(typ string, place frame) string {
	hash := uint64(0xcbf29ce484222325)
	part := func(text string) {
		for i := 0; i < len(text); i++ {
			hash = (hash ^ uint64(text[i])) * 0x100000001b3
		}
		hash *= 0x100000001b3
	}
	part("panic")
	pkg, _ := goatrt.SplitFunction(place.function)
	base := place.file[strings.LastIndexAny(place.file, `/\`)+1:]
	part(typ)
	part(pkg)
	part(base + ":" + strconv.Itoa(place.line))
	const digits = "0123456789abcdefghijklmnopqrstuv"
	var text [13]byte
	for i := range text {
		if i == 12 {
			text[i] = digits[hash<<1&31]
			break
		}
		text[i] = digits[hash>>(59-5*i)&31]
	}
	return "p1" + string(text[:])
}

func canonical(typ string) string {
	if typ == "runtime.errorAddressString" || typ == "runtime.runtimeError" {
		return "runtime.errorString"
	}
	return typ
}

// flows are packages that recover panics of their own, with the types that they throw
// where they also throw others.
var flows = map[string]string{
	"compress/bzip2": "", "encoding/gob": "gob.gobError", "encoding/json": "json.jsonError json.decodeError",
	"fmt": "fmt.scanError", "go/parser": "parser.bailout", "go/types": "", "go/printer": "", "html/template": "",
	"internal/zstd": "", "log/slog": "", "math/big": "big.ErrNaN", "net/http": "http.http2goAwayFlowError",
	"regexp/syntax": "", "text/tabwriter": "tabwriter.osError", "text/template": "", "text/template/parse": "",
}

// classOf tells defects from how the standard library returns from its own recursion, and
// from a handler that drops its request.
func classOf(typ, message string, frames []frame) string {
	if message == "net/http: abort Handler" {
		return "abort"
	}
	if strings.Contains(typ, "runtime.") {
		return "defect"
	}
	for _, f := range frames {
		pkg, name := goatrt.SplitFunction(f.function)
		if pkg == "" || pkg == "runtime" || pkg == "internal/runtime/maps" {
			continue
		}
		types, known := flows[pkg]
		if known && !strings.HasPrefix(name, "Must") && isStandard(pkg, f.file) && (types == "" || strings.Contains(types, typ)) {
			return "flow"
		}
		break
	}
	return "defect"
}

func boolText(v bool) string { return strconv.FormatBool(v) }

func number(v int64) string { return strconv.FormatInt(v, 10) }
