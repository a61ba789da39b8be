package toolexec

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go/internal/hook"
)

// PanicsMarker marks package runtime in a build that records panics. It is all that the
// change in the runtime depends on besides the runtime: what is compiled under it is kept
// in go's cache beside the plain one.
const PanicsMarker = "panics4"

// anchor is a text of panic.go that is there once, and what takes its place: the same with
// a call on one of its lines, so that no line moves.
type anchor struct{ text, hooked string }

// panicAnchors are where a panic is told: behind the checks that end the process at once,
// before the first deferred function. The first that is there is taken; where there is
// none, the runtime is compiled as it is. Since Go 1.22 that is not in gopanic: who
// recovers goes through its frame, whose code and tables stay what they were. The number is
// that of the runtime's frames which tell.
var panicAnchors = []anchor{
	{"\n\tp.link = gp._panic\n\tgp._panic = (*_panic)(noescape(unsafe.Pointer(p)))\n\n\t// Initialize",
		"\n\tif goatPanic != nil { goatTell(p, 3, false) }; p.link = gp._panic\n\tgp._panic = (*_panic)(noescape(unsafe.Pointer(p)))\n\n\t// Initialize"},
	{"\n\tvar p _panic\n\tp.arg = e\n\tp.link = gp._panic\n",
		"\n\tvar p _panic\n\tp.arg = e\n\tif goatPanic != nil { goatTell(&p, 2, false) }; p.link = gp._panic\n"},
}

// endAnchor is where no deferred function is left and the panic will end the process, of
// which it is told while code can still run. Where it is not there, only the beginnings of
// panics are told.
var endAnchor = anchor{"\n\tpreprintpanics(", "\n\tif goatPanic != nil { goatTell(&p, 2, true) }; preprintpanics("}

// put puts the call into a text, where the anchor is there once.
func (a anchor) put(text string) (string, bool) {
	if strings.Count(text, a.text) != 1 {
		return text, false
	}
	return strings.Replace(text, a.text, a.hooked, 1), true
}

// panicFunctions tell goat's package of a panic. The hook is a variable of the runtime's:
// nil until that package is linked in, also while others initialise. What is on record
// already it knows by its path, made of the value's type and the return addresses on the
// stack: following frame pointers takes nanoseconds where runtime.Callers takes
// microseconds. A frame pointer is only followed upwards and within the goroutine's stack,
// as code in assembly need not keep it; where there is none (getfp) the path is 0. Each of
// sixteen processors has paths of its own, and its turn ends when it takes another goroutine
// or enters the system. A nil has no type: under GODEBUG=panicnil=1 it stays one. Goexit is
// no panic.
const panicFunctions = `
//go:linkname goatPanic ` + hook.PanicSymbol + `
var goatPanic func(v any, typ string, goid, parent uint64, gopc, path uintptr, turn uint32, own int, ends bool)
//go:linkname goatPanicSeen ` + hook.PanicSeenSymbol + `
var goatPanicSeen func(path uintptr, turn uint32) bool
func goatTell(p *_panic, own int, ends bool) {
	told, gp, e, path, turn := goatPanic, getg(), p.arg, uintptr(0), uint32(0)
	if told == nil || p.goexit { return }
	const word = unsafe.Sizeof(path)
	fp := getfp()
	for n := 0; n < 64 && gp.stack.lo <= fp && fp <= gp.stack.hi-2*word; n++ {
		path = path*0x9E3779B1 + *(*uintptr)(unsafe.Pointer(fp + word))
		next := *(*uintptr)(unsafe.Pointer(fp))
		if next <= fp { break }
		fp = next
	}
	if path != 0 {
		path = path*0x9E3779B1 + uintptr(unsafe.Pointer(efaceOf(&e)._type))
		if pp := gp.m.p.ptr(); pp != nil {
			path += uintptr(pp.id&15) * 0x85EBCA6B
			turn = pp.schedtick + pp.syscalltick<<16
		}
		if !ends && goatPanicSeen(path, turn) { return }
	}
	typ := "nil"
	if e != nil { typ = toRType(efaceOf(&e)._type).string() }
	told(e, typ, gp.goid, gp.parentGoid, gp.gopc, path, turn, own, ends)
}
`

