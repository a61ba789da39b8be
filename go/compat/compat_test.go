package compat

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/goat-trace/goat/go/internal/lab/script"
)

// The variables that choose what TestCases does.
const (
	// envGo names the Go versions, separated by spaces: go1.27.4, or the root of a
	// Go tree. Without it the one at hand is tested.
	envGo = "GOAT_COMPAT_GO"
	// envSabotage takes goat out of the builds, in one of two ways; then every
	// script that claims instrumentation must fail.
	envSabotage = "GOAT_COMPAT_SABOTAGE"
	// envCases set to every takes only the scripts that say so: those that meet what
	// differs from one Go to the next.
	envCases = "GOAT_COMPAT_CASES"
	// envResults is a directory that gets the results as JSON lines.
	envResults = "GOAT_COMPAT_RESULTS"
	// envPage set to write makes TestPage write the page from those results.
	envPage = "GOAT_COMPAT_PAGE"
)

func TestMain(m *testing.M) {
	if sabotage(os.Args) {
		return
	}
	os.Exit(m.Run())
}

// bench is where the cases run: one goat, one Go.
type bench struct {
	root, goat string
	goroot     string
	version    string // go1.26.8
	second     string // another Go that the go command can switch to, if there is one
	sabotage   string
	plans      string // GOAT_CACHE of all scripts
	cases      map[string]*testCase
	warmed     *warmed
}

// TestCases runs every script on every Go that was asked for.
func TestCases(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	goat := os.Getenv("GOAT_BIN")
	if goat == "" {
		goat = filepath.Join(root, "bin", "goat")
		if _, err := os.Stat(goat); err != nil {
			t.Skip("no bin/goat: run make build, or set GOAT_BIN")
		}
	}
	mode := os.Getenv(envSabotage)
	if !slices.Contains([]string{"", passthrough, unmarked}, mode) {
		t.Fatalf("%s=%s: want %s or %s", envSabotage, mode, passthrough, unmarked)
	}
	cases := readCases(t)
	plans := t.TempDir()
	var benches []*bench
	for _, name := range versions() {
		goroot, version, err := toolchain(name)
		if err != nil {
			t.Errorf("%s cannot be had: %v", name, err)
			continue
		}
		benches = append(benches, &bench{
			root: root, goat: goat, goroot: goroot, version: version, sabotage: mode,
			plans: plans, cases: cases, warmed: &warmed{},
		})
	}
	for _, b := range benches {
		b.second = second(b.version, benches)
		t.Run(b.version, b.run)
	}
}

func versions() []string {
	if list := strings.Fields(os.Getenv(envGo)); len(list) > 0 {
		return list
	}
	return []string{"local"}
}

