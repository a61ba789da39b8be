package reload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/goat-trace/goat/go/internal/child"
)

// program is the user's, running on a scratch copy.
type program struct {
	s      *Settings
	cmd    *exec.Cmd
	end    context.CancelFunc
	output *lines
	done   chan struct{}
	err    error
}

// lines is what a program writes: how many lines match, and the last ones.
type lines struct {
	mu      sync.Mutex
	reload  *regexp.Regexp
	ready   *regexp.Regexp
	reloads int
	isReady bool
	rest    []byte
	last    string
}

func (l *lines) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, data...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			break
		}
		l.rest = rest
		if l.reload != nil && l.reload.Match(line) {
			l.reloads++
		}
		l.isReady = l.isReady || l.ready != nil && l.ready.Match(line)
		if text := strings.TrimSpace(string(line)); text != "" {
			l.last = text
		}
	}
	if len(l.rest) > 64<<10 {
		l.rest = nil
	}
	return len(data), nil
}

func (l *lines) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reloads
}

func (l *lines) said() (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last, l.isReady
}

func pattern(text string) *regexp.Regexp {
	if text == "" {
		return nil
	}
	return regexp.MustCompile(text) // was compiled when the settings were read
}

// errNoStart is a program that cannot even be run.
type errNoStart struct{ error }

// startTime is how long a program may take to come up.
const startTime = 20 * time.Second

// start runs the program and waits until it is up.
func start(ctx context.Context, s *Settings, dir, scratch string) (*program, error) {
	life, end := context.WithCancel(ctx)
	args := s.arguments(scratch)
	p := &program{s: s, end: end, done: make(chan struct{}), output: &lines{reload: pattern(s.Observe.Log), ready: pattern(s.Ready)}}
	p.cmd = child.Command(life, args[0], args[1:]...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, p.output, p.output
	if err := p.cmd.Start(); err != nil {
		end()
		return nil, errNoStart{fmt.Errorf("the program cannot be started: %w", err)}
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	if err := p.up(ctx); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// up waits until the program answers or says that it is up.
func (p *program) up(ctx context.Context) error {
	limit := time.Now().Add(startTime)
	for {
		// In this order: what a program said before it ended is all there once it has ended.
		alive := p.lives()
		last, ready := p.output.said()
		if ready && p.s.Ready != "" || p.s.Ready == "" && p.s.Observe.URL == "" && time.Until(limit) < startTime-500*time.Millisecond {
			return nil
		}
		if p.s.Ready == "" && p.s.Observe.URL != "" {
			if _, err := p.value(ctx); err == nil {
				return nil
			}
		}
		switch {
		case !alive:
			return fmt.Errorf("the program ended before it was up (%v): %s", p.err, last)
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Now().After(limit):
			return fmt.Errorf("the program is not up within %s; the last that it said: %s", startTime, last)
		}
		pause(ctx, step)
	}
}

// endTime is how long the end of a program that answers no more is waited for.
const endTime = 500 * time.Millisecond

// await waits for the program's end.
func (p *program) await(ctx context.Context, atMost time.Duration) {
	ctx, stop := context.WithTimeout(ctx, atMost)
	defer stop()
	select {
	case <-p.done:
	case <-ctx.Done():
	}
}

func (p *program) lives() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// kill ends it, with all that it started.
func (p *program) kill() {
	p.end()
	<-p.done
}

// stop asks it to end, and ends it if it does not; ignored says that it had to.
func (p *program) stop() (ignored bool) {
	if p.lives() && p.cmd.Process.Signal(syscall.SIGTERM) == nil {
		select {
		case <-p.done:
		case <-time.After(2 * time.Second):
			ignored = true
		}
	}
	p.kill()
	return ignored
}

// value is what shows the state of the configuration: what url answers, or how often the
// program has said that it reloaded.
func (p *program) value(ctx context.Context) (string, error) {
	if p.s.Observe.URL == "" {
		if !p.lives() {
			return "", errors.New("the program has ended")
		}
		return fmt.Sprint(p.output.count()), nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return observed(ctx, p.s.Observe.URL, p.s.Observe.Path)
}

// step is the time between two looks at the program.
const step = 20 * time.Millisecond

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
