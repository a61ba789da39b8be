// Package source reads what a report is made of: live processes, spool files, and the
// plan that holds the account of changed lines.
package source

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goat-trace/goat/go/internal/report"
	"github.com/goat-trace/goat/go/internal/spool"
)

// Default is where an instrumented program listens in this environment.
func Default(getenv func(string) string) string {
	host, port := getenv("GOAT_METRICS_IP"), getenv("GOAT_PORT")
	if address := getenv("GOAT_ADDR"); strings.HasPrefix(address, "unix:") {
		return address
	} else if h, p, err := net.SplitHostPort(address); err == nil {
		host, port = h, p
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	if port == "" || port == "0" {
		port = "57005"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// Request says what to report on.
type Request struct {
	// Sources are URLs (http, https, unix:), host:port, spool files and directories.
	Sources []string
	// Plan is a plan directory or plan.json; "" looks for one.
	Plan string
	// Dir is where .goat is looked for.
	Dir string
	// Cache is goat's cache directory.
	Cache string
	// Token is sent as a bearer token.
	Token string
	// Timeout is for one request to a live process.
	Timeout time.Duration
}

// parallel bounds how many sources are read at once.
const parallel = 32

// Make reads the sources and the plan, and joins them.
func Make(ctx context.Context, request Request) (*report.Document, error) {
	var named *report.Account
	if request.Plan != "" {
		var err error
		if named, err = openPlan(request.Plan); err != nil {
			return nil, err
		}
	}
	observations := gather(ctx, &request)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	find := func(hash string) (*report.Account, error) { return findPlan(hash, &request) }
	return report.Join(observations, named, find), nil
}

// gather reads all sources at once and keeps their order.
func gather(ctx context.Context, r *Request) []report.Observation {
	answers := make([][]report.Observation, len(r.Sources))
	slots := make(chan struct{}, parallel)
	var group sync.WaitGroup
	for i, source := range r.Sources {
		group.Add(1)
		go func() {
			defer group.Done()
			slots <- struct{}{}
			defer func() { <-slots }()
			answers[i] = read(ctx, r, source)
		}()
	}
	group.Wait()
	var all []report.Observation
	for _, answer := range answers {
		all = append(all, answer...)
	}
	return all
}

// read asks one source: a live process or spool files.
func read(ctx context.Context, r *Request, source string) []report.Observation {
	if address, live := liveAddress(source); live {
		return readLive(ctx, r, source, address)
	}
	info, err := os.Stat(source)
	if err != nil {
		return failed(source, unreadable(source, err))
	}
	if info.IsDir() {
		return readDir(source)
	}
	file, err := spool.Read(source)
	return []report.Observation{fromSpool(spool.Result{Path: source, File: file, Err: err})}
}

func failed(source string, err error) []report.Observation {
	return []report.Observation{{Source: source, Err: err}}
}

func unreadable(source string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("no such file or directory")
	}
	var pathError *fs.PathError
	if errors.As(err, &pathError) && pathError.Path == source {
		return pathError.Err
	}
	return err
}

// liveAddress recognises what names a live process: a URL, or host:port where no
// such file exists.
func liveAddress(source string) (*url.URL, bool) {
	if path, ok := strings.CutPrefix(source, "unix:"); ok {
		return &url.URL{Scheme: "unix", Path: strings.TrimPrefix(path, "//")}, true
	}
	if strings.HasPrefix(source, "http://") || strings.HasPrefix(source, "https://") {
		if address, err := url.Parse(source); err == nil && address.Host != "" {
			return address, true
		}
		return &url.URL{}, true
	}
	if _, err := os.Lstat(source); err == nil {
		return nil, false
	}
	host, port, err := net.SplitHostPort(source)
	if err != nil || strings.ContainsAny(host, `/\`) {
		return nil, false
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return nil, false
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return &url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}, true
}

// IsLive reports whether a source names a live process rather than a file.
func IsLive(source string) bool {
	_, live := liveAddress(source)
	return live
}
