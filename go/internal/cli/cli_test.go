package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/self"
)

// outcome is what a person sees of one run.
type outcome struct {
	stdout, stderr string
	code           int
}

// run is goat with these arguments, in an environment without goat's variables.
func run(t *testing.T, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := Main(context.Background(), args, strings.NewReader(""), &stdout, &stderr)
	return outcome{stdout.String(), stderr.String(), code}
}

// TestMain also is goat's helper: a build that a test starts runs this program again.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "toolexec" {
		os.Exit(Toolexec(os.Args[2:]))
	}
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "GOAT_") || name == "NO_COLOR" || name == "GOFLAGS" {
			os.Unsetenv(name)
		}
	}
	os.Exit(m.Run())
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// repository is a module with the tag v1 and a change that is not committed.
func repository(t *testing.T) string {
	t.Helper()
	t.Setenv("GOAT_CACHE", t.TempDir())
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.com/shop\n\ngo 1.23\n")
	write(t, dir, "price.go", "package shop\n\nfunc Price(n int) int {\n\treturn 5 * n\n}\n")
	write(t, dir, "cmd/shop/main.go", "package main\n\nfunc main() {}\n")
	git(t, dir, "init", "--quiet", "--initial-branch=main")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "--quiet", "--message=one")
	git(t, dir, "tag", "v1")
	write(t, dir, "price.go", "package shop\n\n// Price is\nfunc Price(n int) int {\n\tif n > 10 {\n\t\treturn 4 * n\n\t}\n\treturn 5 * n\n}\n")
	write(t, dir, "price_windows.go", "package shop\n\nfunc Drive() string {\n\treturn \"C\"\n}\n")
	return dir
}

