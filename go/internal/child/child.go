// Package child runs other programs that must not hold goat: what they print is bounded,
// and they end together with all that they started.
package child

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// grace is how long a program may take to end when it is told to.
const grace = 2 * time.Second

// Command is a program that ends with ctx, and whose children cannot hold us.
func Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = grace
	Isolate(cmd)
	return cmd
}

// Output runs a program to its end and returns what it prints, at most so many bytes. The
// errors name the program and its first argument.
func Output(ctx context.Context, patience time.Duration, most int, name string, args ...string) ([]byte, error) {
	what := name
	if len(args) > 0 {
		what += " " + args[0]
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := Command(ctx, name, args...)
	out, complaint := NewLimited(most), NewLimited(4<<10)
	cmd.Stdout, cmd.Stderr = out, complaint
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("there is no %s on PATH", name)
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%s: no answer within %s", what, patience)
	case out.left < 0:
		return nil, fmt.Errorf("%s: the answer is too large", what)
	case err != nil:
		if file, _, ok := Unrunnable(err); ok {
			return nil, fmt.Errorf("%s: %s", what, file)
		}
		return nil, fmt.Errorf("%s: %s", what, Said(complaint.String(), err))
	}
	return out.buffer.Bytes(), nil
}

// Unrunnable tells the failure to start a program whose file the system cannot run, such as
// an empty one, or a script without its interpreter; hint is what to do about it.
func Unrunnable(err error) (what, hint string, ok bool) {
	var e *fs.PathError
	if !errors.As(err, &e) || e.Op != "fork/exec" {
		return "", "", false
	}
	for _, reason := range []error{syscall.ENOEXEC, syscall.EACCES, syscall.EPERM, syscall.ENOENT} {
		if errors.Is(e.Err, reason) {
			name := filepath.Base(e.Path)
			return fmt.Sprintf("%s is no program that runs here: %v", e.Path, e.Err),
				fmt.Sprintf("put another %s before it in PATH, or remove it: `type -a %[1]s` lists all of them", name), true
		}
	}
	return "", "", false
}

// Said is the last line of what a command complained about, else how it ended.
func Said(complaint string, err error) string {
	lines := strings.Split(strings.TrimSpace(complaint), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return last
	}
	return err.Error()
}

// Limited keeps only so many bytes; what is more is dropped.
type Limited struct {
	buffer bytes.Buffer
	mu     sync.Mutex
	left   int
}

// NewLimited keeps at most so many bytes.
func NewLimited(most int) *Limited { return &Limited{left: most} }

func (l *Limited) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(data) <= l.left {
		_, _ = l.buffer.Write(data)
	}
	l.left -= len(data)
	return len(data), nil
}

func (l *Limited) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.String()
}
