// Package script holds the testscript commands that the suites share: users'
// sessions (e2e) and the matrix (compat). Only tests import it.
package script

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// Command is the type of a testscript command.
type Command = func(ts *testscript.TestScript, neg bool, args []string)

// Commands are the shared ones, by name.
var Commands = map[string]Command{
	"await":    cmdAwait,
	"commit":   cmdCommit,
	"compiled": cmdCompiled,
	"cp-tree":  cmdCopyTree,
	"end":      cmdEnd,
	"halt":     cmdHalt,
	"http":     cmdHTTP,
	"json":     cmdJSON,
	"module":   cmdModule,
	"no-git":   cmdNoGit,
	"occupy":   cmdOccupy,
	"points":   cmdPoints,
	"profile":  cmdProfile,
	"proxy":    cmdProxy,
	"pure":     cmdPure,
	"replace":  cmdReplace,
	"rename":   cmdRename,
	"start":    cmdStart,
	"status":   cmdStatus,
}

// commit TAG [MESSAGE]: everything below the current directory, in a repository
// that is made where there is none.
func cmdCommit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: commit tag")
	}
	if _, err := os.Lstat(ts.MkAbs(".git")); err != nil {
		ts.Check(ts.Exec("git", "init", "--quiet", "--initial-branch=main"))
	}
	ts.Check(ts.Exec("git", "add", "--all"))
	ts.Check(ts.Exec("git", "commit", "--quiet", "--message", args[0]))
	ts.Check(ts.Exec("git", "tag", args[0]))
}

// status CODE COMMAND...: the command ends with exactly this exit code.
func cmdStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status code command...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ok := err.(*exec.ExitError); ok {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// compiled FILE: the packages that the go command whose -x output this
// is really compiled, one per line, sorted.
var compileLine = regexp.MustCompile(`(?m)/compile(?:\.exe)?"? .* -p (\S+)`)

func cmdCompiled(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: compiled stderr")
	}
	var found []string
	for _, m := range compileLine.FindAllStringSubmatch(ts.ReadFile(args[0]), -1) {
		found = append(found, m[1])
	}
	slices.Sort(found)
	for _, p := range slices.Compact(found) {
		fmt.Fprintln(ts.Stdout(), p)
	}
}

// http METHOD URL [BODY]: prints the status line and the body. $BEARER is sent as a token.
func cmdHTTP(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: http method url [body]")
	}
	body := strings.ReplaceAll(strings.Join(args[2:], ""), `\n`, "\n")
	request, err := http.NewRequest(args[0], args[1], strings.NewReader(body))
	ts.Check(err)
	if token := ts.Getenv("BEARER"); token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{Timeout: patience}
	response, err := client.Do(request)
	if neg {
		if err == nil {
			response.Body.Close()
			ts.Fatalf("%s answers %s", args[1], response.Status)
		}
		return
	}
	ts.Check(err)
	defer response.Body.Close()
	fmt.Fprintln(ts.Stdout(), response.Status)
	_, err = io.Copy(ts.Stdout(), response.Body)
	ts.Check(err)
}

// json FILE PATH...: the values at the paths of every row, tab-separated, one
// row per line. A path is names joined by dots; arrays are walked through. All
// paths share the rows of the first element of the first path.
//
//	json stdout points.file points.line
func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: json file path...")
	}
	text := ts.ReadFile(args[0])
	// The body that cmdHTTP printed has a status line before it.
	if first, rest, ok := strings.Cut(text, "\n"); ok && !strings.HasPrefix(first, "{") {
		text = rest
	}
	var document any
	ts.Check(json.Unmarshal([]byte(text), &document))
	columns := make([][]string, len(args)-1)
	rows := 0
	for i, path := range args[1:] {
		columns[i] = values(document, strings.Split(path, "."))
		rows = max(rows, len(columns[i]))
	}
	for row := range rows {
		var cells []string
		for _, column := range columns {
			if row < len(column) {
				cells = append(cells, column[row])
			}
		}
		fmt.Fprintln(ts.Stdout(), strings.Join(cells, "\t"))
	}
}