func TestBadUsage(t *testing.T) {
	dir := repository(t)
	plain := t.TempDir()
	for _, c := range []struct {
		args   []string
		stderr string
		code   int
	}{
		{args: []string{"paln"}, code: 2, stderr: "goat: unknown verb \"paln\"\nhint: did you mean `goat plan`?\n"},
		{args: []string{"zzzz"}, code: 2, stderr: "goat: unknown verb \"zzzz\"\nhint: `goat help` lists the verbs\n"},
		{args: []string{"--bsae=x", "plan"}, code: 2, stderr: "goat: unknown flag: --bsae\nhint: did you mean --base?\n"},
		{args: []string{"plan", "--zzz"}, code: 2, stderr: "goat: unknown flag: --zzz\nhint: `goat plan --help` lists the flags\n"},
		{args: []string{"plan", "--base"}, code: 2, stderr: "goat: flag needs an argument: --base\nhint: `goat plan --help` lists the flags\n"},
		{args: []string{"build", "--base"}, code: 2, stderr: "goat: flag needs an argument: --base\nhint: `goat build --help` lists the flags\n"},
		{args: []string{"build", "--exact=maybe"}, code: 2, stderr: "goat: --exact: \"maybe\" is neither true nor false\nhint: use 1 or 0\n"},
		{args: []string{"plan", "--release", "v1", "./..."}, code: 2, stderr: "goat: packages are those of the working tree, and the release is v1\nhint: leave the packages out, or check the release out and leave --release out\n"},
		{args: []string{"plan", "--format", "yaml"}, code: 2, stderr: "goat: --format: \"yaml\" is not one of text or json\nhint: use one of text or json\n"},
		{args: []string{"report", "--format=yaml"}, code: 2, stderr: "goat: --format: \"yaml\" is not one of text, json, html, markdown, coverprofile, cobertura or sarif\nhint: use one of text, json, html, markdown, coverprofile, cobertura or sarif\n"},
		{args: []string{"report", "--output=report.md"}, code: 2, stderr: "goat: --output: \"report.md\" is not FORMAT=FILE\nhint: use something like --output markdown=report.md\n"},
		{args: []string{"report", "--output=sarfi=x"}, code: 2, stderr: "goat: --output: \"sarfi\" is not one of text, json, html, markdown, coverprofile, cobertura or sarif\nhint: did you mean \"sarif\"?\n"},
		{args: []string{"report", "--by=pakage"}, code: 2, stderr: "goat: --by: \"pakage\" is not one of package, file, func, lane, instance or host\nhint: did you mean \"package\"?\n"},
		{args: []string{"report", "--phase=startup"}, code: 2, stderr: "goat: --phase: \"startup\" is not one of any or traffic\nhint: use one of any or traffic\n"},
		{args: []string{"report", "--since=yesterday"}, code: 2, stderr: "goat: --since: \"yesterday\" is neither a time nor a duration\nhint: use something like 30m, 2026-03-01T12:00:00Z or \"2026-03-01 12:00\"\n"},
		{args: []string{"report", "--fail-under=80"}, code: 2, stderr: "goat: --fail-under: \"80\" is not a part of the whole\nhint: use something like 0.8 or 80%\n"},
		{args: []string{"report", "--fail-under=NaN"}, code: 2, stderr: "goat: --fail-under: \"NaN\" is not a part of the whole\nhint: use something like 0.8 or 80%\n"},
		{args: []string{"report", "--fail-under=0.5", "--of=files"}, code: 2, stderr: "goat: --of: \"files\" is not one of points or lines\nhint: use one of points or lines\n"},
		{args: []string{"report", "--of=lines"}, code: 2, stderr: "goat: --of says what --fail-under measures, which is not given\nhint: add something like --fail-under 0.8\n"},
		{args: []string{"report", "--top=0"}, code: 2, stderr: "goat: --top: 0 is not a number of rows\nhint: use something like 20\n"},
		{args: []string{"report", "--subtract=missing.json"}, code: 2, stderr: "goat: --subtract cannot be read: " + dir + "/missing.json: no such file or directory\nhint: name a report that was saved with `goat report --format json`\n"},
		{args: []string{"report", "--timeout=0s"}, code: 2, stderr: "goat: --timeout: \"0s\" is not a time to wait\nhint: use something like 5s\n"},
		{args: []string{"watch", "--until=1.5"}, code: 2, stderr: "goat: --until: 1.5 is not a share of the points\nhint: use a number above 0 and up to 1, as 0.9\n"},
		{args: []string{"watch", "--timeout=-1s"}, code: 2, stderr: "goat: --timeout: -1s is not a time to wait\nhint: use something like 10m\n"},
		{args: []string{"watch", "--format=html"}, code: 2, stderr: "goat: --format: \"html\" is not one of text or json\nhint: use one of text or json\n"},
		{args: []string{"ui", "--addr=nowhere"}, code: 4, stderr: "goat: ui cannot listen on nowhere: address nowhere: missing port in address\nhint: --addr HOST:PORT names another address; port 0 takes a free one\n"},
		{args: []string{"help", "plon"}, code: 2, stderr: "goat: no help on \"plon\"\nhint: did you mean `goat help plan`?\n"},
		{args: []string{"completion", "tcsh"}, code: 2, stderr: "goat: no completion for \"tcsh\"\nhint: use bash, zsh, fish or powershell\n"},
		{args: []string{"env", "--shell=tcsh"}, code: 2, stderr: "goat: --shell: \"tcsh\" is not one of sh, fish or powershell\nhint: use one of sh, fish or powershell\n"},
		{args: []string{"-C", filepath.Join(dir, "price.go"), "plan"}, code: 2,
			stderr: "goat: -C " + dir + "/price.go is not a directory\nhint: give -C a directory of a Go module\n"},
		{args: []string{"-C", plain, "init"}, code: 2,
			stderr: "goat: no go.mod in the directory or above it: " + plain + "\nhint: go into a Go module, or make one with `go mod init`\n"},
	} {
		args := c.args
		if args[0] != "-C" {
			args = append([]string{"-C", dir}, args...)
		}
		if got := run(t, args...); got.stderr != c.stderr || got.code != c.code || got.stdout != "" {
			t.Errorf("goat %v: %d\n%s%s", c.args, got.code, got.stdout, got.stderr)
		}
	}
}

func TestErrorsAsJSON(t *testing.T) {
	for _, args := range [][]string{{"--format=json", "paln"}, {"paln", "--format=json"}, {"plan", "--format=json", "--granularity=x"}} {
		got := run(t, args...)
		var document struct {
			Error struct{ Code, Message, Hint string }
		}
		if err := json.Unmarshal([]byte(got.stdout), &document); err != nil || document.Error.Code != "usage" || document.Error.Message == "" {
			t.Errorf("%v: %v\n%s", args, err, got.stdout)
		}
		if !strings.HasPrefix(got.stderr, "goat: ") || got.code != 2 {
			t.Errorf("%v: %d %s", args, got.code, got.stderr)
		}
	}
}

