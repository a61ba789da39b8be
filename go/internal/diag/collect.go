// Package diag collects what the core examines: dumps out of files, standard input and
// live processes, and the change that they are held against.
package diag

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goat-trace/goat/go"
)

// Careful bounds of a look at a live process.
const (
	// FullBelow is up to how many goroutines a process is asked for all their stacks with
	// states and ids: it stands still while it writes them.
	FullBelow = 2000
	// MostBytes is the most that is read of one answer.
	MostBytes = 256 << 20
	// mostPiped is the most that is kept of standard input: it goes into a temporary file,
	// and may have no end.
	mostPiped = 4 << 30
	// longestRun is how long a stream may go on without the end of a line: what is longer
	// is no text, and by chance no packed or binary profile has it either.
	longestRun = 256 << 20
)

// errEndless is for a stream that is taken for one without an end.
var errEndless = fmt.Errorf("no line ends in %d MiB: it is no text", longestRun>>20)

// Live says how live processes are asked.
type Live struct {
	// What is asked for, as a message calls it; empty for a dump.
	What string
	// Token is sent as a bearer token where it is not empty.
	Token string
	// Timeout is for one request.
	Timeout time.Duration
	// Full asks for all stacks however many goroutines there are.
	Full bool
	// Leak asks for the goroutines that the runtime's collector finds unreachable.
	Leak bool
}

// Collector brings sources to where the core can read them; Close removes what it made.
type Collector struct {
	live Live
	dir  string
	// Plan is that of the newest program whose record was read; "" where none said it.
	Plan string
	// Said are remarks for the user, one line each.
	Said []string
	// Recorded are the addresses and spools that hold a record of panics, Silent the
	// spools of programs that keep none; Lost counts panics that found no room in a record.
	Recorded, Silent []string
	Lost             uint64
}

// NewCollector makes a collector.
func NewCollector(live Live) *Collector {
	live.What = cmp.Or(live.What, "dump")
	return &Collector{live: live}
}

// Close removes the temporary files.
func (c *Collector) Close() {
	if c.dir != "" {
		_ = os.RemoveAll(c.dir)
	}
}

// IsLive reports whether a source is an address and not a file.
func IsLive(source string) bool {
	return strings.HasPrefix(source, "http://") || strings.HasPrefix(source, "https://") || strings.HasPrefix(source, "unix:")
}

// Source makes one argument a source: - is standard input.
func (c *Collector) Source(ctx context.Context, name string, stdin io.Reader) (goat.DumpSource, error) {
	switch {
	case name == "-":
		path, err := c.keep(ctx, stdin, mostPiped)
		var known *goat.Error
		if err != nil && !errors.As(err, &known) {
			e := &goat.Error{Code: goat.CodeUnreadable, Message: "standard input cannot be taken for a " + c.live.What}
			e.Hint = "name the file, or pass on the part of it that counts"
			err = e.Wrap(err)
		}
		return goat.DumpSource{Name: "standard input", Path: path}, err
	case IsLive(name):
		path, err := c.fetch(ctx, name)
		return goat.DumpSource{Name: shown(name), Path: path}, err
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return goat.DumpSource{}, (&goat.Error{Code: goat.CodeUnreadable, Message: "the file has no absolute path", Path: name}).Wrap(err)
	}
	return goat.DumpSource{Name: filepath.ToSlash(name), Path: path}, nil
}

// full is a failure to write a temporary file.
func (c *Collector) full(err error) error {
	e := &goat.Error{Code: goat.CodeUnwritable, Message: "the " + c.live.What + " cannot be kept in a temporary file", Path: c.dir}
	e.Hint = "make room, or set TMPDIR to a place with room"
	return e.Wrap(err)
}

// ready makes the directory for temporary files.
func (c *Collector) ready() error {
	if c.dir != "" {
		return nil
	}
	dir, err := os.MkdirTemp("", "goat-"+c.live.What+"-")
	if err != nil {
		return c.full(err)
	}
	c.dir = dir
	return nil
}

// keep puts a stream into a temporary file: the core reads it in pieces, however large it is.
func (c *Collector) keep(ctx context.Context, from io.Reader, most int64) (string, error) {
	if err := c.ready(); err != nil {
		return "", err
	}
	file, err := os.CreateTemp(c.dir, "source-*")
	if err != nil {
		return "", c.full(err)
	}
	defer file.Close()
	from = io.LimitReader(from, most+1)
	written, err := copyUntil(ctx, file, from)
	if ctx.Err() != nil {
		return "", &goat.Error{Code: goat.CodeCancelled, Message: "stopped"}
	}
	var of *readError
	switch {
	case errors.As(err, &of):
		return "", of.error
	case err != nil:
		return "", c.full(err)
	case written > most:
		return "", fmt.Errorf("it goes on after %d MiB", most>>20)
	}
	return file.Name(), nil
}

// readError tells a failure to read from one to write.
type readError struct{ error }

