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
const PanicsMarker = "panics3"

// panicAnchor is the line in gopanic before which a panic is told: behind the checks that
// end the process at once, and before the first deferred function. It is there once in
// Go 1.21 to 1.27; where it is not, the runtime is compiled as it is.
const panicAnchor = "\n\tvar p _panic\n\tp.arg = e\n"

// panicCall stands on the anchor's line, so that no line moves. The hook is a variable of
// the runtime's: nil until goat's package is linked in, also while others initialise.
const panicCall = "\n\tif told := goatPanic; told != nil { goatTell(told, e, gp, false) }; var p _panic\n\tp.arg = e\n"

// endAnchor is where no deferred function is left and the panic will end the process, of
// which it is told while code can still run. It is there once, too; where it is not, only
// the beginnings of panics are told.
const (
	endAnchor = "\n\tpreprintpanics("
	endCall   = "\n\tif told := goatPanic; told != nil { goatTell(told, e, gp, true) }; preprintpanics("
)

// panicFunctions tell goat's package of a panic. What is on record already it knows by its
// path, made of the value's type and the return addresses on the stack: following frame
// pointers takes nanoseconds where runtime.Callers takes microseconds. A frame pointer is
// only followed upwards and within the goroutine's stack, as code in assembly need not keep
// it; where there is none (getfp) the path is 0. A nil has no type: under
// GODEBUG=panicnil=1 it stays one.
const panicFunctions = `
//go:linkname goatPanic ` + hook.PanicSymbol + `
var goatPanic func(v any, typ string, goid, parent uint64, gopc, path uintptr, ends bool)
//go:linkname goatPanicSeen ` + hook.PanicSeenSymbol + `
var goatPanicSeen func(path uintptr, ticks int64) bool
func goatTell(told func(v any, typ string, goid, parent uint64, gopc, path uintptr, ends bool), e any, gp *g, ends bool) {
	path := uintptr(0)
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
		if !ends && goatPanicSeen(path, cputicks()) { return }
	}
	typ := "nil"
	if e != nil { typ = toRType(efaceOf(&e)._type).string() }
	told(e, typ, gp.goid, gp.parentGoid, gp.gopc, path, ends)
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
	if at < 0 || bytes.Count(text, []byte(panicAnchor)) != 1 {
		return false, nil
	}
	hooked := strings.Replace(string(text), panicAnchor, panicCall, 1) + panicFunctions
	if strings.Count(hooked, endAnchor) == 1 {
		hooked = strings.Replace(hooked, endAnchor, endCall, 1)
	}
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
