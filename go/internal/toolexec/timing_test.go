package toolexec

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Two write the log of a build, this package and the core: the same bytes of the same run.
func TestRecordLines(t *testing.T) {
	text, err := os.ReadFile("../../../testdata/timings/records.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, Tool, ImportPath, Line string
		Args, Report                 []string
		OutBytes, Exit, Times        int
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) == 0 {
		t.Fatal(err)
	}
	t.Setenv("GOOS", "")
	t.Setenv("GOARCH", "")
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name, text string) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			write("VERSION", "go1.99.9\ntime 2026\n")
			if c.OutBytes > 0 {
				write("x.a", strings.Repeat("x", c.OutBytes))
			}
			args := strings.Split(strings.ReplaceAll(strings.Join(c.Args, "\n"), "DIR", dir), "\n")
			tool := filepath.Join(dir, "pkg/tool/x", c.Tool)
			t.Setenv("TOOLEXEC_IMPORTPATH", c.ImportPath)
			h := &helper{tool: tool, timings: filepath.Join(dir, "run-1"+TimingsSuffix)}
			r := h.newRecord(exec.Command(tool, args...), args, false)
			r.PID, r.Start, r.Wall, r.User, r.Sys, r.MaxRSS, r.Exit, r.Self = 7, 1, 2, 3, 4, 5, c.Exit, [2]int64{6, 7}
			r.takeCompiler(strings.Repeat(strings.Join(c.Report, "\n")+"\n", c.Times))
			line, err := r.line()
			want := strings.NewReplacer("OS", runtime.GOOS, "ARCH", runtime.GOARCH).Replace(c.Line)
			if err != nil || string(line) != "\n"+want+"\n" {
				t.Errorf("%v:\n%s\nnot\n%s", err, line, want)
			}
		})
	}
}
