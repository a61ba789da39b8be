package compat

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/lab/script"
	"github.com/goat-trace/goat/go/internal/spool"
)

func (b *bench) commands() map[string]script.Command {
	return map[string]script.Command{
		"alike":    cmdAlike,
		"both":     b.cmdBoth,
		"carries":  cmdCarries,
		"compiled": cmdCompiled,
		"hits":     cmdHits,
		"lines":    cmdLines,
		"memory":   cmdMemory,
		"pgo":      cmdPGO,
		"repo":     cmdRepo,
		"same":     b.cmdSame,
		"warm":     b.cmdWarm,
	}
}

// changed ends a line that the release has and the base has not.
const changed = "//+"

// What the scripts make is no part of the release, but a new Go file would be.
const excluded = "*\n!*/\n!*.go\n/.home/\n/.bin/\n/.tmp/\n/.spool/\n"

// repo [-dirty] [DIR]: a repository of what is there. Its base is the same without
// the lines that end in `//+`; the release is committed, with -dirty only lies there.
func cmdRepo(ts *testscript.TestScript, neg bool, args []string) {
	dirty := len(args) > 0 && args[0] == "-dirty"
	if dirty {
		args = args[1:]
	}
	if neg || len(args) > 1 {
		ts.Fatalf("usage: repo [-dirty] [dir]")
	}
	dir := ts.MkAbs(strings.Join(args, ""))
	git := func(words ...string) { ts.Check(ts.Exec("git", append([]string{"-C", dir}, words...)...)) }
	git("init", "--quiet", "--initial-branch=main")
	exclude := filepath.Join(dir, ".git", "info", "exclude")
	ts.Check(os.WriteFile(exclude, []byte("/.home/\n/.bin/\n/.tmp/\n/.spool/\n/.log\n"), 0o666))
	release := toBase(ts, dir)
	git("add", "--all")
	git("commit", "--quiet", "--allow-empty", "--message=base")
	git("tag", "base")
	for name, text := range release {
		ts.Check(os.WriteFile(name, text, 0o666))
	}
	if !dirty {
		git("add", "--all")
		git("commit", "--quiet", "--allow-empty", "--message=release")
	}
	ts.Check(os.WriteFile(exclude, []byte(excluded), 0o666))
}

// toBase takes the changed lines out of the Go files below dir, and returns those
// files as they were.
func toBase(ts *testscript.TestScript, dir string) map[string][]byte {
	release := map[string][]byte{}
	ts.Check(filepath.WalkDir(dir, func(name string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != dir && strings.HasPrefix(entry.Name(), ".") {
			return filepath.SkipDir
		}
		if !entry.Type().IsRegular() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(text), changed) {
			return err
		}
		release[name] = text
		base := slices.DeleteFunc(strings.SplitAfter(string(text), "\n"), func(line string) bool {
			return strings.HasSuffix(strings.TrimRight(line, "\r\n"), changed)
		})
		return os.WriteFile(name, []byte(strings.Join(base, "")), 0o666)
	}))
	return release
}

// outcome is how a command ended and what it printed.
type outcome struct {
	code           int
	stdout, stderr string
}

func run(ts *testscript.TestScript, words ...string) outcome {
	err := ts.Exec(words[0], words[1:]...)
	o := outcome{stdout: ts.ReadFile("stdout"), stderr: ts.ReadFile("stderr")}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		o.code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	return o
}

// What differs from run to run, and goat's own line about a build.
var (
	passing = regexp.MustCompile(`\d+\.\d+s\b|\d+(\.\d+)? ns/op|"(Time|Elapsed)":[^,}]*|\([^()\n]*(0x|\.\.\.)[^()\n]*\)|0x[0-9a-f]+|goroutine \d+|go-build\d+|\(cached\)|^-?\d+\t +\d+`)
	blanks  = regexp.MustCompile(`[ \t]+`)
	summary = regexp.MustCompile(`(?m)^goat: (\d+ points? in \d+ packages? \(base .*\)(; .*)?|no points: .*|warning: .*)\n`)
)

func normal(text string) string {
	return blanks.ReplaceAllString(passing.ReplaceAllString(text, "~"), " ")
}

