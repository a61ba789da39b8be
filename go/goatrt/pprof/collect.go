//go:build go1.21

package pprof

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// mostBytes is the most that a profile may take, unpacked or as text.
	mostBytes = 64 << 20
	// mostSeconds is the longest that anything is measured.
	mostSeconds = 600
	// fewGoroutines is up to how many a dump of each for itself is made unasked: the
	// process stands still meanwhile.
	fewGoroutines = 2000
	// cpuSeconds and waitSeconds are how long CPU time is measured, and what is waited
	// for, where the request does not say.
	cpuSeconds  = 30
	waitSeconds = 5
)

// answer is what a request gets: a status, and then a profile or what is wrong.
type answer struct {
	status              int
	body                []byte
	text                bool
	code, message, hint string
	retry               int // seconds, 0 for none
}

func wrong(status int, code, message, hint string) *answer {
	return &answer{status: status, code: code, message: message, hint: hint}
}

// request is what is asked for, once it has been checked.
type request struct {
	kind    string
	seconds int
	given   bool // seconds were given
	debug   int
	gc      bool
	full    bool
}

// hasWindow tells the kinds that can be measured over a time.
func hasWindow(kind string) bool {
	switch kind {
	case "profile", "heap", "allocs", "mutex", "block":
		return true
	}
	return false
}

// asked reads a request for a profile; if it cannot be had, it says why.
func asked(kind string, value func(string) string) (*request, *answer) {
	q := &request{kind: kind, gc: isTrue(value("gc")), full: isTrue(value("full"))}
	if kind == "profile" {
		q.seconds = cpuSeconds
	}
	if text := value("seconds"); text != "" && text != "0" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > mostSeconds {
			return nil, wrong(400, "bad_seconds", "seconds="+strconv.Quote(text), "from 1 to "+strconv.Itoa(mostSeconds))
		}
		if !hasWindow(kind) {
			return nil, wrong(400, "bad_seconds", kind+" is of one moment", "leave seconds out")
		}
		q.seconds, q.given = n, true
	}
	switch text := value("debug"); {
	case text == "" || text == "0":
	case (text == "1" || text == "2") && (kind == "goroutine" || kind == "goroutineleak"):
		q.debug = int(text[0] - '0')
	default:
		return nil, wrong(400, "bad_debug", "debug="+strconv.Quote(text)+" of "+kind, "only goroutine and goroutineleak can be had as text, with debug=1 or debug=2")
	}
	if kind != "profile" && pprof.Lookup(kind) == nil {
		return nil, wrong(404, "no_such_profile", runtime.Version()+" has no profile "+kind, "goroutineleak needs Go 1.27")
	}
	return q, nil
}

func isTrue(value string) bool { return value != "" && value != "0" && value != "false" }

// collect makes the profile; ctx ends when nobody wants it any more.
func (r *rules) collect(ctx context.Context, q *request) *answer {
	switch {
	case q.kind == "profile":
		raw, busy := cpuProfile(ctx, time.Duration(q.seconds)*time.Second)
		if busy {
			a := wrong(409, "cpu_profile_in_use", "the program itself is profiling its CPU time", "ask again when it has ended; it is not disturbed")
			a.retry = 10
			return a
		}
		return r.finish(ctx, raw, nil)
	case q.debug > 0:
		return r.dump(q)
	case q.kind == "mutex" || q.kind == "block":
		return r.waiting(ctx, q)
	case q.seconds > 0:
		return r.between(ctx, q)
	}
	if q.gc {
		runtime.GC()
	}
	return r.finish(ctx, lookup(q.kind, 0), nil)
}

// between is what has been added within some seconds.
func (r *rules) between(ctx context.Context, q *request) *answer {
	before := lookup(q.kind, 0)
	pause(ctx, time.Duration(q.seconds)*time.Second)
	return r.finish(ctx, lookup(q.kind, 0), before)
}

// waiting measures what is waited for. If the program does so itself, its own rate stays
// and all that it has measured is there at once; else it is measured for a while.
func (r *rules) waiting(ctx context.Context, q *request) *answer {
	measure := measureMutexes
	if q.kind == "block" {
		measure = measureBlocking
	}
	undo := measure()
	if undo == nil {
		if q.seconds == 0 {
			return r.finish(ctx, lookup(q.kind, 0), nil)
		}
		return r.between(ctx, q)
	}
	defer undo()
	if q.seconds == 0 {
		q.seconds = waitSeconds
	}
	return r.between(ctx, q)
}

// dump is the goroutines as text.
func (r *rules) dump(q *request) *answer {
	if n := runtime.NumGoroutine(); q.debug == 2 && n > fewGoroutines && !q.full {
		return wrong(400, "too_many_goroutines", "there are "+strconv.Itoa(n)+" goroutines, and the process would stand still while it writes them all",
			"ask with debug=0 or debug=1; debug=2&full=1 does it all the same")
	}
	s := lookup(q.kind, q.debug)
	if s.over {
		return tooLarge()
	}
	text := r.counted
	if q.debug == 2 {
		text = r.traces
	}
	return &answer{status: 200, text: true, body: []byte(text(s.data.String()))}
}

