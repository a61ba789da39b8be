// Command bench measures what goat costs beside plain go, `go build -cover` and a
// helper that does nothing, on real programs from the module proxy.
//
// It is run by scripts/bench:
//
//	scripts/bench [-pairs N] [-only PART,…] [SUBJECT…]
//
// Every build is measured in user+sys CPU seconds of go and all that it runs;
// variants take turns, and each ratio is the median of the ratios round by round, so
// that other load on the machine falls on all alike.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// bench is one run.
type bench struct {
	out      io.Writer
	work     string
	goat     string
	pass     string // the helper that does nothing
	pairs    int
	variants []variant
	// missed are bars that were missed: ratios, which do not depend on the load of the
	// machine, by more than slack.
	missed []string
	// points and changed are sums over the subjects, for the inlining figure.
	points, changed int
}

// parts are what -only may name.
var parts = []string{"helper", "hot", "windows", "panics", "profiles", "large", "fleet", "plan", "size", "inline", "builds", "timings"}

func run(ctx context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	pairs := fs.Int("pairs", 9, "how many rounds; each variant is measured once per round")
	only := fs.String("only", "", "parts to run, of "+strings.Join(parts, ","))
	small := fs.Bool("small", false, "a smoke test: one round, the smallest subject, no builds")
	goat := fs.String("goat", os.Getenv("GOAT_BIN"), "the goat binary")
	if err := fs.Parse(args); err != nil {
		return err
	}
	wanted, all := parts, subjects
	if *small {
		wanted, all, *pairs = []string{"helper", "hot", "windows", "plan", "size", "inline"}, []subject{smallest}, 1
	}
	if *only != "" {
		wanted = strings.Split(*only, ",")
	}
	for _, part := range wanted {
		if !slices.Contains(parts, part) {
			return fmt.Errorf("no part %q; there are %s", part, strings.Join(parts, ", "))
		}
	}
	chosen, err := choose(all, fs.Args())
	if err != nil {
		return err
	}
	if *goat == "" {
		return errors.New("no goat binary: make build, then -goat or GOAT_BIN")
	}
	work, err := os.MkdirTemp("", "goat-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	b := &bench{out: out, work: work, goat: *goat, pairs: *pairs}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	return b.all(ctx, chosen, func(part string) bool { return slices.Contains(wanted, part) })
}

// prepare takes what would change the figures out of the environment, builds the
// helper that does nothing, and prints what the figures were measured on.
func (b *bench) prepare(ctx context.Context) error {
	for _, name := range []string{"GOAT_BASE", "GOAT_RELEASE", "GOAT_CONFIG", "GOAT_SPOOL", "GOAT_TOOLEXEC_LOG", "GOAT_TIMINGS", "GOFLAGS", "GOEXPERIMENT"} {
		os.Unsetenv(name)
	}
	os.Setenv("GOFLAGS", "-buildvcs=false")
	os.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	os.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	var err error
	if b.pass, err = program(ctx, filepath.Join(b.work, "pass"), passSource); err != nil {
		return err
	}
	b.variants = variants(b)
	version, err := exec.CommandContext(ctx, "go", "env", "GOVERSION").Output()
	fmt.Fprintf(b.out, "%s, %s/%s, %d cores, %d rounds; CPU is user+sys\n", strings.TrimSpace(string(version)),
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), b.pairs)
	return err
}

func (b *bench) all(ctx context.Context, chosen []subject, wanted func(string) bool) error {
	alone := map[string]func(context.Context) error{"helper": b.helperCost, "hot": b.hotPath, "windows": b.windows, "panics": b.panicHook, "profiles": b.profiles, "large": b.largeFunctions, "fleet": b.fleetReport}
	for _, part := range parts {
		if measure := alone[part]; measure != nil && wanted(part) {
			if err := measure(ctx); err != nil {
				return err
			}
		}
	}
	ofSubjects := func(part string) bool { return alone[part] == nil && wanted(part) }
	for _, s := range chosen {
		if !slices.ContainsFunc(parts, ofSubjects) {
			break
		}
		if err := b.subject(ctx, s, wanted); err != nil {
			return fmt.Errorf("%s: %w", s.module, err)
		}
	}
	if wanted("inline") {
		b.inliningSum()
	}
	if len(b.missed) > 0 {
		return fmt.Errorf("missed: %s", strings.Join(b.missed, "; "))
	}
	return nil
}

// subject measures everything about one program.
func (b *bench) subject(ctx context.Context, s subject, wanted func(string) bool) error {
	c, err := b.checkout(ctx, s)
	if err != nil {
		return err
	}
	defer os.RemoveAll(c.root)
	fmt.Fprintf(b.out, "\n== %s %s..%s, %d points\n", s.module, s.base, s.release, c.points)
	steps := []struct {
		part string
		run  func(context.Context, *checkout) error
	}{
		{"plan", b.planning}, {"size", b.binaries}, {"inline", b.inlining}, {"builds", b.builds}, {"timings", b.timings},
	}
	for _, step := range steps {
		if !wanted(step.part) || slices.Contains(s.without, step.part) {
			continue
		}
		if err := step.run(ctx, c); err != nil {
			return err
		}
	}
	return clearCaches(b.work)
}
