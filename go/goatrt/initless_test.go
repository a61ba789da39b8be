package goatrt_test

import (
	"os/exec"
	"strings"
	"testing"
)

// Early is called before anybody could run an initialiser of the package.
func TestTheCoreNeedsNoInitialisation(t *testing.T) {
	out, err := exec.Command("go", "list", "-export", "-f", "{{.Export}}", "github.com/goat-trace/goat/go/goatrt").Output()
	if err != nil {
		t.Fatal(err)
	}
	symbols, err := exec.Command("go", "tool", "nm", strings.TrimSpace(string(out))).Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(symbols), "goatrt.Early") {
		t.Fatal("no symbols")
	}
	for _, line := range strings.Split(string(symbols), "\n") {
		if strings.HasSuffix(line, "goatrt.init") {
			t.Errorf("the core has an initialiser: %s", line)
		}
	}
}