// crashVariable is there since Go 1.23; crashFunction sets the second output of a crash
// unless the program has set it. When it does so later, its own takes the place.
const (
	crashVariable = "\nvar crashFD atomic.Uintptr\n"
	crashFunction = "\n//go:linkname goatSetCrash " + hook.CrashSymbol + "\nfunc goatSetCrash(fd uintptr) bool { return crashFD.CompareAndSwap(^uintptr(0), fd) }\n"
)

// compilePanics compiles package runtime with a call in gopanic. What cannot be changed,
// or does not compile then, is compiled as it is: the program is built in any case, and
// the link step says that panics are not recorded.
func (h *helper) compilePanics(args []string) (int, error) {
	plain := slices.Clone(args)
	first := sources(args)
	changed, err := hookPanics(args, first)
	if err != nil {
		return 0, err
	}
	if !changed {
		return h.exec(plain)
	}
	code, out, err := h.capture(args)
	if err != nil || code < 0 {
		return 1, err
	}
	if code != 0 {
		return h.exec(plain)
	}
	_, err = os.Stderr.Write(out)
	return code, err
}

// hookPanics puts a changed copy of panic.go into the arguments, and says by -trimpath
// that it is the original.
func hookPanics(args []string, first int) (bool, error) {
	at, crash := -1, false
	var text []byte
	for i := first; i < len(args); i++ {
		name := filepath.Base(args[i])
		if name != "panic.go" && name != "runtime.go" {
			continue
		}
		data, err := os.ReadFile(args[i])
		if err != nil {
			return false, err
		}
		if name == "panic.go" {
			at, text = i, data
		}
		crash = crash || bytes.Contains(data, []byte(crashVariable))
	}
	if at < 0 {
		return false, nil
	}
	hooked, found := string(text), false
	for _, a := range panicAnchors {
		if hooked, found = a.put(hooked); found {
			break
		}
	}
	if !found {
		return false, nil
	}
	hooked, _ = endAnchor.put(hooked)
	hooked += panicFunctions
	if crash {
		hooked += crashFunction
	}
	dir := filepath.Join(filepath.Dir(get(args, "o")), "goat")
	copied := filepath.Join(dir, "panic.go")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return false, err
	}
	if err := writeFile(copied, []byte(hooked)); err != nil {
		return false, err
	}
	rules := get(args[:first], "trimpath")
	if rules == "" {
		return false, nil
	}
	set(args[:first], "trimpath", copied+"=>"+rewrite(args[at], rules)+";"+rules)
	args[at] = copied
	return true, nil
}

// panicsSource has the runtime's variable hold the function of goat's that records, from
// the first instruction on.
func (l *linking) panicsSource(b *strings.Builder) {
	if !l.hooked {
		return
	}
	crash := "nil"
	if l.setsCrash {
		crash = "cf"
		b.WriteString("\n//go:linkname cf " + hook.CrashSymbol + "\nfunc cf(uintptr) bool\n")
	}
	b.WriteString("\n//go:linkname p0 " + hook.PanicSymbol + "\nvar p0 = panics.Hook\n")
	b.WriteString("\n//go:linkname p1 " + hook.PanicSeenSymbol + "\nvar p1 = panics.Seen\n")
	// Where goat keeps out of the process nobody is told. The other one stays: a panic may
	// be about to ask it.
	b.WriteString("\nfunc installPanics(tracking bool) {\nif !tracking { p0 = nil }\npanics.Install(tracking, " + crash + ")\n}\n")
}

// findPanics looks into package runtime for the variable, where the build wants it.
func (l *linking) findPanics() error {
	file := l.archives["runtime"]
	if !l.panics || file == "" || l.mode == "plugin" {
		// A plugin shares its host's runtime.
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	l.hooked = bytes.Contains(text, []byte(hook.PanicSymbol))
	l.setsCrash = l.hooked && bytes.Contains(text, []byte(hook.CrashSymbol))
	return nil
}