// same [GOAT FLAGS] VERB ARGS...: `go VERB ARGS`, then `goat VERB ARGS`: the exit
// codes and all that they print are equal, but for goat's one line. What -o and
// -coverprofile name is kept as NAME.plain and NAME; profiles are compared, too.
// goat leaves the work tree alone, compiles nothing twice and nothing of the
// standard library. `! same` asks for a failure, of both.
func (b *bench) cmdSame(ts *testscript.TestScript, neg bool, args []string) {
	first := 0
	for first < len(args) && strings.HasPrefix(args[first], "-") {
		first++
	}
	if first == len(args) {
		ts.Fatalf("usage: same [goat flags] verb args...")
	}
	verb, rest := args[first], args[first+1:]
	goat := b.compare(ts, args, verb, rest)
	if neg == (goat.code == 0) {
		ts.Fatalf("exit code %d", goat.code)
	}
}

// both is `same` where it depends on the Go whether that fails or not.
func (b *bench) cmdBoth(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 || strings.HasPrefix(args[0], "-") {
		ts.Fatalf("usage: both verb args...")
	}
	b.compare(ts, args, args[0], args[1:])
}

// compare runs go and goat and holds their outcomes against each other.
func (b *bench) compare(ts *testscript.TestScript, args []string, verb string, rest []string) outcome {
	outputs := outputsOf(verb, ts.MkAbs("."), rest)
	plain := run(ts, append([]string{"go", verb}, rest...)...)
	for _, name := range outputs {
		aside(ts, name)
	}
	b.warm(ts, verb, rest)
	before := status(ts)
	_ = os.Remove(ts.Getenv("GOAT_TOOLEXEC_LOG"))
	goat := run(ts, append([]string{"goat"}, args...)...)
	compare(ts, plain, goat)
	if after := status(ts); after != before {
		ts.Fatalf("goat has changed the work tree:\n%s", after)
	}
	if !slices.Contains(rest, "-a") {
		for name, count := range checkLog(ts) {
			if count > 1 {
				ts.Fatalf("%s was compiled %d times", name, count)
			}
		}
	}
	for _, name := range outputs {
		if strings.HasSuffix(name, ".out") && goat.code == 0 {
			compareProfiles(ts, name)
		}
	}
	return goat
}

func compare(ts *testscript.TestScript, plain, goat outcome) {
	if plain.code != goat.code {
		ts.Fatalf("go ends with %d, goat with %d:\n%s%s", plain.code, goat.code, goat.stdout, goat.stderr)
	}
	for _, stream := range []struct{ name, plain, goat string }{
		{"stdout", plain.stdout, goat.stdout},
		{"stderr", plain.stderr, summary.ReplaceAllString(goat.stderr, "")},
	} {
		// go works on several packages at once and prints what is ready.
		if sorted(normal(stream.plain)) != sorted(normal(stream.goat)) {
			ts.Fatalf("%s differs:\n-- go --\n%s\n-- goat --\n%s", stream.name, stream.plain, stream.goat)
		}
	}
}

// outputsOf are the files that the command writes where it is told to.
func outputsOf(verb, dir string, rest []string) []string {
	parsed, err := gocmd.Parse(verb, dir, rest, "")
	if err != nil {
		return nil
	}
	var outputs []string
	for _, flag := range []string{"o", "coverprofile"} {
		if name := parsed.Value(flag); name != "" && name != os.DevNull {
			if !filepath.IsAbs(name) {
				name = filepath.Join(parsed.Dir, name)
			}
			outputs = append(outputs, strings.TrimSuffix(name, string(filepath.Separator)))
		}
	}
	return outputs
}

func aside(ts *testscript.TestScript, name string) {
	if _, err := os.Lstat(name); err == nil {
		ts.Check(os.RemoveAll(plainName(name)))
		ts.Check(os.Rename(name, plainName(name)))
	}
}

// plainName is where the output of plain go is kept.
func plainName(name string) string { return name + ".plain" }

func compareProfiles(ts *testscript.TestScript, name string) {
	if sorted(ts.ReadFile(plainName(name))) != sorted(ts.ReadFile(name)) {
		ts.Fatalf("%s and %s differ", plainName(name), name)
	}
}

// sorted gives profiles of several packages one order.
func sorted(text string) string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// status is what git says about the work tree; empty without a repository.
func status(ts *testscript.TestScript) string {
	cmd := exec.Command("git", "status", "--porcelain")
	cmd.Dir = ts.MkAbs(".")
	out, _ := cmd.Output()
	return string(out)
}

