package main

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
)

// barIdle is what the hook may cost a panic that it does not record, barStorm what the
// record may cost a storm of them.
const (
	barIdle  = 1.02
	barStorm = 1.10
)

// stormPanics is how many panics the program has at once on all of its goroutines.
const stormPanics = 1_000_000

// panicFiles is a program that panics and recovers: near the surface, twenty calls deep, a
// million times on eight goroutines, and as often as the library does it to return from its
// own recursion. It prints nanoseconds of CPU time per panic.
var panicFiles = map[string]string{
	"go.mod": "module example.com/storm\n\ngo 1.23\n",
	"main.go": `package main

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"syscall"
	"text/template"
)

var _ = http.ErrAbortHandler

func spent() float64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Sec+usage.Stime.Sec)*1e9 + float64(usage.Utime.Usec+usage.Stime.Usec)*1e3
}

//go:noinline
func deep(n int) int {
	if n == 0 {
		panic("again")
	}
	return deep(n-1) + 1
}

//go:noinline
func guarded(n int) {
	defer func() { _ = recover() }()
	deep(n)
}

var failing = template.Must(template.New("").Parse("{{.Nothing}}"))

func flow(int) {
	if failing.Execute(io.Discard, 1) == nil {
		panic("it did not fail")
	}
}

func measure(count, goroutines, depth int, run func(int)) float64 {
	before := spent()
	var wait sync.WaitGroup
	for range goroutines {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for range count / goroutines {
				run(depth)
			}
		}()
	}
	wait.Wait()
	return (spent() - before) / float64(count)
}

func main() {
	measure(20000, 1, 20, guarded)
	fmt.Printf("{\"depth 1\":%f,\"depth 20\":%f,\"storm\":%f,\"flow\":%f}\n",
		measure(200000, 1, 1, guarded), measure(200000, 1, 20, guarded), measure(1000000, 8, 5, guarded), measure(1000000, 8, 0, flow))
}
`,
}

// panicHook compares a program that panics with itself: plain, with the hook switched off,
// and with each panic on record. Then it asks how many the record counts.
func (b *bench) panicHook(ctx context.Context) error {
	root := filepath.Join(b.work, "storm")
	release := map[string]string{"point.go": "package main\n\nfunc init() { spent() }\n"}
	if err := b.repository(ctx, root, panicFiles, release); err != nil {
		return err
	}
	plain, hooked := filepath.Join(b.work, "storm-plain"), filepath.Join(b.work, "storm-hooked")
	for _, line := range [][]string{{"go", "build", "-o", plain, "."}, {b.goat, "--base=v1", "build", "--panics", "-o", hooked, "."}} {
		if _, err := measure(ctx, root, nil, line...); err != nil {
			return err
		}
	}
	took, spool := map[string]series{}, filepath.Join(b.work, "storm-spool")
	for range b.pairs {
		for _, turn := range []struct{ name, binary, environment string }{
			{"plain", plain, "GOAT_OFF="}, {"idle", hooked, "GOAT_OFF=1"}, {"recorded", hooked, "GOAT_SPOOL=" + spool},
		} {
			if err := runHot(ctx, turn.binary, took, turn.name, turn.environment, "GOAT_ADDR=off"); err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(b.out, "\n== panics: ns of CPU per panic and recover, %d cores\n", runtime.NumCPU())
	for _, form := range []struct {
		name string
		bar  float64
	}{{"depth 1", 0}, {"depth 20", 0}, {"storm", barStorm}, {"flow", barStorm}} {
		b.row(form.name+": hook off", "ns", took[form.name+"plain"], took[form.name+"idle"], barIdle)
		b.row(form.name+": on record", "ns", took[form.name+"plain"], took[form.name+"recorded"], form.bar)
	}
	return b.counted(ctx, root, spool)
}

// counted fails where the record of a run lacks one of its panics; those of the library's
// own are counted apart.
func (b *bench) counted(ctx context.Context, root, spool string) error {
	const own = 20000 + 2*200000 + stormPanics
	condition := fmt.Sprintf("panics!=%d || flow!=%d", b.pairs*own, b.pairs*stormPanics)
	if _, err := measure(ctx, root, nil, b.goat, "panics", spool, "--fail-if", condition); err != nil {
		b.missed = append(b.missed, "the record does not have all panics: "+condition)
		fmt.Fprintf(b.out, "%v\n", err)
		return nil
	}
	fmt.Fprintf(b.out, "all of %d panics are on record\n", b.pairs*(own+stormPanics))
	return nil
}
