package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// variant is one way of building.
type variant struct {
	name string
	// command is what stands before the build's arguments.
	command func(s *checkout) []string
}

var (
	variantPlain = variant{"plain", func(*checkout) []string { return []string{"go", "build"} }}
	variantGoat  = variant{"goat", nil}
)

// variants are all of them, plain go first.
func variants(b *bench) []variant {
	fixed := func(name string, words ...string) variant {
		return variant{name, func(*checkout) []string { return words }}
	}
	variantGoat.command = func(s *checkout) []string { return []string{b.goat, "--base=" + s.base, "build"} }
	return []variant{
		variantPlain,
		variantGoat,
		fixed("pass-through", "go", "build", "-toolexec="+b.pass),
		fixed("go build -cover (set)", "go", "build", "-cover", "-covermode=set"),
		fixed("go build -cover (atomic)", "go", "build", "-cover", "-covermode=atomic"),
	}
}

// result is what a run took.
type result struct {
	cpu    time.Duration
	wall   time.Duration
	rss    int64 // of the largest process, in bytes; 0 where the system does not say
	stderr []byte
}

// build runs one build in the subject, with its own caches.
func (b *bench) build(ctx context.Context, s *checkout, v variant, cache string, args ...string) (result, error) {
	line := append(v.command(s), args...)
	return measure(ctx, s.root, []string{"GOCACHE=" + cache, "GOAT_CACHE=" + cache + "-goat"}, line...)
}

// measure runs a command.
func measure(ctx context.Context, dir string, env []string, line ...string) (result, error) {
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stderr = dir, append(os.Environ(), env...), &stderr
	start := time.Now()
	err := cmd.Run()
	r := result{wall: time.Since(start), stderr: stderr.Bytes()}
	if err != nil {
		return r, fmt.Errorf("%v: %w\n%s", line, err, stderr.Bytes())
	}
	r.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	r.rss = largest(cmd.ProcessState)
	return r, nil
}

// program builds a Go program of one file and returns the binary's path.
func program(ctx context.Context, dir, source string) (string, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	file, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "main")
	if err := os.WriteFile(file, []byte(source), 0o666); err != nil {
		return "", err
	}
	_, err := measure(ctx, dir, []string{"GOFLAGS=", "GOWORK=off"}, "go", "build", "-o", binary, file)
	return binary, err
}

// passSource is a helper for -toolexec that runs the tool and nothing else.
const passSource = `package main

import (
	"os"
	"os/exec"
)

func main() {
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		os.Exit(1)
	}
}
`