// toolchain finds a Go: the go command itself fetches one that is not here.
func toolchain(name string) (goroot, version string, err error) {
	cmd := exec.Command("go", "env", "GOROOT", "GOVERSION")
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN="+name, "GOFLAGS=", "GOWORK=off")
	if filepath.IsAbs(name) {
		cmd.Path, cmd.Err = filepath.Join(name, "bin", "go"), nil
		cmd.Env = append(cmd.Env, "GOTOOLCHAIN=local", "GOROOT=")
	}
	out, err := cmd.Output()
	if exit, ok := err.(*exec.ExitError); ok {
		return "", "", fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	lines := strings.Fields(string(out))
	if err == nil && len(lines) != 2 {
		err = fmt.Errorf("go env says %q", out)
	}
	if err != nil {
		return "", "", err
	}
	return lines[0], lines[1], nil
}

func (b *bench) run(t *testing.T) {
	files, err := b.chosen()
	if err != nil {
		t.Fatal(err)
	}
	commands := map[string]script.Command{}
	for name, command := range script.Commands {
		commands[name] = command
	}
	for name, command := range b.commands() {
		commands[name] = command
	}
	results := newResults(t, b.version)
	testscript.RunT(&caseT{T: t, b: b, results: results}, testscript.Params{
		Files:               files,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               b.setup,
		Cmds:                commands,
		Condition:           b.condition,
	})
}

// chosen are the scripts of this run: with sabotage those that claim something.
func (b *bench) chosen() ([]string, error) {
	var files []string
	for name, c := range b.cases {
		if os.Getenv(envCases) == "every" && !c.every {
			continue
		}
		if b.sabotage == "" || c.claims && (b.sabotage != unmarked || c.marked) {
			files = append(files, caseFile(name))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no scripts")
	}
	slices.Sort(files)
	return files, nil
}

func caseFile(name string) string { return filepath.Join("testdata", "case", name+".txtar") }

func (b *bench) setup(env *testscript.Env) error {
	dirs := map[string]string{}
	for _, name := range []string{"home", "bin", "tmp"} {
		dirs[name] = filepath.Join(env.WorkDir, "."+name)
		if err := os.MkdirAll(dirs[name], 0o777); err != nil {
			return err
		}
	}
	if err := os.Symlink(b.goat, filepath.Join(dirs["bin"], "goat")); err != nil {
		return err
	}
	path := []string{dirs["bin"], filepath.Join(b.goroot, "bin"), os.Getenv("PATH")}
	env.Setenv("PATH", strings.Join(path, string(filepath.ListSeparator)))
	env.Setenv("HOME", dirs["home"])
	env.Setenv("TMPDIR", dirs["tmp"])
	for name, value := range map[string]string{
		"SECONDGO": b.second, "SECONDPATH": goEnv("GOPATH"), "GOLANGUAGE": strings.TrimPrefix(b.version, "go"),
		"ROOT": b.root, "GOROOT": "", "GOENV": "off", "GOFLAGS": "", "GOWORK": "", "GOTOOLCHAIN": "local",
		"GOPROXY": "off", "GOSUMDB": "off", "GOCACHE": goEnv("GOCACHE"), "GOMODCACHE": goEnv("GOMODCACHE"),
		"GOAT_CACHE": b.plans, "GOAT_BASE": "base", "GOAT_ADDR": "off",
		"GOAT_SPOOL":        filepath.Join(env.WorkDir, ".spool"),
		"GOAT_TOOLEXEC_LOG": filepath.Join(env.WorkDir, ".log"),
		"NO_COLOR":          "1", "LC_ALL": "C", "GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1",
		"GIT_AUTHOR_NAME": "compat", "GIT_AUTHOR_EMAIL": "compat@example.com", "GIT_AUTHOR_DATE": "2026-01-05T10:00:00Z",
		"GIT_COMMITTER_NAME": "compat", "GIT_COMMITTER_EMAIL": "compat@example.com", "GIT_COMMITTER_DATE": "2026-01-05T10:00:00Z",
	} {
		env.Setenv(name, value)
	}
	if b.sabotage == "" {
		return nil
	}
	return b.setSabotage(env, dirs["bin"])
}

// goEnv is a setting of the Go that runs the tests: its caches are shared.
func goEnv(name string) string {
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// condition knows what the scripts ask about in [brackets]: since:1.24 is the Go
// under test, the others are what the machine has.
func (b *bench) condition(name string) (bool, error) {
	if minor, ok := strings.CutPrefix(name, "since:1."); ok {
		wanted, err := strconv.Atoi(minor)
		return minorOf(b.version) >= wanted, err
	}
	switch name {
	case "cc":
		return found("gcc"), nil
	case "clang":
		return found("clang"), nil
	case "race":
		return found("gcc") && (runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64"), nil
	case "permissions":
		// Whether a file without the read bit is unreadable: not for root.
		return os.Geteuid() != 0 && runtime.GOOS != "windows", nil
	case "sh":
		return found("sh"), nil
	case "second":
		return b.second != "", nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// minorOf is the second number of a version.
func minorOf(version string) int {
	digits := strings.TrimPrefix(version, "go1.")
	end := 0
	for end < len(digits) && digits[end] >= '0' && digits[end] <= '9' {
		end++
	}
	n, _ := strconv.Atoi(digits[:end])
	return n
}

func found(tool string) bool {
	_, err := exec.LookPath(tool)
	return err == nil
}

// second is a Go in the module cache besides the one under test: one that is tested,
// too, else the newest.
func second(version string, benches []*bench) string {
	system := "." + runtime.GOOS + "-" + runtime.GOARCH
	dirs, _ := filepath.Glob(filepath.Join(goEnv("GOMODCACHE"), "golang.org", "toolchain@v0.0.1-go*"+system))
	best := ""
	for _, dir := range dirs {
		_, name, _ := strings.Cut(filepath.Base(dir), "-")
		name = strings.TrimSuffix(name, system)
		switch {
		case name == version || minorOf(name) < 23:
		case slices.ContainsFunc(benches, func(b *bench) bool { return b.version == name }):
			return name
		case minorOf(name) >= minorOf(best):
			best = name
		}
	}
	return best
}