func TestExitCodes(t *testing.T) {
	for code, want := range map[goat.Code]int{
		goat.CodeUsage: 2, goat.CodeBadConfig: 2, goat.CodeUnknownRef: 2, goat.CodeNoGoMod: 2, goat.CodeBadMarks: 2, goat.CodePlanMismatch: 2,
		goat.CodeNotARepository: 4, goat.CodeMissingObjects: 4, goat.CodeDubiousOwnership: 4, goat.CodeUnsupportedRepository: 4, goat.CodeGit: 4,
		goat.CodeUnreadable: 4, goat.CodeUnwritable: 4, goat.CodeCoreMissing: 4, goat.CodeStalePlan: 4, goat.CodeToolchain: 4, goat.CodeNetwork: 4,
		goat.CodeInternal: 4, goat.CodeCancelled: 130,
	} {
		var stderr bytes.Buffer
		a := &app{stdout: &bytes.Buffer{}, stderr: &stderr, getenv: func(string) string { return "" }}
		a.root = a.newRoot()
		if got := a.finish(&goat.Error{Code: code, Message: "m"}); got != want || stderr.String() != "goat: m\n" {
			t.Errorf("%s: %d %q", code, got, stderr.String())
		}
	}
}

func TestErrorText(t *testing.T) {
	for want, e := range map[string]*goat.Error{
		"goat: cannot read: /a/b: permission denied\nhint: do\n": {Message: "cannot read", Path: "/a/b", Causes: []string{"permission denied"}, Hint: "do"},
		"goat: goat.yaml:2: bad\n":                               {Message: "goat.yaml:2: bad", Path: "/a/goat.yaml"},
		"goat: two lines\n":                                      {Message: "two\nlines"},
	} {
		var b bytes.Buffer
		writeError(&b, e)
		if b.String() != want {
			t.Errorf("got %q, want %q", b.String(), want)
		}
	}
}

func TestGoFlagsAreSplit(t *testing.T) {
	for _, c := range []struct {
		args, rest []string
		flags      config.Flags
	}{
		{[]string{"-o", "app", "--base", "x"}, []string{"-o", "app", "--base", "x"}, config.Flags{}},
		{[]string{"--base", "x", "-q", "-o", "app", "-q"}, []string{"-o", "app", "-q"}, config.Flags{"base": "x", "quiet": "true"}},
		{[]string{"--exact", "--format=json", "./cmd/app", "--config", "c"}, []string{"./cmd/app", "--config", "c"}, config.Flags{"exact": "true", "format": "json"}},
		{[]string{"--tags", "x"}, []string{"--tags", "x"}, config.Flags{}},
		{[]string{"-C", "dir", "--base=x"}, []string{"-C", "dir", "--base=x"}, config.Flags{}},
		{[]string{"--directory=x"}, []string{"--directory=x"}, config.Flags{}},
		{[]string{"--exact=false", "--", "--base=x"}, []string{"--", "--base=x"}, config.Flags{"exact": "false"}},
		{[]string{"-race"}, []string{"-race"}, config.Flags{}},
		{[]string{"-"}, []string{"-"}, config.Flags{}},
		{nil, nil, config.Flags{}},
	} {
		a := &app{stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}, getenv: os.Getenv}
		a.root = a.newRoot()
		rest, err := a.splitGoFlags(a.root, c.args)
		if err != nil || strings.Join(rest, "\x00") != strings.Join(c.rest, "\x00") {
			t.Errorf("%q: rest %q, %v", c.args, rest, err)
		}
		typed := a.typed()
		if len(typed) != len(c.flags) {
			t.Errorf("%q: flags %v", c.args, typed)
		}
		for name, value := range c.flags {
			if typed[name] != value {
				t.Errorf("%q: %s = %q", c.args, name, typed[name])
			}
		}
	}
}

