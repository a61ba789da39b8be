// Command thirdparty runs the tests of other people's modules twice, plain and
// through goat, and demands the same result test by test.
//
// It is run by scripts/thirdparty:
//
//	scripts/thirdparty [-small] [-panics] [MODULE…]
//
// Every module is made into a git repository of two commits, the two versions
// that modules.txt names. The exit code is 0 when every module agrees and has
// points and hits, 1 otherwise.
package main

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

//go:embed modules.txt
var list string

// subject is one line of modules.txt.
type subject struct {
	module, base, release string
	packages              []string
	small                 bool
}

var errDiffer = errors.New("results differ")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "thirdparty: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("thirdparty", flag.ContinueOnError)
	fs.SetOutput(stderr)
	small := fs.Bool("small", false, "only the modules that CI runs")
	panics := fs.Bool("panics", false, "with goat test --panics")
	goat := fs.String("goat", envOr("GOAT_BIN", "goat"), "the goat binary")
	timeout := fs.Duration("timeout", 5*time.Minute, "packages that take longer under plain go are listed and left out")
	if err := fs.Parse(args); err != nil {
		return err
	}
	subjects, err := parseList(list)
	if err != nil {
		return err
	}
	var rows []row
	for _, s := range subjects {
		if *small && !s.small || fs.NArg() > 0 && !slices.Contains(fs.Args(), s.module) {
			continue
		}
		fmt.Fprintf(stderr, "%s %s..%s\n", s.module, s.base, s.release)
		r := compare(ctx, s, *goat, *timeout, *panics, stderr)
		rows = append(rows, r)
		fmt.Fprintf(stderr, "  %s: %d tests, %d differ, %d of %d points hit\n", r.verdict(), r.tests, r.differ, r.hits, r.points)
	}
	return printTable(stdout, rows)
}

func envOr(name, fallback string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return fallback
}

func parseList(text string) ([]subject, error) {
	var subjects []subject
	scanner := bufio.NewScanner(strings.NewReader(text))
	for scanner.Scan() {
		fields := strings.Fields(scanner.Text())
		if len(fields) == 0 || fields[0][0] == '#' {
			continue
		}
		if len(fields) < 3 {
			return nil, fmt.Errorf("modules.txt: %q: want MODULE BASE RELEASE", scanner.Text())
		}
		s := subject{module: fields[0], base: fields[1], release: fields[2]}
		for _, f := range fields[3:] {
			if f == "small" {
				s.small = true
				continue
			}
			s.packages = append(s.packages, f)
		}
		if len(s.packages) == 0 {
			s.packages = []string{"./..."}
		}
		subjects = append(subjects, s)
	}
	return subjects, scanner.Err()
}

// row is one line of the table.
type row struct {
	subject
	tests, differ int
	flaky, slow   []string
	points, hits  int
	err           error
	details       []string
}

func (r row) ok() bool {
	return r.err == nil && r.differ == 0 && r.points > 0 && r.hits > 0 && len(r.flaky)*100 <= r.tests
}

func (r row) verdict() string {
	switch {
	case r.err != nil:
		return "ERROR"
	case !r.ok():
		return "DIFFERS"
	}
	return "same"
}

func printTable(out io.Writer, rows []row) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "module\tbase\trelease\ttests\tdiffer\tleft out (flaky)\tslow packages\tpoints\thits\tverdict")
	bad := 0
	for _, r := range rows {
		if !r.ok() {
			bad++
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", r.module, r.base, r.release, r.tests, r.differ,
			len(r.flaky), len(r.slow), r.points, r.hits, r.verdict())
	}
	_ = w.Flush()
	for _, r := range rows {
		if r.err != nil {
			fmt.Fprintf(out, "%s: %v\n", r.module, r.err)
		}
		for _, d := range r.details {
			fmt.Fprintf(out, "%s: %s\n", r.module, d)
		}
		for _, f := range r.flaky {
			fmt.Fprintf(out, "%s: left out, two plain runs differ: %s\n", r.module, f)
		}
		for _, f := range r.slow {
			fmt.Fprintf(out, "%s: left out, slow under plain go: %s\n", r.module, f)
		}
	}
	fmt.Fprintf(out, "%d modules, %d differ\n", len(rows), bad)
	if bad > 0 {
		return errDiffer
	}
	return nil
}
