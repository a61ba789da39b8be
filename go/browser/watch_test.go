package browser_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// terminal is goat watch in a pseudo-terminal, and all that it has written.
type terminal struct {
	t    *testing.T
	cmd  *exec.Cmd
	file *os.File
	done chan error

	mu      sync.Mutex
	out     bytes.Buffer
	written chan struct{} // closed and made anew with each output
}

func (s *session) watch(t *testing.T, rows, columns uint16, args ...string) *terminal {
	t.Helper()
	cmd := exec.Command(s.goat, append([]string{"watch", s.track}, args...)...)
	cmd.Dir, cmd.Env = s.repo, append(environment(), "TERM=xterm-256color")
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: rows, Cols: columns})
	if err != nil {
		t.Fatal(err)
	}
	w := &terminal{t: t, cmd: cmd, file: file, done: make(chan error, 1), written: make(chan struct{})}
	read := make(chan struct{})
	go func() {
		defer close(read)
		buffer := make([]byte, 4096)
		for {
			n, err := file.Read(buffer)
			w.mu.Lock()
			w.out.Write(buffer[:n])
			close(w.written)
			w.written = make(chan struct{})
			w.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	go func() {
		err := cmd.Wait()
		<-read
		w.done <- err
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill(); file.Close() })
	return w
}

func (w *terminal) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.String()
}

// frames are the screens that were drawn as a whole.
func (w *terminal) frames() []string {
	var frames []string
	for _, part := range strings.Split(w.text(), "\x1b[?2026h\x1b[H")[1:] {
		if frame, _, whole := strings.Cut(part, "\x1b[J\x1b[?2026l"); whole {
			frames = append(frames, strings.ReplaceAll(frame, "\x1b[K", ""))
		}
	}
	return frames
}

// until waits for a frame of which something is true.
func (w *terminal) until(what string, is func(frame string) bool) string {
	w.t.Helper()
	for late := time.After(patience); ; {
		w.mu.Lock()
		more := w.written
		w.mu.Unlock()
		if frames := w.frames(); len(frames) > 0 && is(frames[len(frames)-1]) {
			return frames[len(frames)-1]
		}
		select {
		case <-more:
		case <-late:
			w.t.Fatalf("%s: not seen in\n%s", what, w.text())
		}
	}
}

func (w *terminal) send(keys string) {
	w.t.Helper()
	if _, err := io.WriteString(w.file, keys); err != nil {
		w.t.Fatal(err)
	}
}

func (w *terminal) code() int {
	w.t.Helper()
	select {
	case err := <-w.done:
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exit.ExitCode()
		}
		return 0
	case <-time.After(patience):
		w.t.Fatalf("goat watch does not end:\n%s", w.text())
		return -1
	}
}

func has(text string) func(string) bool {
	return func(frame string) bool { return strings.Contains(frame, text) }
}

func TestWatchInATerminal(t *testing.T) {
	s := theSession(t)
	w := s.watch(t, 14, 90)
	frame := w.until("the first table", has("points ran"))
	lines := strings.Split(frame, "\r\n")
	if len(lines) != 14 || !strings.Contains(lines[2], "✗ no") || !strings.Contains(lines[13], "more (") {
		t.Errorf("the window has 14 rows, the table:\n%s", frame)
	}
	w.send("?")
	w.until("the help", has("this help"))
	w.send("?/coupon\r")
	w.until("the filter", func(f string) bool { return strings.Contains(f, "match /coupon") && !strings.Contains(f, "cart.go") })
	w.send("\x1b")
	w.until("no filter", has("cart.go"))
	if err := pty.Setsize(w.file, &pty.Winsize{Rows: 8, Cols: 50}); err != nil {
		t.Fatal(err)
	}
	w.until("the smaller window", func(f string) bool { return strings.Count(f, "\r\n") == 7 })
	w.send("q")
	if code := w.code(); code != 0 {
		t.Errorf("q ends with %d", code)
	}
	text := w.text()
	if !strings.HasPrefix(text, "\x1b[?1049h") || strings.Contains(text, "\x1b[3J") {
		t.Errorf("the alternate screen is not used, or the scrollback cleared: %q", text[:40])
	}
	_, after, _ := strings.Cut(text, "\x1b[?1049l")
	if !strings.Contains(after, "points ran") && !strings.Contains(after, "% ") || !strings.Contains(after, "✗ no") {
		t.Errorf("no table stays: %q", after)
	}
}

// A hit shows while the table is open; when enough ran, it ends by itself.
func TestWatchUntil(t *testing.T) {
	s := theSession(t)
	w := s.watch(t, 40, 120, "--until", "0.6")
	w.until("the table", has("to go"))
	s.get(t, "/orders/1/invoice")
	if code := w.code(); code != 0 {
		t.Errorf("reached, and it ends with %d", code)
	}
}

func TestWatchEndsWithItsTerminal(t *testing.T) {
	s := theSession(t)
	w := s.watch(t, 20, 80)
	w.until("the table", has("points ran"))
	w.file.Close()
	w.code()
}

func TestWatchCtrlC(t *testing.T) {
	s := theSession(t)
	w := s.watch(t, 20, 80)
	w.until("the table", has("points ran"))
	w.send("\x03")
	if code := w.code(); code != 130 {
		t.Errorf("Ctrl-C ends with %d", code)
	}
	w = s.watch(t, 20, 80)
	w.until("the table", has("points ran"))
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	w.code()
	if !strings.Contains(w.text(), "\x1b[?1049l") {
		t.Error("the terminal was left on the alternate screen")
	}
}

func TestWatchTimesOut(t *testing.T) {
	s := theSession(t)
	w := s.watch(t, 30, 100, "--until", "1", "--timeout", "1500ms")
	if code := w.code(); code != 1 || !strings.Contains(w.text(), "was not reached within 1.5s") {
		t.Errorf("code %d:\n%s", code, w.text())
	}
}
