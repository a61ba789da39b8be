package fleet

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"time"
)

const (
	// maxList bounds what kubectl may print of the pods.
	maxList = 64 << 20
	// grace is how long a kubectl may take to end when it is told to.
	grace = 2 * time.Second
)

var errNoKubectl = errors.New("there is no kubectl on PATH")

// output runs kubectl to its end and returns what it prints.
func (p *Pods) output(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, p.patience())
	defer cancel()
	cmd := p.command(ctx, args...)
	var out, complaint limited
	out.left, complaint.left = maxList, 4<<10
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errNoKubectl
	case ctx.Err() != nil:
		return nil, fmt.Errorf("kubectl %s: no answer within %s", args[0], p.patience())
	case out.left < 0:
		return nil, fmt.Errorf("kubectl %s: the answer is too large", args[0])
	case err != nil:
		return nil, fmt.Errorf("kubectl %s: %s", args[0], said(complaint.String(), err))
	}
	return out.buffer.Bytes(), nil
}

// command is a kubectl that ends with ctx, and whose children cannot hold us.
func (p *Pods) command(ctx context.Context, args ...string) *exec.Cmd {
	if p.Namespace != "" {
		args = append(args, "--namespace="+p.Namespace)
	}
	cmd := exec.CommandContext(ctx, "kubectl", args...)
	cmd.WaitDelay = grace
	isolate(cmd)
	return cmd
}

// said is the last line of what a command complained about, else how it ended.
func said(complaint string, err error) string {
	lines := strings.Split(strings.TrimSpace(complaint), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return last
	}
	return err.Error()
}

// limited keeps only so many bytes; what is more is dropped, and left is negative.
type limited struct {
	buffer bytes.Buffer
	mu     sync.Mutex
	left   int
}

func (l *limited) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(data) <= l.left {
		_, _ = l.buffer.Write(data)
	}
	l.left -= len(data)
	return len(data), nil
}

func (l *limited) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.String()
}

// forward is a kubectl that forwards one port of a pod to a free one of this machine.
type forward struct {
	address   url.URL
	complaint *limited
	ended     chan struct{}
	stop      func()
}

// lives tells whether it still forwards.
func (f *forward) lives() bool {
	select {
	case <-f.ended:
		return false
	default:
		return true
	}
}

// forwarding is the line in which kubectl says which port it took.
var forwarding = regexp.MustCompile(`^Forwarding from ((?:127\.0\.0\.1|\[::1\]):\d+) -> `)

// forward starts it and waits until it forwards; it ends with life, or by stop.
func (p *Pods) forward(ctx, life context.Context, pod, port string) (*forward, error) {
	life, cancel := context.WithCancel(life)
	cmd := p.command(life, "port-forward", "pod/"+pod, ":"+port, "--address=127.0.0.1")
	f := &forward{complaint: &limited{left: 16 << 10}, ended: make(chan struct{})}
	cmd.Stderr = f.complaint
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		if errors.Is(err, exec.ErrNotFound) {
			err = errNoKubectl
		}
		return nil, err
	}
	local := make(chan string, 1)
	go func() {
		defer close(f.ended)
		listen(out, local)
		_ = cmd.Wait() // with its end, what it complained about is whole
		close(local)
	}()
	f.stop = func() {
		cancel()
		<-f.ended
	}
	if err := f.await(ctx, local, p.patience()); err != nil {
		f.stop()
		return nil, err
	}
	return f, nil
}

// listen reads what kubectl prints until it ends, and passes on the port that it took.
func listen(out io.Reader, local chan<- string) {
	lines := bufio.NewScanner(out)
	for known := false; lines.Scan(); {
		if match := forwarding.FindStringSubmatch(lines.Text()); match != nil && !known {
			known = true
			local <- match[1]
		}
	}
	_, _ = io.Copy(io.Discard, out)
}

// await waits until kubectl forwards, or says why it does not.
func (f *forward) await(ctx context.Context, local <-chan string, patience time.Duration) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case at, ok := <-local:
		if !ok {
			return errors.New("kubectl port-forward: " + said(f.complaint.String(), errors.New("ended")))
		}
		if _, _, err := net.SplitHostPort(at); err != nil {
			return err
		}
		f.address = url.URL{Scheme: "http", Host: at}
		return nil
	case <-timer.C:
		return fmt.Errorf("kubectl port-forward: no answer within %s", patience)
	case <-ctx.Done():
		return ctx.Err()
	}
}
