package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

var (
	shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```")
	taskPages  = []string{"first-canary", "running-a-fleet", "release-gate", "library-author", "tool-author"}
)

// TestTaskPages runs the commands of docs/ by task as they stand there: page by page, in
// the shop, with its release on a branch.
func TestTaskPages(t *testing.T) {
	m := look(t)
	docs, err := filepath.Abs("../../docs")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range taskPages {
		t.Run(page, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(docs, page+".md"))
			if err != nil {
				t.Fatal(err)
			}
			commands := blocks(text)
			if len(commands) == 0 {
				t.Fatal("the page has no commands")
			}
			if chinese, err := os.ReadFile(filepath.Join(docs, "zh", page+".md")); err == nil && strings.Join(blocks(chinese), "") != strings.Join(commands, "") {
				t.Error("the page in Chinese has other commands")
			}
			log, err := m.typed(t, shop(t), strings.Join(commands, ""))
			if err != nil {
				t.Fatalf("%v\n%s", err, log)
			}
			for _, bad := range []string{"Connection refused", "command not found"} {
				if strings.Contains(log, bad) {
					t.Errorf("%s in\n%s", bad, log)
				}
			}
		})
	}
}

func blocks(page []byte) []string {
	var all []string
	for _, found := range shellBlock.FindAllSubmatch(page, -1) {
		all = append(all, string(found[1]))
	}
	return all
}

// shop is a clone as a service team has it: v1 on main, the release on a branch.
func shop(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shop")
	script := `
cp -R ../../examples/shop/base "$1" && cd "$1"
git init -q -b main && git add . && git commit -qm v1 && git tag v1 && git checkout -qb my-release`
	release := `
cp -R ../../examples/shop/release/. "$1" && cd "$1"
git add . && git commit -qm "Coupons" && git checkout -q main`
	for _, text := range []string{script, release} {
		command := exec.Command("sh", "-ec", text, "sh", dir)
		command.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	return dir
}

// typed is what a person sees who types the commands; all that they started is gone then.
func (m machine) typed(t *testing.T, dir, commands string) (string, error) {
	t.Helper()
	bin, home := t.TempDir(), t.TempDir()
	if err := os.Symlink(m.goat, filepath.Join(bin, "goat")); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(context.Background(), 3*time.Minute)
	defer stop()
	command := exec.CommandContext(ctx, "bash", "-xeuo", "pipefail", "-c", commands)
	command.Dir = dir
	command.Env = []string{
		"HOME=" + home, "PATH=" + bin + ":" + m.path, "GOCACHE=" + m.gocache, "GOMODCACHE=" + m.modcache, "GOPROXY=off", "GOENV=off",
		"GOTOOLCHAIN=local", "GOFLAGS=-buildvcs=false", "GOAT_CACHE=" + filepath.Join(home, "plans"), "GIT_CONFIG_GLOBAL=/dev/null", "LC_ALL=C",
	}
	out, err := os.Create(filepath.Join(home, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	// A file, no pipe: programs in the background would hold it open.
	command.Stdout, command.Stderr = out, out
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	err = command.Run()
	_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
	log, readErr := os.ReadFile(out.Name())
	if readErr != nil {
		t.Fatal(readErr)
	}
	return string(log), err
}
