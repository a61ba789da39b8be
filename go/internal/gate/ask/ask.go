// Package ask sends single HTTP requests for checks and holds the answers against what is
// expected: status, headers, body, values in JSON.
package ask

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// MaxBody bounds what of a body is read.
const MaxBody = 16 << 20

// Request is one request.
type Request struct {
	Method string
	URL    string
	Header map[string]string
	Body   string
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Took   time.Duration
}

// client makes a connection of its own for each request: balancers choose by connection.
// Redirects are answers like others.
var client = &http.Client{
	Transport: &http.Transport{Proxy: proxyOf, DisableKeepAlives: true, DialContext: (&net.Dialer{}).DialContext},
	CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	},
}

// proxyOf is the proxy that the environment names, never one for this machine.
func proxyOf(r *http.Request) (*url.URL, error) {
	if ip := net.ParseIP(r.URL.Hostname()); ip != nil && ip.IsLoopback() || r.URL.Hostname() == "localhost" {
		return nil, nil
	}
	return http.ProxyFromEnvironment(r)
}

// CheckURL refuses what is no address of an HTTP server.
func CheckURL(address string) error {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
		return fmt.Errorf("%q is not a URL: http://HOST:PORT/PATH", Shown(address))
	}
	return nil
}

// Shown is an address without a password in it.
func Shown(address string) string {
	parsed, err := url.Parse(address)
	if err != nil || parsed.User == nil {
		return address
	}
	return parsed.Redacted()
}

// Do asks once. Answers that are not HTTP, and none, are errors.
func Do(ctx context.Context, r *Request) (*Answer, error) {
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	var body io.Reader
	if r.Body != "" {
		body = strings.NewReader(r.Body)
	}
	request, err := http.NewRequestWithContext(ctx, method, r.URL, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "goat-check")
	for name, value := range r.Header {
		if strings.EqualFold(name, "Host") {
			request.Host = value
			continue
		}
		// As it is written: x_version_tag is not X_version_tag to every proxy.
		request.Header[name] = []string{value}
	}
	begin := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return nil, Explain(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, MaxBody+1))
	switch {
	case err != nil:
		return nil, Explain(err)
	case len(text) > MaxBody:
		return nil, fmt.Errorf("the answer is larger than %d MiB", MaxBody>>20)
	}
	return &Answer{response.StatusCode, response.Header, text, time.Since(begin)}, nil
}

// Explain says in few words, without the address, why there is no answer.
func Explain(err error) error {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("connection refused: nothing listens there")
	case errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("no answer in time")
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.Is(err, io.EOF) {
		return errors.New("the connection was closed without an answer")
	}
	return err
}