// alike PROGRAM [ARGS...]: PROGRAM.plain and PROGRAM print the same and end with the
// same exit code. `! alike` wants a failure, of both.
func cmdAlike(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: alike program [args...]")
	}
	name := ts.MkAbs(args[0])
	plain := plainName(name)
	if _, err := os.Stat(plain); err != nil {
		// A program of a directory that -o named.
		plain = filepath.Join(plainName(filepath.Dir(name)), filepath.Base(name))
	}
	first := run(ts, append([]string{plain}, args[1:]...)...)
	second := run(ts, append([]string{name}, args[1:]...)...)
	compare(ts, first, second)
	if neg == (second.code == 0) {
		ts.Fatalf("exit code %d", second.code)
	}
}

// hits [-some] [FILE:LINE | !FILE:LINE | degraded=PACKAGE | mode=MODE]...: the points
// of the spool files, which are removed: FILE:LINE was hit, !FILE:LINE was not. All
// points are named, with -some only a part. Modes are looked at where one is named.
func cmdHits(ts *testscript.TestScript, neg bool, args []string) {
	some := len(args) > 0 && args[0] == "-some"
	if some {
		args = args[1:]
	}
	if neg || len(args) == 0 {
		ts.Fatalf("usage: hits [-some] what...")
	}
	modes := slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "mode=") })
	dir := ts.Getenv("GOAT_SPOOL")
	results, err := spool.ReadDir(dir)
	ts.Check(err)
	hit, missed, got := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, r := range results {
		ts.Check(r.Err)
		if modes {
			got["mode="+r.File.Identity.Mode] = true
		}
		for _, pkg := range r.File.Degraded {
			got["degraded="+pkg] = true
		}
		for _, p := range r.File.Points {
			place := fmt.Sprintf("%s:%d", p.File, p.Line)
			if p.Hit {
				hit[place] = true
			} else {
				missed["!"+place] = true
			}
		}
	}
	for place := range hit {
		got[place] = true
		delete(missed, "!"+place)
	}
	for place := range missed {
		got[place] = true
	}
	ts.Check(os.RemoveAll(dir))
	for _, want := range args {
		if !got[want] {
			ts.Fatalf("no %s in %v", want, keys(got))
		}
	}
	if !some && len(got) != len(args) {
		ts.Fatalf("the spool says %v, want %v", keys(got), args)
	}
}

func keys(set map[string]bool) []string {
	list := make([]string, 0, len(set))
	for key := range set {
		list = append(list, key)
	}
	slices.Sort(list)
	return list
}

// carries FILE PACKAGE...: a binary, perhaps one that cannot run here, holds the
// counters of these packages: their accessors stand in its function table.
func cmdCarries(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: carries file package...")
	}
	data := ts.ReadFile(args[0])
	for _, pkg := range args[1:] {
		if strings.Contains(data, pkg+".goat_acc_") == neg {
			ts.Fatalf("%s: counters of %s: %v", args[0], pkg, !neg)
		}
	}
}

// compiled [-has] PACKAGE...: the packages that were compiled since the last call,
// or by the last `same`; with -has these are some of them.
func cmdCompiled(ts *testscript.TestScript, neg bool, args []string) {
	some := len(args) > 0 && args[0] == "-has"
	if some {
		args = args[1:]
	}
	got := checkLog(ts)
	_ = os.Remove(ts.Getenv("GOAT_TOOLEXEC_LOG"))
	same := some || len(got) == len(args)
	for _, want := range args {
		same = same && got[want] > 0
	}
	if same == neg {
		ts.Fatalf("compiled %v, want %v", got, args)
	}
}

// checkLog counts the compiler's runs per package and variant, and fails where one is
// of the standard library.
func checkLog(ts *testscript.TestScript) map[string]int {
	data, _ := os.ReadFile(ts.Getenv("GOAT_TOOLEXEC_LOG"))
	count := map[string]int{}
	for _, line := range strings.Split(string(data), "\n") {
		name, ok := strings.CutPrefix(line, "compile ")
		if !ok || strings.HasPrefix(name, "-V") {
			continue
		}
		count[name]++
		if isStandard(name) {
			ts.Fatalf("%s of the standard library was compiled", name)
		}
	}
	return count
}

// isStandard: the modules of the scripts have a dot in their name.
func isStandard(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return !strings.Contains(first, ".") && name != "command-line-arguments" && first != "goat"
}