func values(v any, path []string) []string {
	switch v := v.(type) {
	case []any:
		var all []string
		for _, element := range v {
			all = append(all, values(element, path)...)
		}
		return all
	case map[string]any:
		if len(path) > 0 {
			return values(v[path[0]], path[1:])
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if s, ok := v.(string); ok {
		return []string{s}
	}
	if err := encoder.Encode(v); err != nil {
		return []string{err.Error()}
	}
	return []string{strings.TrimSpace(text.String())}
}

// occupy VARIABLE: a port that is taken until the script ends.
func cmdOccupy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: occupy variable")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = listener.Close() })
	ts.Setenv(args[0], listener.Addr().String())
}

// points N FILE: a Go file of N functions, each of which is one statement away
// from the base (`points N FILE base` writes that).
func cmdPoints(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: points n file [base]")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	var text strings.Builder
	text.WriteString("package main\n\nimport \"sync/atomic\"\n\nvar sum atomic.Int64\n\nvar all = []func(){\n")
	for i := range n {
		fmt.Fprintf(&text, "\tf%d,\n", i)
	}
	text.WriteString("}\n")
	for i := range n {
		body := "\tdefer sum.Add(1)\n"
		if len(args) == 2 {
			body += fmt.Sprintf("\tsum.Add(%d)\n", i)
		}
		fmt.Fprintf(&text, "\nfunc f%d() {\n%s}\n", i, body)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text.String()), 0o666))
}

// pure FILE: a goat built without cgo, so without the core.
func cmdPure(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: pure file")
	}
	cmd := exec.Command("go", "build", "-o", ts.MkAbs(args[0]), "./cmd/goat")
	cmd.Dir = filepath.Join(ts.Getenv("ROOT"), "go")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		ts.Fatalf("%v: %s", err, out)
	}
}

// replace FILE OLD NEW: one edit of a file that a user would make.
func cmdReplace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace file old new")
	}
	unescape := strings.NewReplacer(`\n`, "\n", `\t`, "\t").Replace
	text, old := ts.ReadFile(args[0]), unescape(args[1])
	if !strings.Contains(text, old) {
		ts.Fatalf("%s does not contain %q", args[0], old)
	}
	text = strings.Replace(text, old, unescape(args[2]), 1)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o666))
}

// rename FILE NAME: NAME is a Go string literal without quotes, so that it may
// hold bytes which no script can.
func cmdRename(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: rename file name")
	}
	name, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	ts.Check(os.Rename(ts.MkAbs(args[0]), ts.MkAbs(name)))
}

// cp-tree FROM TO: a directory with everything in it.
func cmdCopyTree(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cp-tree from to")
	}
	ts.Check(os.MkdirAll(filepath.Dir(ts.MkAbs(args[1])), 0o777))
	ts.Check(os.CopyFS(ts.MkAbs(args[1]), os.DirFS(ts.MkAbs(args[0]))))
}

// no-git: from here on only go and goat are on PATH.
func cmdNoGit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: no-git")
	}
	bin := ts.MkAbs(".nogit")
	ts.Check(os.MkdirAll(bin, 0o777))
	for _, name := range []string{"go", "goat"} {
		// The script's PATH, which holds the goat under test, not the harness's.
		for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				ts.Check(os.Symlink(filepath.Join(dir, name), filepath.Join(bin, name)))
				break
			}
		}
	}
	ts.Setenv("PATH", bin)
}

// profile FILE: a CPU profile with samples in it, as -pgo takes it.
func cmdProfile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: profile file")
	}
	file, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	defer file.Close()
	ts.Check(pprof.StartCPUProfile(file))
	defer pprof.StopCPUProfile()
	for sum := 0; sum < 1<<28; sum++ {
	}
}

// module PATH VERSION: the files of a module's version in place of all that is
// tracked here. It comes from the module proxy, or from the module cache.
func cmdModule(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: module path version")
	}
	download := exec.Command("go", "mod", "download", "-json", args[0]+"@"+args[1])
	download.Dir, download.Env = ts.Getenv("WORK"), Environ(ts)
	out, err := download.Output()
	var found struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(out, &found); jsonErr != nil || found.Dir == "" {
		ts.Fatalf("%s@%s cannot be had: %v %s", args[0], args[1], err, found.Error)
	}
	entries, err := os.ReadDir(ts.MkAbs("."))
	ts.Check(err)
	for _, entry := range entries {
		if entry.Name() != ".git" {
			ts.Check(os.RemoveAll(ts.MkAbs(entry.Name())))
		}
	}
	ts.Check(copyWritable(ts.MkAbs("."), found.Dir))
}

// copyWritable copies a tree of the module cache, which is read-only.
func copyWritable(to, from string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, relative), 0o777)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, relative), data, 0o666)
	})
}
