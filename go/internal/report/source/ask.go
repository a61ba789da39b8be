package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"
)

const (
	// attempts is how often a request is made when the failure may pass.
	attempts = 3
	// pause is the wait before the second attempt; it doubles.
	pause = 200 * time.Millisecond
)

var errNotGoat = errors.New("something answers there, but not an instrumented program")

// errUnchanged means that the answer is the one that is known.
var errUnchanged = errors.New("unchanged")

// live is one process and how to ask it.
type live struct {
	client  *http.Client
	name    string  // in the report
	reach   Reach   // nil: siblings are on the same host
	base    url.URL // what is asked
	address url.URL // as it was given
	token   string
	limit   time.Duration
	memory  *Memory
	pool    *pool
	tag     string // of the answer that is known, then of the one that came
}

func newLive(r *Request, address *url.URL) *live {
	// What nobody asked to be compressed cannot grow when it is read.
	transport := &http.Transport{Proxy: proxyOf, DisableCompression: true}
	base := *address
	if base.Scheme == "unix" {
		path := base.Path
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}
		base = url.URL{Scheme: "http", Host: "localhost"}
	}
	base.RawQuery, base.Fragment = "", ""
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		// Another address is another process, and the token is not for it.
		return http.ErrUseLastResponse
	}}
	return &live{client: client, base: base, address: *address, token: r.Token, limit: r.Timeout, memory: r.Memory, pool: r.pool}
}

// proxyOf is the proxy that the environment names, never one for a name of this machine.
func proxyOf(request *http.Request) (*url.URL, error) {
	proxy, err := http.ProxyFromEnvironment(request)
	if proxy == nil || err != nil {
		return nil, err
	}
	ips, err := net.DefaultResolver.LookupNetIP(request.Context(), "ip", request.URL.Hostname())
	if err != nil {
		return proxy, nil // the proxy may know the name
	}
	for _, ip := range ips {
		if !ip.Unmap().IsLoopback() {
			return proxy, nil
		}
	}
	return nil, nil
}

// passing marks a failure that may be gone at the next attempt.
type passing struct{ error }

func (p passing) Unwrap() error { return p.error }

// get asks for one document of at most so many bytes, again after a failure that may pass.
func (l *live) get(ctx context.Context, path string, most int64, decode func(io.Reader) error) error {
	wait := pause
	for attempt := 1; ; attempt++ {
		err := l.once(ctx, path, most, decode)
		var again passing
		if err == nil || !errors.As(err, &again) {
			return err
		}
		if attempt == attempts || ctx.Err() != nil {
			return again.error
		}
		select {
		case <-ctx.Done():
			return again.error
		case <-time.After(wait):
		}
		wait *= 2
	}
}

func (l *live) once(ctx context.Context, path string, most int64, decode func(io.Reader) error) error {
	ctx, cancel := context.WithTimeout(ctx, l.limit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.base.JoinPath(path).String(), nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	if l.token != "" {
		request.Header.Set("Authorization", "Bearer "+l.token)
	}
	if l.tag != "" {
		request.Header.Set("If-None-Match", l.tag)
	}
	response, err := l.client.Do(request)
	if err != nil {
		return l.explain(err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotModified && l.tag != "" {
		return errUnchanged
	}
	if err := statusError(response); err != nil {
		return err
	}
	if coding := response.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		return fmt.Errorf("the answer is compressed (%q), which was not asked for", coding)
	}
	body := &capped{from: response.Body, left: most}
	err = decode(body)
	switch {
	case err == nil:
		l.tag = response.Header.Get("ETag")
		return nil
	case ctx.Err() != nil:
		return l.explain(ctx.Err())
	}
	return l.undecoded(body, err)
}

// undecoded tells an answer that could not be received from one that makes no sense.
func (l *live) undecoded(body *capped, err error) error {
	switch {
	case errors.Is(err, errTooLarge):
		return errTooLarge
	case body.err != nil:
		return l.explain(body.err)
	}
	return errNotGoat
}

// explain says in few words why there is no answer.
func (l *live) explain(err error) error {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, syscall.ECONNREFUSED):
		return passing{errors.New("connection refused: nothing listens there")}
	case errors.As(err, &timeout) && timeout.Timeout():
		return passing{fmt.Errorf("no answer within %s", l.limit)}
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound || errors.Is(err, syscall.ENOENT) {
		return err
	}
	return passing{err}
}

func statusError(response *http.Response) error {
	status := response.StatusCode
	switch {
	case status == http.StatusOK:
		return nil
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return errors.New("the program wants a token: --token or GOAT_TOKEN")
	case status == http.StatusNotFound:
		return errNotGoat
	case status >= 300 && status < 400:
		return fmt.Errorf("a redirect to %q, which is not followed: name the program's own address", response.Header.Get("Location"))
	case status >= 500 || status == http.StatusTooManyRequests:
		return passing{fmt.Errorf("status %d", status)}
	}
	return fmt.Errorf("status %d", status)
}
