// Package pair makes a git repository out of two versions of a module, so that
// goat can be tried on real releases where only the Go module proxy is reached.
package pair

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Make creates a repository in tree whose two commits, tagged base and release,
// are those versions of the module; the release is checked out.
func Make(ctx context.Context, tree, module, base, release string) error {
	if err := os.MkdirAll(tree, 0o755); err != nil {
		return err
	}
	if err := git(ctx, tree, "init", "-q", "-b", "main"); err != nil {
		return err
	}
	for _, version := range []string{base, release} {
		if err := commit(ctx, tree, module, version); err != nil {
			return err
		}
	}
	return nil
}

func commit(ctx context.Context, tree, module, version string) error {
	src, err := download(ctx, module+"@"+version)
	if err != nil {
		return err
	}
	if err := replaceTree(tree, src); err != nil {
		return err
	}
	if err := git(ctx, tree, "add", "-A", "-f"); err != nil {
		return err
	}
	err = git(ctx, tree, "-c", "user.name=goat", "-c", "user.email=goat@example.com", "commit", "-q", "-m", version)
	if err != nil {
		return err
	}
	return git(ctx, tree, "tag", version)
}

func git(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("git %s: %w: %s", args[0], err, out)
	}
	return nil
}

// download returns the module cache's directory of a version.
func download(ctx context.Context, version string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", version)
	cmd.Dir = os.TempDir()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var info struct{ Dir, Error string }
	if json.Unmarshal(out, &info) != nil || info.Dir == "" {
		return "", fmt.Errorf("go mod download %s: %v %s%s", version, err, info.Error, stderr.String())
	}
	return info.Dir, nil
}

// replaceTree makes the tree's files those of src, writable.
func replaceTree(tree, src string) error {
	entries, err := os.ReadDir(tree)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == ".git" {
			continue
		}
		if err := os.RemoveAll(filepath.Join(tree, e.Name())); err != nil {
			return err
		}
	}
	return filepath.WalkDir(src, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(src, path)
		if err != nil {
			return err
		}
		to := filepath.Join(tree, rel)
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o644)
	})
}