// copyUntil copies until the end, or until ctx ends: then it leaves the reader, which may
// be a terminal, to itself.
func copyUntil(ctx context.Context, to io.Writer, from io.Reader) (int64, error) {
	type result struct {
		n   int64
		err error
	}
	done := make(chan result, 1)
	go func() {
		n, err := io.Copy(to, &told{Reader: from})
		done <- result{n, err}
	}()
	select {
	case r := <-done:
		return r.n, r.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// told is a reader whose failures are known as its own. A stream that seems to have no end
// is one of them.
type told struct {
	io.Reader
	run int
}

func (t *told) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	if last := bytes.LastIndexByte(p[:n], '\n'); last >= 0 {
		t.run = n - last - 1
	} else if t.run += n; t.run > longestRun {
		err = errEndless
	}
	if err != nil && err != io.EOF {
		err = &readError{err}
	}
	return n, err
}

// fetch asks a live process. First comes the profile of stacks, which costs it little;
// all goroutines with their states only where they are few, or on request.
func (c *Collector) fetch(ctx context.Context, source string) (string, error) {
	client, base, err := c.client(source)
	if err != nil {
		return "", err
	}
	asked := base.Query().Get("debug")
	path := base.Path
	switch {
	case strings.Contains(path, "/pprof/") || asked != "":
		if asked != "2" || c.live.Full {
			return c.get(ctx, client, base, source)
		}
	default:
		base.Path = strings.TrimRight(path, "/") + "/debug/pprof/goroutine"
	}
	if c.live.Leak {
		leak := *base
		leak.Path = strings.TrimSuffix(leak.Path, "/goroutine") + "/goroutineleak"
		leak.RawQuery = "debug=0"
		return c.get(ctx, client, &leak, source)
	}
	base.RawQuery = "debug=0"
	profile, err := c.get(ctx, client, base, source)
	if err != nil {
		return "", err
	}
	count, err := goroutines(ctx, profile, shown(source))
	if err != nil {
		return "", err
	}
	if count >= FullBelow && !c.live.Full {
		c.Said = append(c.Said, fmt.Sprintf("%s has %d goroutines: read as a profile, without states and waiting times (--full stops it for those)", shown(source), count))
		return profile, nil
	}
	base.RawQuery = "debug=2"
	if c.live.Full {
		base.RawQuery += "&full=1" // goat's own runtime asks for it
	}
	return c.get(ctx, client, base, source)
}

// goroutines counts those of a profile.
func goroutines(ctx context.Context, path, source string) (uint64, error) {
	found, err := goat.Dump(ctx, goat.DumpOptions{Sources: []goat.DumpSource{{Name: source, Path: path}}})
	if err != nil {
		return 0, err
	}
	return found.Source.Goroutines, nil
}

func (c *Collector) client(source string) (*http.Client, *url.URL, error) {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableCompression: true}
	client := &http.Client{Transport: transport, Timeout: c.live.Timeout, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // the token is for this address alone
	}}
	if path, unix := strings.CutPrefix(source, "unix:"); unix {
		path = strings.TrimPrefix(path, "//")
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}
		return client, &url.URL{Scheme: "http", Host: "localhost"}, nil
	}
	base, err := url.Parse(source)
	if err != nil || base.Host == "" {
		return nil, nil, &goat.Error{Code: goat.CodeUsage, Message: fmt.Sprintf("%q is no address", source), Hint: "use something like http://127.0.0.1:6060"}
	}
	return client, base, nil
}

func (c *Collector) get(ctx context.Context, client *http.Client, from *url.URL, source string) (string, error) {
	failed := func(err error, hint string) error {
		e := &goat.Error{Code: goat.CodeNetwork, Message: "no " + c.live.What + " from " + shown(source), Hint: hint}
		return e.Wrap(err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from.String(), nil)
	if err != nil {
		return "", failed(err, "")
	}
	if c.live.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.live.Token)
	}
	response, err := client.Do(request)
	if ctx.Err() != nil {
		return "", &goat.Error{Code: goat.CodeCancelled, Message: "stopped"}
	}
	if err != nil {
		return "", failed(bare(err), "is it running, and does it listen there? --timeout gives it longer")
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		hint, why := c.refusal(response, from.Path)
		return "", failed(why, hint)
	}
	path, err := c.keep(ctx, response.Body, MostBytes)
	var known *goat.Error
	if err != nil && !errors.As(err, &known) {
		return "", failed(bare(err), "an answer must end in time and with at most 256 MiB: is it the program? --timeout gives it longer")
	}
	return path, err
}

// shown is an address without a password in it.
func shown(address string) string {
	parsed, err := url.Parse(address)
	if err != nil || parsed.User == nil {
		return address
	}
	return parsed.Redacted()
}

// refusal is what to do and why there is no answer: in the process's own words, where it
// is a runtime of goat's that knows.
func (c *Collector) refusal(response *http.Response, path string) (hint string, why error) {
	hint, why = hintOf(response.StatusCode, path), fmt.Errorf("it answers %s to %s", response.Status, path)
	var said struct {
		Error struct{ Code, Message, Hint string }
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, 16<<10))
	e := &said.Error
	if err != nil || json.Unmarshal(body, &said) != nil || e.Message == "" || e.Code == "not_found" || e.Code == "token_needed" {
		return hint, why
	}
	return cmp.Or(e.Hint, hint), fmt.Errorf("%w: %s", why, e.Message)
}

func hintOf(status int, path string) string {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return "give the program's token with --token or GOAT_TOKEN"
	case strings.HasSuffix(path, "leak"):
		return "the program's Go has no leak profile (Go 1.27, or 1.26 with GOEXPERIMENT=goroutineleakprofile): ask for another profile"
	}
	return "the program must serve net/http/pprof there (name the URL of the profile), or be built with `goat build --pprof` and run with GOAT_PPROF=1 and a GOAT_TOKEN"
}

// bare takes the address out of an error of net/http, which names it once more.
func bare(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
