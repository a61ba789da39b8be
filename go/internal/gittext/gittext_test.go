package gittext

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// repository makes a repository of two commits and gives their ids.
func repository(t *testing.T, before, after map[string]string) (dir, base, release string) {
	t.Helper()
	dir = t.TempDir()
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	t.Setenv("GIT_CONFIG_SYSTEM", os.DevNull)
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	write := func(files map[string]string) {
		for name, text := range files {
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	run("init", "--quiet")
	write(before)
	run("add", "--all")
	run("commit", "--quiet", "--allow-empty", "--message", "one")
	base = run("rev-parse", "HEAD")
	write(after)
	run("add", "--all")
	run("commit", "--quiet", "--allow-empty", "--message", "two")
	return dir, base, run("rev-parse", "HEAD")
}

const odd = "a dir/naïve \"x\".go"

func TestRead(t *testing.T) {
	dir, base, release := repository(t,
		map[string]string{"a.go": "package a\n// one\n// two\n@@ -1 +1 @@\nend\n", odd: "x\ny\n"},
		map[string]string{"a.go": "package a\nnew\nend\n", odd: "x\r\ny\n", "c.go": ""})
	for _, work := range []bool{false, true} {
		files, err := Read(context.Background(), &Request{
			Dir: dir, Base: base, Release: release, WorkTree: work,
			Files: []string{"a.go", odd, "c.go", "none.go", "../etc/passwd.go", ".git/x.go", "a\nb.go"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := string(files["a.go"].Text); got != "package a\nnew\nend\n" {
			t.Errorf("work tree %v: %q", work, got)
		}
		want := []Old{{After: 1, Lines: []string{"// one", "// two", "@@ -1 +1 @@"}}}
		if !reflect.DeepEqual(files["a.go"].Old, want) {
			t.Errorf("work tree %v: %+v", work, files["a.go"].Old)
		}
		if got := files[odd]; string(got.Text) != "x\r\ny\n" || len(got.Old) != 1 || got.Old[0].After != 0 {
			t.Errorf("work tree %v: an odd name: %+v", work, got)
		}
		if files["c.go"].Text == nil || files["c.go"].Missing != "" {
			t.Errorf("an empty file is a text: %+v", files["c.go"])
		}
		for _, name := range []string{"none.go", "../etc/passwd.go", ".git/x.go", "a\nb.go"} {
			if f := files[name]; f.Text != nil || f.Missing == "" {
				t.Errorf("%q: %+v", name, f)
			}
		}
	}
}

func TestDeletionsStandBehindTheirLine(t *testing.T) {
	dir, base, release := repository(t,
		map[string]string{"a.go": "1\n2\n3\n4\n5\n"}, map[string]string{"a.go": "1\n3\nfour\n"})
	files, err := Read(context.Background(), &Request{Dir: dir, Base: base, Release: release, Files: []string{"a.go"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []Old{{1, []string{"2"}}, {2, []string{"4", "5"}}}
	if got := files["a.go"].Old; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	dir, base, release := repository(t, map[string]string{"a.go": "x\n"}, map[string]string{"a.go": "y\n"})
	for want, r := range map[string]*Request{
		"no repository to take the text from":     {Dir: t.TempDir(), Base: base, Release: release},
		"lacks the release's commit 0123456789ab": {Dir: dir, Base: base, Release: "0123456789abcdef0123456789abcdef01234567"},
		"no text: the report names no release":    {Dir: dir},
		"lacks the release's commit --upload-pac": {Dir: dir, Release: "--upload-pack=x"},
	} {
		r.Files = []string{"a.go"}
		files, err := Read(context.Background(), r)
		if err == nil || !strings.Contains(err.Error(), want) || files["a.go"] == nil {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	files, err := Read(context.Background(), &Request{
		Dir: dir, Base: base, Release: release, Files: []string{"a.go"},
		Hash: func(string) string { return "another" }, Same: func([]byte, string) bool { return false },
	})
	if f := files["a.go"]; err != nil || f.Text != nil || !strings.HasPrefix(f.Missing, "changed since") {
		t.Errorf("%+v, %v", f, err)
	}
}
