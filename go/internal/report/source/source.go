// Package source reads what a report is made of: live processes, spool files, and the
// plan that holds the account of changed lines.
package source

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goat-trace/goat/go"
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
	// Sources are URLs (http, https, unix:), host:port, spool files and directories of
	// them, and saved reports.
	Sources []string
	// Further are sources of other kinds.
	Further []Further
	// Plan is a plan directory or plan.json; "" looks for one.
	Plan string
	// Dir is where .goat is looked for.
	Dir string
	// Cache is goat's cache directory.
	Cache string
	// Token is sent as a bearer token.
	Token string
	// Counting says what counts as run.
	Counting report.Counting
	// Timeout is for one request to a live process.
	Timeout time.Duration
	// Dumps are goroutine dumps and crash texts of the processes, in any form.
	Dumps []goat.DumpSource
	// Memory is kept from one reading to the next by who follows the sources; may be nil.
	Memory *Memory
	pool   *pool
}

// Further is a source that this package does not know, as the pods of a cluster.
type Further interface {
	// Read says what it holds. Whatever cannot be read is an observation with an error;
	// an error is a question that is wrong, which no repetition mends.
	Read(ctx context.Context, r *Request) ([]report.Observation, error)
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
	subtract, err := openSubtract(request.Counting.Subtract)
	if err != nil {
		return nil, err
	}
	request.pool = request.Memory.pool()
	found, err := gather(ctx, &request)
	if err := cmp.Or(ctx.Err(), err); err != nil {
		return nil, err
	}
	document := report.Join(found.observations, report.Question{
		Plan: named, Find: func(hash string) (*report.Account, error) { return found.plan(hash, &request) },
		Counting: request.Counting, Subtract: subtract,
	})
	if err := request.beside(ctx, document, found); err != nil {
		return nil, err
	}
	return document, sameModule(document, subtract)
}

// found is what the sources gave.
type found struct {
	observations []report.Observation
	// saved are the reports among the sources; each carries the account of its plan.
	saved []*report.Document
}

// plan looks for a plan in all places, and then in the saved reports.
func (f *found) plan(hash string, r *Request) (*report.Account, error) {
	a, err := findPlan(hash, r)
	if err == nil {
		return a, nil
	}
	for _, document := range f.saved {
		if kept := document.Kept(); kept != nil && kept.Hash == hash {
			return kept, nil
		}
	}
	return nil, err
}

// answer is what one source gave.
type answer struct {
	observations []report.Observation
	saved        *report.Document
}

// gather reads all sources at once and keeps their order.
func gather(ctx context.Context, r *Request) (*found, error) {
	answers := make([]answer, len(r.Sources))
	slots := make(chan struct{}, parallel)
	var group sync.WaitGroup
	for i, source := range r.Sources {
		group.Add(1)
		go func() {
			defer group.Done()
			slots <- struct{}{}
			defer func() { <-slots }()
			answers[i] = read(ctx, r, source)
			answers[i].observations = r.Memory.join(source, answers[i].observations)
		}()
	}
	group.Wait()
	all := &found{}
	for _, a := range answers {
		all.observations = append(all.observations, a.observations...)
		if a.saved != nil {
			all.saved = append(all.saved, a.saved)
		}
	}
	for i, further := range r.Further {
		observations, err := further.Read(ctx, r)
		if err != nil {
			return nil, err
		}
		all.observations = append(all.observations, r.Memory.join("further "+strconv.Itoa(i), observations)...)
	}
	all.observations = distinct(all.observations)
	return all, nil
}

// distinct leaves out what was read twice: a process that is named as a source and is
// the sibling of another one.
func distinct(observations []report.Observation) []report.Observation {
	type view struct{ instance, component string }
	seen := map[view]bool{}
	return slices.DeleteFunc(observations, func(o report.Observation) bool {
		this := view{o.Instance, o.Component}
		twice := o.State == "live" && o.Instance != "" && seen[this]
		seen[this] = seen[this] || o.State == "live"
		return twice
	})
}

// read asks one source: a live process, spool files, or a saved report.
func read(ctx context.Context, r *Request, source string) answer {
	if address, live := liveAddress(source); live {
		return answer{observations: readLive(ctx, r, source, address)}
	}
	info, err := os.Stat(source)
	switch {
	case err != nil:
		return answer{observations: failed(source, unreadable(source, err))}
	case info.IsDir():
		return answer{observations: readDir(source)}
	case info.Mode().IsRegular() && isSaved(source):
		document, err := readSaved(source)
		if err != nil {
			return answer{observations: failed(source, err)}
		}
		return answer{document.Observations(filepath.ToSlash(source)), document}
	}
	file, err := spool.Read(source)
	return answer{observations: []report.Observation{fromSpool(spool.Result{Path: source, File: file, Err: err})}}
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
