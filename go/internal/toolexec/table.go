package toolexec

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/goat-trace/goat/go/internal/hook"
)

// exitHookPackage is Go's own registry of functions to run at exit.
const exitHookPackage = "internal/runtime/exithook"

// addTable compiles the table and links a copy of main's archive that holds it.
func (l *linking) addTable(cfg string) error {
	rows, err := l.entries()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(l.dir, 0o777); err != nil {
		return err
	}
	if err := l.addRuntime(cfg); err != nil {
		return err
	}
	l.mainText, l.redirected = l.redirect()
	object, err := l.compileTable(l.tableSource(rows))
	if err != nil {
		return err
	}
	copied := filepath.Join(l.dir, filepath.Base(l.main))
	if err := writeFile(copied, appendMember(l.mainText, "goat.o", object)); err != nil {
		return err
	}
	l.args[len(l.args)-1] = copied
	return nil
}

// exitHook returns the archive of Go's exit hooks, if the program has it and the
// hook file asks for it.
func (l *linking) exitHook() string {
	if !l.exit {
		return ""
	}
	return l.archives[exitHookPackage]
}

// tableSource is the Go text of the table.
func (l *linking) tableSource(rows []entry) string {
	var b strings.Builder
	b.WriteString("package tab\n\nimport \"unsafe\"\n")
	if l.exitHook() != "" {
		fmt.Fprintf(&b, "import \"%s\"\n", exitHookPackage)
	}
	if l.start != "" {
		fmt.Fprintf(&b, "import rt \"%s\"\n", l.start)
		if core := l.runtime[0]; core != l.start {
			fmt.Fprintf(&b, "import core \"%s\"\n", core)
		}
		if l.hooked {
			fmt.Fprintf(&b, "import panics \"%s/%s\"\n", l.runtime[0], hook.PanicsDir)
		}
		if l.profiled != "" {
			fmt.Fprintf(&b, "import profiles \"%s\"\n", l.profiled)
		}
	}
	fmt.Fprintf(&b, "\n//go:linkname t0 %s\nvar t0 = %s{\n", hook.TableSymbol(l.key), hook.TableType)
	for i, row := range rows {
		acc := "nil"
		if row.acc != "" {
			acc = fmt.Sprintf("row%d", i)
		}
		fmt.Fprintf(&b, "\t{%s, %s, %s},\n", strconv.Quote(row.pkg), acc, strconv.Quote(row.meta))
	}
	b.WriteString("}\n\nvar _ unsafe.Pointer\n")
	rowSource(&b, rows)
	if l.exitHook() != "" {
		fmt.Fprintf(&b, "\n//go:linkname e0 %s\nvar e0 = func(f func()) { exithook.Add(exithook.Hook{F: f, RunOnFailure: true}) }\n", hook.ExitSymbol(l.key))
	}
	if l.redirected {
		fmt.Fprintf(&b, "\n//go:linkname c0 %s\nfunc c0(bool) {}\n", l.ownCoverHook())
	}
	l.startSource(&b)
	l.panicsSource(&b)
	l.earlySource(&b, rows)
	return b.String()
}

// earlySource has the packages call the runtime from the first instruction on: where it
// is ours to add, their variable is made to hold a function of the table's object. This
// overrides the variable's own definition, which has no content. So what runs while
// packages initialise, before the hook file starts the runtime, is recorded too.
func (l *linking) earlySource(b *strings.Builder, rows []entry) {
	if l.start == "" {
		return
	}
	core, exit := "rt", "nil"
	if l.runtime[0] != l.start {
		core = "core"
	}
	if l.exitHook() != "" {
		exit = "e0"
	}
	fmt.Fprintf(b, "\nfunc h0(counter *uint32) { %s.Early(t0, %s, counter) }\n", core, exit)
	declared := map[string]bool{}
	for i, row := range rows {
		if row.hook != "" && !declared[row.hook] {
			declared[row.hook] = true
			fmt.Fprintf(b, "\n//go:linkname f%d %s\nvar f%d = h0\n", i, row.hook, i)
		}
	}
}

