// Command goat tells which code of a change really ran.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/goat-trace/goat/go/internal/cli"
	_ "github.com/goat-trace/goat/go/internal/native/early"
)

func main() {
	// The helper runs once per tool of a build: it needs none of what follows, and
	// mostly not even this (package early).
	if args := cli.Arguments(); len(args) > 2 && args[1] == "toolexec" && !isHelp(args[2]) {
		os.Exit(cli.Toolexec(args[2:]))
	}
	os.Exit(run())
}

func isHelp(arg string) bool { return arg == "--help" || arg == "-h" }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal asks to stop; the second one ends the process as usual.
	context.AfterFunc(ctx, stop)
	return cli.Main(ctx, cli.Words(os.Args), os.Stdin, os.Stdout, os.Stderr)
}
