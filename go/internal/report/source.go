package report

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/spool"
)

// DefaultSource is where an instrumented program listens in this environment.
func DefaultSource(getenv func(string) string) string {
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

// observation is what one source says about one process.
type observation struct {
	source    string
	instance  string
	component string
	identity  Identity
	mode      string
	host      string
	state     string
	started   time.Time
	points    []seen
	degraded  []string
	// err is set when something is missing; without data reachable is false.
	err       error
	reachable bool
}

// seen is a point as a process knows it.
type seen struct {
	point goat.Point
	hit   bool
	count uint64
	phase string
	first time.Time
}

// parallel bounds how many sources are read at once.
const parallel = 32

// gather reads all sources at once and keeps their order.
func gather(ctx context.Context, r *Request) []observation {
	answers := make([][]observation, len(r.Sources))
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
	var all []observation
	for _, answer := range answers {
		all = append(all, answer...)
	}
	return all
}

// read asks one source: a live process or spool files.
func read(ctx context.Context, r *Request, source string) []observation {
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
	return []observation{fromSpool(spool.Result{Path: source, File: file, Err: err})}
}

func failed(source string, err error) []observation {
	return []observation{{source: source, err: err}}
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

func readDir(dir string) []observation {
	results, err := spool.ReadDir(dir)
	if err != nil {
		return failed(dir, unreadable(dir, err))
	}
	if len(results) == 0 {
		return failed(dir, errors.New("no spool files in this directory"))
	}
	var all []observation
	for _, result := range results {
		all = append(all, fromSpool(result))
	}
	return all
}

func fromSpool(result spool.Result) observation {
	o := observation{source: filepath.ToSlash(result.Path), err: spoolError(result)}
	file := result.File
	if file == nil {
		return o
	}
	id := &file.Identity
	o.reachable = true
	o.instance, o.component, o.mode, o.host = id.Instance, id.Component, id.Mode, id.Host
	o.state, o.started, o.degraded = string(file.Live), file.Started, file.Degraded
	o.identity = Identity{
		App: id.App, Version: id.Version, Module: id.Module, PlanHash: file.Plan,
		Base: Ref{id.Base, id.BaseCommit}, Release: Ref{id.Release, id.ReleaseCommit},
		Dirty: id.Dirty, ContentHash: id.ContentHash, Granularity: id.Granularity, Precision: id.Precision,
	}
	for i := range file.Points {
		o.points = append(o.points, spoolPoint(&file.Points[i]))
	}
	return o
}

func spoolError(result spool.Result) error {
	if result.Err == nil {
		return nil
	}
	return unreadable(result.Path, result.Err)
}

func spoolPoint(p *spool.Point) seen {
	return seen{
		point: goat.Point{
			ID: p.ID, Name: p.Name, Kind: goat.Kind(p.Kind), Form: goat.Form(p.Form),
			Package: p.Package, File: p.File, Func: p.Func,
			Start: goat.Position{Line: p.Line, Column: p.Column},
			End:   goat.Position{Line: p.EndLine, Column: p.EndColumn},
		},
		hit: p.Hit, count: p.Count, phase: p.Phase, first: p.First,
	}
}

// IsLive reports whether a source names a live process rather than a file.
func IsLive(source string) bool {
	_, live := liveAddress(source)
	return live
}