func TestVersionIsThatOfTheWorkspace(t *testing.T) {
	manifest, err := os.ReadFile("../../../Cargo.toml")
	if err != nil {
		t.Skip("not in goat's repository")
	}
	match := regexp.MustCompile(`(?m)^version = "([^"]+)"`).FindSubmatch(manifest)
	if match == nil || string(match[1]) != self.Version() {
		t.Errorf("Cargo.toml says %s, Go says %s", match, self.Version())
	}
	got := run(t, "version", "--format=json")
	var info versionInfo
	if err := json.Unmarshal([]byte(got.stdout), &info); err != nil || info.Version != self.Version() || info.PlanFormat != 1 || got.code != 0 {
		t.Errorf("%v: %+v", err, got)
	}
	if goat.HasCore() && (info.Core == nil || info.Core.Version != self.Version() || info.Core.ABI != 1 || len(info.Core.Stamp) != 64) {
		t.Errorf("core: %+v", info.Core)
	}
	if text := run(t, "version"); !strings.HasPrefix(text.stdout, "goat "+self.Version()) || strings.Count(text.stdout, "\n") != 2 {
		t.Errorf("%q", text.stdout)
	}
}

func TestHelp(t *testing.T) {
	root := run(t)
	for _, word := range []string{"build", "report", "init", "exit-codes", "environment", "Build with the change instrumented:", "--granularity"} {
		if !strings.Contains(root.stdout, word) {
			t.Errorf("goat's help lacks %q", word)
		}
	}
	a := &app{stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}, getenv: os.Getenv}
	a.root = a.newRoot()
	for _, cmd := range a.root.Commands() {
		if cmd.Short == "" || !cmd.IsAdditionalHelpTopicCommand() && cmd.Long == "" && cmd.Name() != "help" && cmd.Name() != "version" {
			t.Errorf("%s is not explained", cmd.Name())
		}
		if got := run(t, "help", cmd.Name()); got.code != 0 || got.stdout == "" || got.stderr != "" {
			t.Errorf("goat help %s: %+v", cmd.Name(), got)
		}
	}
	for _, verb := range []string{"build", "test", "vet", "toolexec"} {
		if got := run(t, verb, "--help"); got.code != 0 || !strings.Contains(got.stdout, "Usage:") {
			t.Errorf("goat %s --help: %+v", verb, got)
		}
	}
	config := run(t, "help", "config").stdout
	for _, key := range []string{"appName", "oldBranch", "printerConfigIndent"} {
		if !strings.Contains(config, "  "+key+"\n") {
			t.Errorf("goat help config lacks %s", key)
		}
	}
}

func TestHelpLinesFitATerminal(t *testing.T) {
	for _, topic := range helpTopics() {
		for _, line := range strings.Split(topic.Long, "\n") {
			if len(line) > 100 && topic.Name() != "config" {
				t.Errorf("%s: %q", topic.Name(), line)
			}
		}
	}
}

func TestCompletion(t *testing.T) {
	dir := repository(t)
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if got := run(t, "completion", shell); got.code != 0 || len(got.stdout) < 1000 {
			t.Errorf("%s: %+v", shell, got.code)
		}
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-C", dir, "--base", ""}, "v1\t"},
		{[]string{"-C", dir, "plan", "--base", "v"}, "v1\t"},
		{[]string{"-C", dir, "plan", "--release", "ma"}, "main\t"},
		{[]string{"plan", "--granularity", ""}, "scope\n"},
		{[]string{"plan", "--format", ""}, "json\n"},
		{[]string{"init", "--data-type", ""}, "count\n"},
		{[]string{"pl"}, "plan\t"},
		{[]string{"help", ""}, "exit-codes\t"},
	} {
		got := run(t, append([]string{"__complete"}, c.args...)...)
		if !strings.Contains(got.stdout, c.want) {
			t.Errorf("%q: %s", c.args, got.stdout)
		}
	}
	// Where there is no repository there is nothing to offer, and no error.
	if got := run(t, "__complete", "-C", t.TempDir(), "--base", ""); got.code != 0 {
		t.Errorf("%+v", got)
	}
}

