// Command goat tells which code of a change really ran.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/goat-trace/goat/go/internal/cli"
)

func main() {
	os.Exit(run())
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}
