package e2e

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/goat-trace/goat/go/internal/lab/script"
)

// The caches are the developer's: the standard library and the dependencies of
// the subjects are compiled and fetched once, not once per script.
type machine struct {
	goat, root                 string
	gocache, modcache, goproxy string
	path                       string
}

func TestScripts(t *testing.T) {
	m := look(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               m.setup,
		Cmds:                commands(),
		Condition:           condition,
	})
}

// commands are the shared ones and those of this suite.
func commands() map[string]script.Command {
	all := maps.Clone(script.Commands)
	all["agree"], all["consume"], all["scrape"] = cmdAgree, cmdConsume, cmdScrape
	return all
}

// goatBinary is the goat that is tried.
func goatBinary() string {
	if named := os.Getenv("GOAT_BIN"); named != "" {
		return named
	}
	binary, err := filepath.Abs("../../bin/goat")
	if err != nil {
		return ""
	}
	return binary
}

func look(t *testing.T) machine {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	goat := goatBinary()
	if os.Getenv("GOAT_BIN") == "" {
		if _, err := os.Stat(goat); err != nil {
			t.Skip("no bin/goat: run make build, or set GOAT_BIN")
		}
	}
	if _, err := os.Stat(goat); err != nil {
		t.Fatal(err)
	}
	env := func(name string) string {
		out, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	return machine{
		goat: goat, root: root, path: os.Getenv("PATH"),
		gocache: env("GOCACHE"), modcache: env("GOMODCACHE"), goproxy: env("GOPROXY"),
	}
}

func (m machine) setup(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, ".home")
	bin := filepath.Join(env.WorkDir, ".bin")
	for _, dir := range []string{home, bin} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
	}
	if err := os.Symlink(m.goat, filepath.Join(bin, "goat")); err != nil {
		return err
	}
	env.Vars = append(env.Vars,
		"HOME="+home,
		"PATH="+bin+string(filepath.ListSeparator)+m.path,
		"ROOT="+m.root,
		"GOCACHE="+m.gocache, "GOMODCACHE="+m.modcache, "GOPROXY="+m.goproxy,
		"GOENV=off", "GOFLAGS=", "GOWORK=", "GOTOOLCHAIN=local", "GONOSUMDB=", "GOSUMDB=off",
		"GOAT_CACHE="+filepath.Join(env.WorkDir, ".plans"),
		"GOAT_ADDR=off", "NO_COLOR=1", "LC_ALL=C",
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=e2e", "GIT_AUTHOR_EMAIL=e2e@example.com", "GIT_AUTHOR_DATE=2026-01-05T10:00:00Z",
		"GIT_COMMITTER_NAME=e2e", "GIT_COMMITTER_EMAIL=e2e@example.com", "GIT_COMMITTER_DATE=2026-01-05T10:00:00Z",
	)
	return nil
}

func condition(name string) (bool, error) {
	switch name {
	case "permissions":
		// Whether a file without the read bit is unreadable: not for root.
		return os.Geteuid() != 0 && runtime.GOOS != "windows", nil
	case "prometheus":
		_, err := exec.LookPath("prometheus")
		if err != nil && os.Getenv("CI") == "true" {
			return false, fmt.Errorf("scripts/tools --install prometheus: %w", err)
		}
		return err == nil, nil
	case "contract":
		// It needs a newer Go than goat does.
		_, err := os.Stat(filepath.Join(filepath.Dir(goatBinary()), "goat-contract"))
		return err == nil, nil
	case "race":
		return raceWorks(), nil
	}
	return false, nil
}

func raceWorks() bool {
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "gcc"
	}
	_, err := exec.LookPath(cc)
	return err == nil && (runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64")
}