func tooLarge() *answer {
	return wrong(500, "too_large", "the profile takes more than "+strconv.Itoa(mostBytes>>20)+" MiB", "ask for less: fewer seconds, or debug=0")
}

// finish takes out of a profile what must not leave the process, and what was there before.
func (r *rules) finish(ctx context.Context, now, before *sink) *answer {
	if ctx.Err() != nil {
		return nil
	}
	p, a := unpacked(now)
	if a != nil {
		return a
	}
	if before != nil {
		old, a := unpacked(before)
		if a != nil {
			return a
		}
		p.less(old)
		// That we wait and hold memory while we measure is nothing of the program's.
		p.drop(ourPackage())
	}
	r.redact(p)
	var packed bytes.Buffer
	// A buffer takes everything.
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	_, _ = w.Write(p.encode())
	_ = w.Close()
	return &answer{status: 200, body: packed.Bytes()}
}

// ourPackage is what the names of this package's functions begin with.
//
//go:noinline
func ourPackage() string {
	pc, _, _, _ := runtime.Caller(0)
	return strings.TrimSuffix(runtime.FuncForPC(pc).Name(), "ourPackage")
}

func unpacked(s *sink) (*profile, *answer) {
	if s.over {
		return nil, tooLarge()
	}
	raw, err := s.unzip()
	if errors.Is(err, errLarge) {
		return nil, tooLarge()
	}
	var p *profile
	if err == nil {
		p, err = decode(raw)
	}
	if err != nil {
		return nil, wrong(500, "unreadable_profile", err.Error(), "report this: "+runtime.Version())
	}
	return p, nil
}

// sink keeps what the runtime writes, up to a size. It never fails: runtime/pprof would
// panic.
type sink struct {
	mu   sync.Mutex
	data bytes.Buffer
	over bool
}

func (s *sink) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over = s.over || s.data.Len()+len(b) > mostBytes; !s.over {
		s.data.Write(b)
	}
	return len(b), nil
}

var errLarge = errors.New("too large")

// unzip is the profile as it was packed.
func (s *sink) unzip() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	z, err := gzip.NewReader(bytes.NewReader(s.data.Bytes()))
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(z, mostBytes+1))
	if len(raw) > mostBytes {
		err = errLarge
	}
	return raw, err
}

func lookup(kind string, debug int) *sink {
	s := &sink{}
	if p := pprof.Lookup(kind); p != nil {
		_ = p.WriteTo(s, debug)
	}
	return s
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// cpuProfile measures CPU time, unless the program does.
func cpuProfile(ctx context.Context, d time.Duration) (s *sink, busy bool) {
	s = &sink{}
	if pprof.StartCPUProfile(s) != nil {
		return nil, true
	}
	pause(ctx, d)
	// A profile that is whole already was ended by the program, which may have begun one
	// of its own since.
	if _, err := s.unzip(); err != nil {
		pprof.StopCPUProfile()
	}
	return s, false
}

// mutexRate is one event in so many, blockNanos the shortest wait that is certain to be
// measured.
const (
	mutexRate  = 10
	blockNanos = 10000
)

// measureMutexes begins to measure, and returns what ends it; nil where the program
// measures itself.
func measureMutexes() (undo func()) {
	if runtime.SetMutexProfileFraction(-1) != 0 {
		return nil
	}
	runtime.SetMutexProfileFraction(mutexRate)
	return func() {
		if runtime.SetMutexProfileFraction(-1) == mutexRate {
			runtime.SetMutexProfileFraction(0)
		}
	}
}

// measureBlocking is the same for all waits. Go does not tell its rate, so a wait of our
// own shows whether there is one.
func measureBlocking() (undo func()) {
	before := waitsOfOurs()
	for i := 0; i < 3; i++ {
		waitOnce()
	}
	if waitsOfOurs() != before {
		return nil
	}
	runtime.SetBlockProfileRate(blockNanos)
	return func() { runtime.SetBlockProfileRate(0) }
}

// waitOnce waits for two milliseconds.
//
//go:noinline
func waitOnce() {
	done := make(chan struct{})
	go func() {
		time.Sleep(2 * time.Millisecond)
		close(done)
	}()
	<-done
}

// waitsOfOurs counts the waits in waitOnce that are on record.
func waitsOfOurs() (n int64) {
	var records []runtime.BlockProfileRecord
	size, ok := 0, false
	for !ok {
		records = make([]runtime.BlockProfileRecord, size+50)
		size, ok = runtime.BlockProfile(records)
	}
	for i := range records[:size] {
		for _, pc := range records[i].Stack() {
			if f := runtime.FuncForPC(pc); f != nil && strings.HasSuffix(f.Name(), ".waitOnce") {
				n += records[i].Count
				break
			}
		}
	}
	return n
}
