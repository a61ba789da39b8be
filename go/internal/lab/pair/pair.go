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
	if err := untie(ctx, tree); err != nil {
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

// untie has go take from the proxy what go.mod replaces by a directory of the repository
// that the module is published from: it holds for the main module alone, and leads nowhere here.
func untie(ctx context.Context, tree string) error {
	if _, err := os.Stat(filepath.Join(tree, "go.mod")); err != nil {
		return nil // Older than modules.
	}
	text, err := goCommand(ctx, tree, "mod", "edit", "-json")
	if err != nil {
		return err
	}
	var mod struct {
		Replace []struct {
			Old, New struct{ Path, Version string }
		}
	}
	if err := json.Unmarshal(text, &mod); err != nil {
		return err
	}
	edit := []string{"mod", "edit"}
	for _, r := range mod.Replace {
		if r.New.Version != "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(tree, filepath.FromSlash(r.New.Path))); err == nil {
			continue
		}
		old := r.Old.Path
		if r.Old.Version != "" {
			old += "@" + r.Old.Version
		}
		edit = append(edit, "-dropreplace="+old)
	}
	if len(edit) == 2 {
		return nil
	}
	if _, err := goCommand(ctx, tree, edit...); err != nil {
		return err
	}
	// go.sum has no sums of them yet.
	_, err = goCommand(ctx, tree, "list", "-mod=mod", "-deps", "-test", "./...")
	return err
}

func goCommand(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w: %s", args[0], err, stderr.Bytes())
	}
	return out, nil
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
