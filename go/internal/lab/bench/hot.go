package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

const (
	// barHot is what a point that was hit may cost its function.
	barHot = 1.10
	// barWindow is what windows may add to that.
	barWindow = 1.02
)

// hotBase and hotRelease differ in the two functions that the program calls: a small
// one that is inlined (its point is a store) and one that is not (exact).
var (
	hotBase = map[string]string{
		"go.mod": "module example.com/hot\n\ngo 1.23\n",
		"work/work.go": `package work

func Small(x uint64) uint64 { return x }

func Large(x uint64) uint64 { return x }
`,
		"main.go": `package main

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"

	"example.com/hot/work"
)

const goroutines = 16

var rounds = 8_000_000

func spent() float64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Sec) + float64(usage.Utime.Usec)/1e6
}

func measure(f func(x uint64) uint64) float64 {
	before := spent()
	var wait sync.WaitGroup
	sums := make([]uint64, goroutines*16)
	for i := 0; i < goroutines; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			sums[i*16] = f(uint64(i))
		}()
	}
	wait.Wait()
	return (spent() - before) * 1e9 / goroutines / float64(rounds)
}

func small(x uint64) uint64 {
	for i, n := 0, rounds; i < n; i++ {
		x = work.Small(x)
	}
	return x
}

func large(x uint64) uint64 {
	for i, n := 0, rounds; i < n; i++ {
		x = work.Large(x)
	}
	return x
}

func main() {
	if n, err := strconv.Atoi(os.Getenv("HOT_ROUNDS")); err == nil {
		rounds = n
	}
	measure(small)
	fmt.Fprintf(os.Stdout, "{\"store\":%f,\"exact\":%f}\n", measure(small), measure(large))
}
`,
	}
	hotRelease = map[string]string{
		"work/work.go": `package work

func Small(x uint64) uint64 {
	return x*6364136223846793005 + 1442695040888963407
}

//go:noinline
func Large(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
`,
	}
)

// hotCheckout makes the repository of the hot program, once.
func (b *bench) hotCheckout(ctx context.Context) (*checkout, error) {
	c := &checkout{subject: subject{module: "example.com/hot", base: "v1", program: "."}, root: filepath.Join(b.work, "hot"), path: "example.com/hot"}
	if _, err := os.Stat(c.root); err == nil {
		return c, nil
	}
	return c, b.repository(ctx, c.root, hotBase, hotRelease)
}

// repository makes one with the base as tag v1 and the release in the working tree.
func (b *bench) repository(ctx context.Context, root string, base, release map[string]string) error {
	git := func(args ...string) error {
		all := append([]string{"-C", root, "-c", "user.name=bench", "-c", "user.email=bench@example.com"}, args...)
		_, err := measure(ctx, b.work, nil, append([]string{"git"}, all...)...)
		return err
	}
	if err := writeFiles(root, base); err != nil {
		return err
	}
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"commit", "-q", "-m", "v1"}, {"tag", "v1"}} {
		if err := git(args...); err != nil {
			return err
		}
	}
	return writeFiles(root, release)
}

func writeFiles(root string, files map[string]string) error {
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			return err
		}
	}
	return nil
}

// hotPath compares a program with points, which all goroutines have hit, with the
// same program without.
func (b *bench) hotPath(ctx context.Context) error {
	s, err := b.hotCheckout(ctx)
	if err != nil {
		return err
	}
	binaries := map[string]string{}
	for _, v := range b.variants {
		binaries[v.name] = filepath.Join(b.work, "hot-"+v.name)
		if _, err := b.build(ctx, s, v, b.cache("hot"), "-o", binaries[v.name], s.program); err != nil {
			return err
		}
	}
	took := map[string]series{}
	for round := range b.pairs {
		for turn := range b.variants {
			v := b.variants[(turn+round)%len(b.variants)]
			if err := runHot(ctx, binaries[v.name], took, v.name); err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(b.out, "\n== the hot path: 16 goroutines on one point, %d cores, ns of CPU per call\n", runtime.NumCPU())
	for _, form := range []string{"store", "exact"} {
		for _, v := range b.variants[1:] {
			if v.name == "pass-through" {
				continue
			}
			b.row(form+": "+v.name, "ns", took[form+"plain"], took[form+v.name], onlyGoat(v, barHot))
		}
	}
	return nil
}

// runHot runs the hot program once and notes its figures under a name.
func runHot(ctx context.Context, binary string, took map[string]series, name string, environment ...string) error {
	command := exec.CommandContext(ctx, binary)
	command.Env = append(os.Environ(), environment...)
	out, err := command.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", binary, err)
	}
	var figures map[string]float64
	if err := json.Unmarshal(out, &figures); err != nil {
		return err
	}
	for form, ns := range figures {
		took[form+name] = append(took[form+name], ns)
	}
	return nil
}

// windows compares the program with itself: points on record, windows off and on, ten
// times as short as they are by default, and for long enough to have many. How far the same
// setting is from itself says what the first figure is worth on this machine.
func (b *bench) windows(ctx context.Context) error {
	s, err := b.hotCheckout(ctx)
	if err != nil {
		return err
	}
	binary := filepath.Join(b.work, "windows-goat")
	if _, err := b.build(ctx, s, variantGoat, b.cache("hot"), "-o", binary, s.program); err != nil {
		return err
	}
	took, long := map[string]series{}, "40000000"
	if b.pairs == 1 {
		long = "" // a smoke test
	}
	settings := []struct{ name, window string }{{"off", "0"}, {"on", "100ms"}, {"again", "0"}}
	for round := range b.pairs {
		for turn := range settings {
			setting := settings[(turn+round)%len(settings)]
			if err := runHot(ctx, binary, took, setting.name, "GOAT_SPOOL="+filepath.Join(b.work, "hot-spools"), "GOAT_WINDOW="+setting.window, "HOT_ROUNDS="+long); err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(b.out, "\n== windows: 16 goroutines on one point, %d cores, ns of CPU per call\n", runtime.NumCPU())
	for _, form := range []string{"store", "exact"} {
		b.row(form+": windows of 100ms against none", "ns", took[form+"off"], took[form+"on"], barWindow)
		b.row(form+": none against none", "ns", took[form+"off"], took[form+"again"], 0)
	}
	return nil
}
