package script

import (
	"archive/zip"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// proxy PATH@VERSION DIR: puts the files of DIR as a module version into
// $WORK/proxy, which GOPROXY=file://$WORK/proxy serves.
func cmdProxy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: proxy path@version dir")
	}
	path, version, _ := strings.Cut(args[0], "@")
	// A proxy spells capital letters so that every file system tells them apart.
	spelled := regexp.MustCompile(`[A-Z]`).ReplaceAllStringFunc(path, func(c string) string { return "!" + strings.ToLower(c) })
	dir := filepath.Join(ts.Getenv("WORK"), "proxy", filepath.FromSlash(spelled), "@v")
	ts.Check(os.MkdirAll(dir, 0o777))
	write := func(name, text string) {
		ts.Check(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666))
	}
	write(version+".info", `{"Version":"`+version+`","Time":"2026-01-05T10:00:00Z"}`)
	write(version+".mod", ts.ReadFile(filepath.Join(args[1], "go.mod")))
	list, _ := os.ReadFile(filepath.Join(dir, "list"))
	write("list", string(list)+version+"\n")
	file, err := os.Create(filepath.Join(dir, version+".zip"))
	ts.Check(err)
	defer file.Close()
	archive := zip.NewWriter(file)
	root := ts.MkAbs(args[1])
	ts.Check(filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		to, err := archive.Create(args[0] + "/" + filepath.ToSlash(rel))
		if err != nil {
			return err
		}
		_, err = to.Write([]byte(ts.ReadFile(name)))
		return err
	}))
	ts.Check(archive.Close())
}
