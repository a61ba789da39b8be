package fleet

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os/exec"
	"regexp"
	"time"

	"github.com/goat-trace/goat/go/internal/child"
)

// maxList bounds what kubectl may print of the pods.
const maxList = 64 << 20

// output runs kubectl to its end and returns what it prints.
func (p *Pods) output(ctx context.Context, args ...string) ([]byte, error) {
	return child.Output(ctx, p.patience(), maxList, "kubectl", p.scoped(args)...)
}

// command is a kubectl that runs on.
func (p *Pods) command(ctx context.Context, args ...string) *exec.Cmd {
	return child.Command(ctx, "kubectl", p.scoped(args)...)
}

func (p *Pods) scoped(args []string) []string {
	if p.Namespace != "" {
		args = append(args, "--namespace="+p.Namespace)
	}
	return args
}

// forward is a kubectl that forwards one port of a pod to a free one of this machine.
type forward struct {
	address   url.URL
	complaint *child.Limited
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
	f := &forward{complaint: child.NewLimited(16 << 10), ended: make(chan struct{})}
	cmd.Stderr = f.complaint
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		if errors.Is(err, exec.ErrNotFound) {
			err = errors.New("there is no kubectl on PATH")
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
			return errors.New("kubectl port-forward: " + child.Said(f.complaint.String(), errors.New("ended")))
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
