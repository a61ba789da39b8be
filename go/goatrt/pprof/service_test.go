package pprof

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"
)

// serve is a service behind a server; the header Trusted stands for the token.
func serve(t *testing.T) (*service, string) {
	t.Helper()
	s := &service{desk: newDesk(), rules: func() *rules { return testRules("") }}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.answer(w, r, r.Header.Get("Trusted") != "") {
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(web.Close)
	return s, web.URL + Prefix
}

func ask(t *testing.T, ctx context.Context, method, url string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Trusted", "1")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err.Error()
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, response.Header, string(body)
}

func TestSecurityProfilesNeedTheToken(t *testing.T) {
	_, base := serve(t)
	for _, path := range append([]string{"", "cmdline", "symbol", "trace", "off"}, kinds...) {
		response, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized || response.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %s", path, response.Status)
		}
	}
	for _, path := range []string{"cmdline", "symbol", "trace", "threadcreate", "heap/x"} {
		if status, _, _ := ask(t, context.Background(), http.MethodGet, base+path); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
}

func TestWhatCannotBeAskedIsSaid(t *testing.T) {
	_, base := serve(t)
	for _, c := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", "profile?seconds=601", 400, "bad_seconds"}, {"GET", "profile?seconds=x", 400, "bad_seconds"}, {"GET", "profile?seconds=-1", 400, "bad_seconds"},
		{"GET", "goroutine?seconds=3", 400, "bad_seconds"}, {"GET", "heap?debug=1", 400, "bad_debug"}, {"GET", "goroutine?debug=3", 400, "bad_debug"},
		{"POST", "heap", 405, "method_not_allowed"}, {"GET", "off", 405, "method_not_allowed"},
	} {
		status, _, body := ask(t, context.Background(), c.method, base+c.path)
		var e struct {
			Error struct{ Code, Message, Hint string }
		}
		if err := json.Unmarshal([]byte(body), &e); err != nil || status != c.status || e.Error.Code != c.code || e.Error.Hint == "" {
			t.Errorf("%s %s: %d %s", c.method, c.path, status, body)
		}
	}
}

func TestTheProgramsOwnProfileIsNotDisturbed(t *testing.T) {
	_, base := serve(t)
	var own bytes.Buffer
	if err := pprof.StartCPUProfile(&own); err != nil {
		t.Fatal(err)
	}
	status, header, body := ask(t, context.Background(), http.MethodGet, base+"profile?seconds=1")
	if status != http.StatusConflict || header.Get("Retry-After") == "" || !strings.Contains(body, "cpu_profile_in_use") {
		t.Errorf("%d %s", status, body)
	}
	if pprof.StartCPUProfile(io.Discard) == nil {
		t.Error("the program's own profile was ended")
	}
	pprof.StopCPUProfile()
	if p := (&sink{data: own}); len(gunzip(t, p.data.Bytes())) == 0 {
		t.Error("the program's own profile is empty")
	}
}

// A program that stops our profile and begins its own keeps that.
func TestAProfileBegunMeanwhileIsNotEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan *sink)
	go func() {
		s, busy := cpuProfile(ctx, time.Hour)
		for busy { // the loop below
			s, busy = cpuProfile(ctx, time.Hour)
		}
		done <- s
	}()
	for pprof.StartCPUProfile(io.Discard) == nil { // until ours has begun
		pprof.StopCPUProfile()
	}
	pprof.StopCPUProfile()
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		t.Fatal(err)
	}
	defer pprof.StopCPUProfile()
	cancel()
	s := <-done
	if _, err := s.unzip(); err != nil {
		t.Error(err)
	}
	if pprof.StartCPUProfile(io.Discard) == nil {
		t.Error("the program's own profile was ended")
	}
}

// stuck makes answers that take until they are let go.
func stuck(d *desk, seconds int) (let func(), entered chan struct{}) {
	hold, in := make(chan struct{}), make(chan struct{})
	go d.serve(context.Background(), &request{kind: "profile", seconds: seconds}, "somebody", func(ctx context.Context, _ *request) *answer {
		close(in)
		select {
		case <-hold:
			return &answer{status: 200}
		case <-ctx.Done():
			return nil
		}
	})
	return sync.OnceFunc(func() { close(hold) }), in
}

func TestOneAtATime(t *testing.T) {
	d := newDesk()
	let, in := stuck(d, 1)
	<-in
	results := make(chan *answer, mostWaiting+1)
	second := func() {
		results <- d.serve(context.Background(), &request{kind: "heap"}, "another", func(context.Context, *request) *answer { return &answer{status: 201} })
	}
	for i := 0; i < mostWaiting; i++ {
		go second()
	}
	until(d, func(_ running, waiting int) bool { return waiting == mostWaiting })
	second()
	if a := <-results; a.status != 503 || a.retry < 1 || !strings.Contains(a.message, "profile, for somebody") {
		t.Errorf("%+v", a)
	}
	let()
	for i := 0; i < mostWaiting; i++ {
		if a := <-results; a.status != 201 {
			t.Errorf("%+v", a)
		}
	}
}

// until waits for a state of the desk; the limit is that of the tests.
func until(d *desk, reached func(now running, waiting int) bool) {
	for !reached(d.state()) {
		time.Sleep(time.Millisecond)
	}
}

func TestALongOneIsNotWaitedFor(t *testing.T) {
	d := newDesk()
	let, in := stuck(d, 300)
	defer let()
	<-in
	a := d.serve(context.Background(), &request{kind: "heap"}, "another", nil)
	if a.status != 503 || a.retry < 290 || a.retry > 301 {
		t.Errorf("%+v", a)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	d2 := newDesk()
	let2, in2 := stuck(d2, 1)
	defer let2()
	<-in2
	if a := d2.serve(ctx, &request{kind: "heap"}, "one who has gone", nil); a != nil {
		t.Errorf("%+v", a)
	}
}

func TestSwitchedOffAndOn(t *testing.T) {
	s, base := serve(t)
	got := make(chan string, 1)
	go func() {
		_, _, body := ask(t, context.Background(), http.MethodGet, base+"profile?seconds=300")
		got <- body
	}()
	until(s.desk, func(now running, _ int) bool { return now.kind != "" })
	if status, _, body := ask(t, context.Background(), http.MethodPost, base+"off"); status != 200 || !strings.Contains(body, `"on":false`) {
		t.Errorf("%d %s", status, body)
	}
	if body := <-got; !strings.Contains(body, "switched_off") {
		t.Error(body)
	}
	for _, path := range []string{"", "heap", "profile?seconds=1"} {
		if status, _, _ := ask(t, context.Background(), http.MethodGet, base+path); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _, body := ask(t, context.Background(), http.MethodPost, base+"on"); status != 200 || !strings.Contains(body, `"on":true`) {
		t.Errorf("%d %s", status, body)
	}
	if status, header, _ := ask(t, context.Background(), http.MethodGet, base+"heap"); status != 200 || header.Get("Content-Length") == "" {
		t.Errorf("%d", status)
	}
}

func TestWhoGoesEndsTheProfile(t *testing.T) {
	s, base := serve(t)
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan struct{})
	go func() {
		ask(t, ctx, http.MethodGet, base+"profile?seconds=300")
		close(gone)
	}()
	until(s.desk, func(now running, _ int) bool { return now.kind != "" })
	cancel()
	<-gone
	until(s.desk, func(now running, _ int) bool { return now.kind == "" })
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		t.Error(err)
	}
	pprof.StopCPUProfile()
}
