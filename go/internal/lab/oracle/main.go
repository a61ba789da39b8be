// Command oracle compares what goat says of a release with three tools that
// know nothing of goat: git (which lines are new), cmd/cover (which lines ran)
// and go/ast (which lines hold executable code).
//
// It is run by scripts/oracle:
//
//	scripts/oracle [flags] REPO BASE RELEASE
//
// REPO is cloned into a temporary directory; the given one is only read. A REPO
// of the form module:PATH is a pair of two versions of that module instead, and
// random:SEED (with v1 and v2) a random program and an edit of it; with
// GOAT_PROPERTY_SECONDS as many of them as fit, from that seed on. Exit
// code 0: no disagreement; 1: disagreements, each printed; 2: usage; 4: a tool
// failed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// options is what the command line says.
type options struct {
	goat        string
	repo        string
	base        string
	release     string
	dir         string
	precisions  string
	granularity string
	packages    string
	testArgs    string
	oracles     string
	inject      bool
	keep        bool
	verbose     bool
}

// errDisagree says that the comparison worked and found differences.
var errDisagree = errors.New("the oracle disagrees")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case errors.Is(err, errDisagree):
		os.Exit(1)
	default:
		fmt.Fprintf(os.Stderr, "oracle: %v\n", err)
		os.Exit(4)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseFlags(args, stderr)
	if err != nil {
		return err
	}
	if strings.HasPrefix(o.repo, "random:") {
		return randomRounds(ctx, o, stdout, func(o options) error { return compare(ctx, o, stdout) })
	}
	return compare(ctx, o, stdout)
}

// compare runs the oracles on one checkout.
func compare(ctx context.Context, o options, stdout io.Writer) error {
	tree, cleanup, err := checkout(ctx, o)
	if err != nil {
		return err
	}
	defer cleanup()
	s := &session{options: o, tree: tree, dir: filepath.Join(tree, filepath.FromSlash(o.dir)), out: stdout}
	started := time.Now()
	for _, name := range strings.Split(o.oracles, ",") {
		var err error
		switch name {
		case "git":
			err = s.gitOracle(ctx)
		case "ast":
			err = s.astOracle(ctx)
		case "cover":
			err = s.coverOracle(ctx)
		case "live":
			err = s.liveOracle(ctx)
		case "same":
			err = s.sameOracle(ctx)
		default:
			err = fmt.Errorf("unknown oracle %q: known are git, ast, live, cover and same", name)
		}
		if err != nil {
			return fmt.Errorf("%s oracle: %w", name, err)
		}
	}
	fmt.Fprintf(stdout, "%d disagreements (%s)\n", s.disagreements, time.Since(started).Round(time.Second))
	if s.disagreements > 0 {
		return errDisagree
	}
	return nil
}

func parseFlags(args []string, stderr io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("oracle", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() {
		fmt.Fprintln(stderr, "usage: scripts/oracle [flags] REPO BASE RELEASE")
		fs.PrintDefaults()
	}
	fs.StringVar(&o.goat, "goat", envOr("GOAT_BIN", "goat"), "the goat binary")
	fs.StringVar(&o.dir, "dir", "", "module directory inside the repository")
	fs.StringVar(&o.precisions, "precision", "2,3", "precisions that the git and ast oracles compare")
	fs.StringVar(&o.granularity, "granularity", "line,patch,scope,func", "granularities that the cover oracle compares")
	fs.StringVar(&o.packages, "packages", "./...", "package patterns whose tests the cover oracle runs, separated by spaces")
	fs.StringVar(&o.testArgs, "test-args", "-short", "more arguments for go test, separated by spaces")
	fs.StringVar(&o.oracles, "oracles", "git,ast,live,cover", "which to run; same: one plan on any number of threads")
	fs.BoolVar(&o.inject, "inject", false, "exchange the hits of two points first: the cover oracle must then disagree")
	fs.BoolVar(&o.keep, "keep", false, "keep the temporary directory and print its name")
	fs.BoolVar(&o.verbose, "v", false, "print every line that is left out")
	if err := fs.Parse(args); err != nil {
		return o, flag.ErrHelp
	}
	if fs.NArg() != 3 {
		fs.Usage()
		return o, flag.ErrHelp
	}
	o.repo, o.base, o.release = fs.Arg(0), fs.Arg(1), fs.Arg(2)
	return o, nil
}

func envOr(name, fallback string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return fallback
}
