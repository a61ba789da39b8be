package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/child"
	"github.com/goat-trace/goat/go/internal/gocmd"
)

// gitIn runs git in a directory, for the verbs that only ask for names.
type gitIn string

func (dir gitIn) output(ctx context.Context, args ...string) (string, error) {
	git := exec.CommandContext(ctx, "git", args...)
	git.Dir = string(dir)
	out, err := git.Output()
	return strings.TrimSpace(string(out)), err
}

// check says whether there is a repository to ask.
func (dir gitIn) check(ctx context.Context) error {
	_, err := dir.output(ctx, "rev-parse", "--git-dir")
	if err == nil {
		return nil
	}
	e := &goat.Error{Code: goat.CodeNotARepository, Message: "not inside a git repository", Path: string(dir)}
	e.Hint = "`git init` makes one"
	if errors.Is(err, exec.ErrNotFound) {
		e.Code, e.Message, e.Hint = goat.CodeGit, "git is not on PATH", "install git"
		return e
	}
	if _, _, broken := child.Unrunnable(err); broken {
		e.Code, e.Message = goat.CodeGit, "git cannot be asked"
		return e.Wrap(err)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && bytes.Contains(exit.Stderr, []byte("dubious ownership")) {
		e.Code, e.Message = goat.CodeDubiousOwnership, "git refuses the repository: it belongs to somebody else"
		e.Hint = "git config --global --add safe.directory " + string(dir)
	}
	return e
}

// commit is the commit that ref names, or "".
func (dir gitIn) commit(ctx context.Context, ref string) string {
	out, err := dir.output(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
	if err != nil {
		return ""
	}
	return out
}

func (dir gitIn) shortCommit(ctx context.Context, ref string) string {
	if commit := dir.commit(ctx, ref); len(commit) > 7 {
		return commit[:7]
	}
	return ""
}

// goTool runs the go command with the user's own GOFLAGS, without what `goat env` put
// into them, and explains its failures.
func goTool(ctx context.Context, dir string, args ...string) ([]byte, error) {
	watched, stop := gocmd.Watched(ctx, func() []string { return []string{dir} })
	defer stop()
	cmd := exec.CommandContext(watched, "go", gocmd.Looking(userEnviron(), args)...)
	cmd.Dir = dir
	if own, saved := os.LookupEnv(gocmd.SavedGoflags); saved {
		cmd.Env = gocmd.Environ(os.Environ()).With("GOFLAGS", own)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err == nil {
		return out, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	e := &goat.Error{Code: goat.CodeToolchain, Message: "`go " + strings.Join(args, " ") + "` failed"}
	e.Hint = "run that command by hand to see more"
	if waits := gocmd.Waits(watched); waits != nil {
		e.Message, e.Hint = waits.Error(), "put a file in its place, or remove it"
	}
	if errors.Is(err, exec.ErrNotFound) {
		e.Message, e.Hint = "the go command is not on PATH", "install Go 1.23 or newer: https://go.dev/dl"
	}
	if text := strings.TrimSpace(stderr.String()); text != "" {
		e.Causes = []string{text}
		return nil, e
	}
	return nil, e.Wrap(err)
}

// listMains are the directories of the module's main packages, relative to its root.
func listMains(ctx context.Context, root string) ([]string, error) {
	out, err := goTool(ctx, root, "list", "-e", "-find", "-json=Name,Dir", "./...")
	if err != nil {
		return nil, err
	}
	if real, err := filepath.EvalSymlinks(root); err == nil {
		root = real
	}
	var mains []string
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		var p struct{ Name, Dir string }
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if p.Name != "main" {
			continue
		}
		if real, err := filepath.EvalSymlinks(p.Dir); err == nil {
			p.Dir = real
		}
		if relative, err := filepath.Rel(root, p.Dir); err == nil {
			mains = append(mains, filepath.ToSlash(relative))
		}
	}
	sort.Strings(mains)
	return mains, nil
}
