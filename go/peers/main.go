// Command peers reads one goroutine dump with goat and with the parsers that others have
// published, in one process, and says how many goroutines each finds and what CPU time it
// takes. scripts/peers builds and runs it.
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/DataDog/gostackparse"
	"github.com/maruel/panicparse/v2/stack"

	"github.com/goat-trace/goat/go"
)

// peer reads a dump and returns how many goroutines it found, and in how many groups; 0
// for those that make none.
type peer struct {
	name string
	read func(path string, text []byte) (goroutines, groups int, err error)
}

var peers = []peer{
	{"goat", readGoat},
	{"gostackparse", func(_ string, text []byte) (int, int, error) {
		found, errs := gostackparse.Parse(bytes.NewReader(text))
		return len(found), 0, errors.Join(errs...)
	}},
	{"panicparse, any value", readPanicparse},
}

func readGoat(path string, _ []byte) (goroutines, groups int, err error) {
	found, err := goat.Dump(context.Background(), goat.DumpOptions{Sources: []goat.DumpSource{{Name: path, Path: path}}})
	if err != nil {
		return 0, 0, err
	}
	return int(found.Source.Parsed), len(found.Clusters), nil
}

func readPanicparse(_ string, text []byte) (goroutines, groups int, err error) {
	options := stack.DefaultOpts()
	options.GuessPaths, options.AnalyzeSources = false, false
	rest := io.Reader(bytes.NewReader(text))
	for {
		found, tail, err := stack.ScanSnapshot(rest, io.Discard, options)
		if found != nil {
			goroutines += len(found.Goroutines)
			groups += len(found.Aggregate(stack.AnyValue).Buckets)
		}
		if err == io.EOF || found == nil {
			return goroutines, groups, nil
		}
		if err != nil {
			return goroutines, groups, err
		}
		rest = io.MultiReader(bytes.NewReader(tail), rest)
	}
}

// cpu is the user and system time of this process so far.
func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func main() {
	runs := flag.Int("runs", 5, "how often each reads the dump; the best counts")
	flag.Parse()
	for _, path := range flag.Args() {
		if err := compare(path, *runs); err != nil {
			fmt.Fprintln(os.Stderr, "peers:", err)
			os.Exit(1)
		}
	}
}

func compare(path string, runs int) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %.1f MB\n| reader | goroutines | groups | CPU | times goat's |\n|---|--:|--:|--:|--:|\n", path, float64(len(text))/1e6)
	var first time.Duration
	for _, p := range peers {
		var times []time.Duration
		var goroutines, groups int
		var failed error
		for range runs {
			runtime.GC()
			before := cpu()
			goroutines, groups, failed = p.read(path, text)
			times = append(times, cpu()-before)
		}
		best := slices.Min(times)
		first = cmp.Or(first, best)
		note := ""
		if failed != nil {
			note = ", and an error"
		}
		fmt.Printf("| %s | %d%s | %d | %.1f ms | %.1f |\n", p.name, goroutines, note, groups, best.Seconds()*1e3, float64(best)/float64(first))
	}
	return nil
}
