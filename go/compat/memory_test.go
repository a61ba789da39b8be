package compat

import (
	"os/exec"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/goat-trace/goat/go/internal/lab/script"
)

// memory MIB COMMAND...: the command, and what it becomes, never takes more.
func cmdMemory(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: memory mib command...")
	}
	limit, err := strconv.Atoi(args[0])
	ts.Check(err)
	cmd := exec.Command(ts.MkAbs(".bin/"+args[1]), args[2:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), script.Environ(ts)
	out, err := cmd.CombinedOutput()
	if err != nil {
		ts.Fatalf("%v: %s", err, out)
	}
	if peak := peakMemory(cmd.ProcessState); peak > int64(limit)<<20 {
		ts.Fatalf("%d KiB, more than %d MiB", peak>>10, limit)
	}
}
