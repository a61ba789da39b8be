package gocmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Streams are the standard streams of a command.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// ErrNoGo says that there is no go command on PATH.
var ErrNoGo = errors.New("no go command on PATH")

// Run runs the go command and returns its exit code. When ctx ends, go is asked to
// stop as by Ctrl-C, and Run waits for it: go removes its own temporary files. PWD in
// env is how dir is spelled, where it names the same directory.
func Run(ctx context.Context, dir string, env Environ, args []string, s Streams) (int, error) {
	return Measure(ctx, dir, env, args, s, nil)
}

// Measure is [Run] that also notes what go took, where used is not nil.
func Measure(ctx context.Context, dir string, env Environ, args []string, s Streams, used *Usage) (int, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return 0, ErrNoGo
	}
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Env = dir, env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.In, s.Out, s.Err
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan struct{})
	go forward(ctx, cmd.Process, ended)
	watched, stop := context.WithCancel(ctx)
	defer stop()
	told := ""
	go watch(watched, func() []string { return []string{dir} }, func(pipe string) {
		if s.Err != nil && pipe != told {
			told = pipe
			fmt.Fprintf(s.Err, "goat: %v: it is empty to go from now on\n", &WaitError{Pipe: pipe})
		}
	})
	if used != nil {
		used.beforeReaping(cmd.Process.Pid)
	}
	err = cmd.Wait()
	close(ended)
	if used != nil {
		used.take(cmd, started)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exitCode(exit), nil
	}
	return 0, err
}

// forward passes on what ends goat: the signal itself where it was sent to goat
// alone (a terminal's Ctrl-C reaches go without us), an interrupt when ctx ends.
func forward(ctx context.Context, process *os.Process, ended <-chan struct{}) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	done := ctx.Done()
	for {
		select {
		case s := <-signals:
			_ = process.Signal(s)
		case <-done:
			_ = process.Signal(os.Interrupt)
			done = nil
		case <-ended:
			return
		}
	}
}

// exitCode is the code that a shell shows: 128 and the number for a signal.
func exitCode(exit *exec.ExitError) int {
	if code := exit.ExitCode(); code >= 0 {
		return code
	}
	return 130
}

// Looking are the arguments of a go command that goat runs for itself: where the user's
// flags let `go list` write go.mod (-mod=mod), its own look must not.
func Looking(env Environ, args []string) []string {
	if len(args) == 0 || args[0] != "list" {
		return args
	}
	const writes = "-mod=mod"
	is := func(flag string) bool { return flag == writes || flag == "-"+writes }
	if !slices.ContainsFunc(args, is) && !strings.Contains(env.Goflags(), writes) {
		return args
	}
	rest := slices.DeleteFunc(slices.Clone(args[1:]), is)
	return append([]string{"list", "-mod=readonly"}, rest...)
}

// Output runs the go command and returns what it writes to its standard output.
func Output(ctx context.Context, dir string, env Environ, args []string) ([]byte, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return nil, ErrNoGo
	}
	watched, stop := Watched(ctx, func() []string { return []string{dir} })
	defer stop()
	cmd := exec.CommandContext(watched, path, Looking(env, args)...)
	cmd.Dir, cmd.Env = dir, env.With("PWD", dir)
	out, err := cmd.Output()
	if waits := Waits(watched); waits != nil {
		return nil, waits
	}
	return out, err
}

// Listen is [Output] for what may take a while: what go prints about modules that it
// downloads goes to say, line by line, as it comes. said is the first line of what else
// it wrote to its standard error.
func Listen(ctx context.Context, dir string, env Environ, args []string, say func(string)) (out []byte, said string, err error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return nil, "", ErrNoGo
	}
	cmd := exec.CommandContext(ctx, path, Looking(env, args)...)
	cmd.Dir, cmd.Env = dir, env.With("PWD", dir)
	lines := &lineWriter{take: func(line string) {
		switch {
		case strings.HasPrefix(line, "go: downloading ") || strings.HasPrefix(line, "go: finding "):
			if say != nil {
				say(line)
			}
		case said == "":
			said = strings.TrimSpace(line)
		}
	}}
	cmd.Stderr = lines
	out, err = cmd.Output()
	lines.flush()
	return out, said, err
}

// lineWriter hands on whole lines.
type lineWriter struct {
	take func(line string)
	rest []byte
}

func (w *lineWriter) Write(text []byte) (int, error) {
	w.rest = append(w.rest, text...)
	for {
		end := bytes.IndexByte(w.rest, '\n')
		if end < 0 {
			return len(text), nil
		}
		w.take(string(w.rest[:end]))
		w.rest = w.rest[end+1:]
	}
}

func (w *lineWriter) flush() {
	if len(w.rest) > 0 {
		w.take(string(w.rest))
		w.rest = nil
	}
}
