package doors_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
	"github.com/goat-trace/goat/go/internal/doors"
	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/plan/plantest"
	"github.com/goat-trace/goat/go/internal/rtsource"
	"github.com/goat-trace/goat/go/internal/spool"
	"github.com/goat-trace/goat/go/internal/toolexec"
)

// The scripts run the real go command with this test binary as goat. Plans come
// from plantest: a line that ends in `//+` has a point.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"goat": goatMain})
}

func goatMain() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if len(args) > 0 && args[0] == "toolexec" {
		return toolexec.Main(args[1:], toolexec.Options{Planner: helperPlan, Runtime: runtimeFiles, Version: version()})
	}
	if os.Getenv("TEST_LIMIT") != "" {
		doors.SetLimit(1)
	}
	settings := &config.Settings{Server: "auto"}
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch name, value, _ := strings.Cut(args[0], "="); name {
		case "-q":
			settings.Quiet = true
		case "--server":
			settings.Server = value
		}
		args = args[1:]
	}
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	settings.Dir = dir
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	code, err := doors.Run(context.Background(), doors.Request{
		Verb: args[0], Args: args[1:], Settings: settings, Plan: plans, Executable: exe,
		Streams: gocmd.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "goat:", err)
		if e, ok := err.(*goat.Error); ok {
			fmt.Fprintln(os.Stderr, "hint:", e.Hint)
		}
		return 4
	}
	return code
}

// runtimeFiles is the runtime; on request one that does not compile.
func runtimeFiles(importPath, name string, with ...string) (map[string][]byte, error) {
	files, err := rtsource.Files(importPath, name, with...)
	if err == nil && os.Getenv("TEST_BAD_RUNTIME") != "" {
		files["bad.go"] = []byte("package goatrt\n\nvar bad = notDefined\n")
	}
	return files, err
}

func version() string {
	if v := os.Getenv("TEST_GOAT_VERSION"); v != "" {
		return v
	}
	return "test"
}

// repository is the directory with `.repo` above dir, which stands for `.git`.
func repository(dir string) (string, error) {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, ".repo")); err == nil {
			return filepath.EvalSymlinks(at)
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("%s: not a repository", dir)
		}
	}
}

func planOptions() plantest.Options {
	opts := plantest.Options{Version: "test", Store: os.Getenv("TEST_STORE") != ""}
	if broken := os.Getenv("TEST_BROKEN"); broken != "" {
		opts.Broken = strings.Split(broken, ",")
	}
	if broken := os.Getenv("TEST_BROKEN_FREE"); broken != "" {
		opts.BrokenFree = strings.Split(broken, ",")
	}
	if broken := os.Getenv("TEST_BROKEN_STUB"); broken != "" {
		opts.BrokenStub = strings.Split(broken, ",")
	}
	return opts
}

func plans(_ context.Context, options goat.Options) (*goat.Result, error) {
	root, err := repository(options.Dir)
	if err != nil {
		return nil, err
	}
	dir, err := plantest.Write(root, options.OutDir, planOptions())
	return &goat.Result{PlanDir: dir}, err
}

func helperPlan(_ context.Context, dir string) (string, error) {
	root, err := repository(dir)
	if err != nil {
		return "", err
	}
	return plantest.Write(root, filepath.Join(os.Getenv("GOAT_CACHE"), "plans"), planOptions())
}

func TestScripts(t *testing.T) {
	shared := os.Getenv("GOCACHE")
	if shared == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		shared = filepath.Join(dir, "go-build")
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"compiled": compiled,
			"hits":     hits,
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("GOCACHE", shared)
			env.Setenv("GOPROXY", "off")
			env.Setenv("GOFLAGS", "")
			env.Setenv("GOENV", "off")
			env.Setenv("GOTOOLCHAIN", "local")
			env.Setenv("GOAT_CACHE", filepath.Join(env.WorkDir, ".cache"))
			env.Setenv("GOAT_TOOLEXEC_LOG", filepath.Join(env.WorkDir, ".log"))
			env.Setenv("HOME", env.WorkDir)
			return os.WriteFile(filepath.Join(env.WorkDir, ".repo"), nil, 0o666)
		},
	})
}

// compiled compares the packages that have been compiled since the last call with
// the arguments; a first argument `-has` asks for a part of them only.
func compiled(ts *testscript.TestScript, neg bool, args []string) {
	log := ts.MkAbs(".log")
	if env := ts.Getenv("GOAT_TOOLEXEC_LOG"); env != "" {
		log = env
	}
	data, _ := os.ReadFile(log)
	_ = os.Remove(log)
	got := map[string]bool{}
	for _, line := range strings.Split(string(data), "\n") {
		if name, ok := strings.CutPrefix(line, "compile "); ok && !strings.HasPrefix(name, "-V") {
			got[name] = true
		}
	}
	want := map[string]bool{}
	for _, arg := range args {
		want[arg] = true
	}
	if same := equal(got, want); same == neg {
		ts.Fatalf("compiled %v, want %v", got, want)
	}
}

// hits compares what the spool files of a directory say with the arguments:
// file:line=hit or file:line=miss for each point, degraded=PACKAGE, mode=MODE.
// It removes the directory.
func hits(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: hits DIR WANT…")
	}
	results, err := spool.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	got := map[string]bool{}
	for _, r := range results {
		ts.Check(r.Err)
		got["mode="+r.File.Identity.Mode] = true
		for _, pkg := range r.File.Degraded {
			got["degraded="+pkg] = true
		}
		for _, p := range r.File.Points {
			if p.Hit {
				got[fmt.Sprintf("%s:%d=hit", p.File, p.Line)] = true
			}
		}
	}
	for _, r := range results {
		for _, p := range r.File.Points {
			if place := fmt.Sprintf("%s:%d", p.File, p.Line); !got[place+"=hit"] {
				got[place+"=miss"] = true
			}
		}
	}
	ts.Check(os.RemoveAll(ts.MkAbs(args[0])))
	want := map[string]bool{}
	for _, arg := range args[1:] {
		want[arg] = true
	}
	if equal(got, want) == neg {
		ts.Fatalf("spool says %v, want %v", got, want)
	}
}

func equal(a, b map[string]bool) bool {
	if len(a) != len(b) {
		return false
	}
	for name := range a {
		if !b[name] {
			return false
		}
	}
	return true
}