// rowSource writes the functions that the rows name: each package's accessor, or one
// that gives a part of its counters.
func rowSource(b *strings.Builder, rows []entry) {
	const signature = "() (*uint32, int, *func(*uint32))"
	declared := map[string]string{}
	for i, row := range rows {
		if row.acc == "" {
			continue
		}
		name := declared[row.acc]
		if name == "" {
			name = fmt.Sprintf("acc%d", i)
			if row.whole {
				name = fmt.Sprintf("row%d", i)
			}
			declared[row.acc] = name
			fmt.Fprintf(b, "\n//go:linkname %s %s\nfunc %s%s\n", name, row.acc, name, signature)
		}
		if !row.whole {
			fmt.Fprintf(b, "\nfunc row%d%s {\n\tfirst, _, hook := %s()\n\treturn (*uint32)(unsafe.Add(unsafe.Pointer(first), %d)), %d, hook\n}\n",
				i, signature, name, 4*row.part.first, row.part.end-row.part.first)
		}
	}
}

// compileTable compiles the table with the compiler beside the linker and returns
// the object, its fingerprint cleared: the linker then checks it against nothing,
// as it does for assembler objects.
func (l *linking) compileTable(source string) ([]byte, error) {
	base := filepath.Join(l.dir, "tab")
	src, out, cfg := base+".go", base+".a", base+".cfg"
	imports := ""
	if file := l.exitHook(); file != "" {
		imports = packageLine(exitHookPackage, file)
	}
	for _, path := range l.runtime {
		imports += packageLine(path, l.archives[path])
	}
	if err := errors.Join(writeFile(src, []byte(source)), writeFile(cfg, []byte(imports))); err != nil {
		return nil, err
	}
	args := []string{
		"-o", out, "-trimpath", src + "=>/goat/tab.go", "-importcfg", cfg, "-p", "goat/t" + l.key,
		"-complete", "-nolocalimports", "-dwarf=false", "-pack",
	}
	args = append(append(args, l.codeFlags()...), src)
	if err := l.compileWith("the table of points", args); err != nil {
		return nil, err
	}
	archive, err := os.ReadFile(out)
	if err != nil {
		return nil, err
	}
	return unsigned(member(archive, "_go_.o"))
}

// compiler is the compiler beside the linker.
func (l *linking) compiler() string {
	return filepath.Join(filepath.Dir(l.tool), "compile"+filepath.Ext(l.tool))
}

// compileWith runs the compiler on something of goat's own.
func (l *linking) compileWith(what string, args []string) error {
	// Little is compiled and the process ends soon: collecting its garbage would only
	// cost time.
	env := append(os.Environ(), "GOGC=400")
	code, text, err := l.captured(append([]string{l.compiler()}, args...), env, 1, true)
	if err == nil && code != 0 {
		return &problem{what: what + " does not compile: " + strings.TrimSpace(string(text)), hint: "build without goat (`go build`) and report this"}
	}
	return err
}

func packageLine(path, file string) string { return "packagefile " + path + "=" + file + "\n" }

// codeFlags are the flags that say how the build's other objects are compiled.
func (l *linking) codeFlags() []string {
	if _, goarch := l.target(); goarch == "wasm" {
		// Its libraries are ordinary code.
		return nil
	}
	switch l.mode {
	case "pie", "c-shared", "c-archive":
		return []string{"-shared"}
	case "plugin":
		return []string{"-dynlink"}
	}
	return nil
}

const (
	archiveMagic = "!<arch>\n"
	headerSize   = 60
	objectMagic  = "\x00go120ld"
)

// member returns the content of an archive's member.
func member(archive []byte, name string) []byte {
	for at := len(archiveMagic); at+headerSize <= len(archive); {
		header := archive[at : at+headerSize]
		size, err := strconv.Atoi(strings.TrimSpace(string(header[48:58])))
		if err != nil || at+headerSize+size > len(archive) {
			return nil
		}
		if strings.TrimRight(string(header[:16]), " /") == name {
			return archive[at+headerSize : at+headerSize+size]
		}
		at += headerSize + size + size%2
	}
	return nil
}

// unsigned clears the fingerprint, the eight bytes after the object's magic.
func unsigned(object []byte) ([]byte, error) {
	at := bytes.Index(object, []byte(objectMagic))
	if at < 0 || at+len(objectMagic)+8 > len(object) {
		return nil, errors.New("the table of points compiled to an unknown object format")
	}
	object = bytes.Clone(object)
	clear(object[at+len(objectMagic):][:8])
	return object, nil
}

// appendMember returns a copy of an archive with one more member.
func appendMember(archive []byte, name string, content []byte) []byte {
	out := make([]byte, 0, len(archive)+headerSize+len(content)+2)
	out = append(out, archive...)
	if len(out)%2 == 1 {
		out = append(out, 0)
	}
	out = fmt.Appendf(out, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", name, 0, 0, 0, 0o644, len(content))
	out = append(out, content...)
	if len(out)%2 == 1 {
		out = append(out, 0)
	}
	return out
}