func TestInit(t *testing.T) {
	dir := repository(t)
	sub := filepath.Join(dir, "cmd", "shop")
	got := run(t, "-C", sub, "init", "--app-version=1.10", "--ignores=*.pb.go, R&D ,", "--verbose", "--granularity=line")
	if got.code != 0 || got.stderr != "" || !strings.HasPrefix(got.stdout, "wrote "+dir+"/goat.yaml\nbase main, release HEAD;") ||
		!strings.Contains(got.stdout, "\nmain packages for goat track: cmd/shop\n") ||
		!strings.Contains(got.stdout, "note: main is what is checked out") {
		t.Fatalf("%+v", got)
	}
	file, err := config.Load(filepath.Join(dir, "goat.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if file.AppVersion != "1.10" || file.AppName != filepath.Base(dir) || len(file.Ignores) != 2 || file.Ignores[1] != "R&D" ||
		file.DiffPrecision != 2 || file.Granularity != "line" || !file.Verbose || *file.OldBranch != "main" || file.MainEntries[0] != "*" {
		t.Errorf("%+v", file)
	}
	got = run(t, "-C", dir, "init")
	if got.code != 2 || got.stderr != "goat: goat.yaml exists already\nhint: `goat init --force` overwrites it\n" {
		t.Errorf("%+v", got)
	}
	got = run(t, "-C", dir, "init", "--force", "-q", "--old=v1", "--main-entries=./cmd/shop/")
	if got.code != 0 || got.stdout != "" {
		t.Errorf("%+v", got)
	}
	got = run(t, "-C", dir, "--base=v1", "init", "--force", "--precision=3")
	if file, err = config.Load(filepath.Join(dir, "goat.yaml")); err != nil || *file.OldBranch != "v1" || file.DiffPrecision != 3 {
		t.Errorf("%+v %+v %v", got, file, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".goat.yaml*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
	// The other verbs read what init wrote.
	if got := run(t, "-C", dir, "vet", "./..."); got.code != 0 {
		t.Errorf("%+v", got)
	}
}

func TestInitRefuses(t *testing.T) {
	dir := repository(t)
	for _, c := range []struct {
		args   []string
		stderr string
	}{
		{[]string{"--old=v0"}, "goat: --old: \"v0\" names no commit\nhint: `git branch -a` and `git tag` list the names; `git fetch --tags` gets those of the remote\n"},
		{[]string{"--new=v0"}, "goat: --new: \"v0\" names no commit\nhint: `git branch -a` and `git tag` list the names; `git fetch --tags` gets those of the remote\n"},
		{[]string{"--diff-precision=4"}, "goat: --diff-precision: \"4\" is not one of 1, 2 or 3\nhint: use one of 1, 2 or 3\n"},
		{[]string{"--data-type=int"}, "goat: --data-type: \"int\" is not one of bool or count\nhint: use one of bool or count\n"},
		{[]string{"--granularity=lin"}, "goat: --granularity: \"lin\" is not one of line, patch, scope or func\nhint: did you mean \"line\"?\n"},
		{[]string{"--main-entries=cmd/none"}, "goat: --main-entries: \"cmd/none\" matches no main package\nhint: the module's main packages: cmd/shop\n"},
		{[]string{"--threads=many"}, "goat: --threads: \"many\" is not a whole number\nhint: use something like 4\n"},
	} {
		got := run(t, append([]string{"-C", dir, "init"}, c.args...)...)
		if got.code != 2 || got.stderr != c.stderr || got.stdout != "" {
			t.Errorf("%v: %d\n%s", c.args, got.code, got.stderr)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "goat.yaml")); err == nil {
		t.Error("goat.yaml was written")
	}
}

func TestInitOutsideOfGit(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.com/m\n")
	got := run(t, "-C", dir, "init")
	if got.code != 4 || got.stderr != "goat: not inside a git repository: "+dir+"\nhint: `git init` makes one\n" {
		t.Errorf("%+v", got)
	}
}

func TestReportOfNothing(t *testing.T) {
	dir := t.TempDir()
	got := run(t, "-C", dir, "report", "none")
	want := "goat: no source could be read: " + dir + "/none: no such file or directory\nhint: start the program with GOAT_SPOOL=DIR and name that directory\n"
	if got.code != 4 || got.stderr != want {
		t.Errorf("%+v", got)
	}
}

// The documented exit code of each verdict; what is no verdict is not a pass.
func TestExitCodesOfVerdicts(t *testing.T) {
	for verdict, code := range map[gate.Verdict]exitStatus{gate.Fail: 1, gate.Inconclusive: 3, gate.Error: 4, "perhaps": 4} {
		if err := exitOf(verdict); err != code {
			t.Errorf("%s: %v, want %d", verdict, err, code)
		}
	}
	if err := exitOf(gate.Pass); err != nil {
		t.Errorf("pass: %v", err)
	}
}
