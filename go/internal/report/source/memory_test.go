package source_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/goat-trace/goat/go/internal/report"
	"github.com/goat-trace/goat/go/internal/report/source"
)

// What did not change is not sent again, and is the same report all the same.
func TestMemoryAsksWithTheTag(t *testing.T) {
	p := &process{plan: "p", instance: "1", started: early, items: []string{item("x", 1, "traffic", 1)}}
	var sent, same atomic.Int32
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/track" {
			if r.Header.Get("If-None-Match") == `"1"` {
				same.Add(1)
				w.WriteHeader(http.StatusNotModified)
				return
			}
			sent.Add(1)
			w.Header().Set("ETag", `"1"`)
		}
		p.ServeHTTP(w, r)
	}))
	r := request(t, s)
	r.Memory = &source.Memory{}
	for range 3 {
		if d := makeReport(t, r); d.Summary.Hit != 1 {
			t.Fatalf("%+v", d.Summary)
		}
	}
	if sent.Load() != 1 || same.Load() != 2 {
		t.Errorf("sent %d times, not modified %d times", sent.Load(), same.Load())
	}
}

// A process that ends, or is replaced by another at the same address, keeps its hits.
func TestMemoryKeepsWhatIsGone(t *testing.T) {
	first := &process{plan: "p", instance: "1", started: early, items: []string{item("x", 1, "traffic", 1), item("y", 2, "", 0)}}
	second := &process{plan: "p", instance: "2", started: late, items: []string{item("x", 1, "", 0), item("y", 2, "traffic", 1)}}
	var now atomic.Pointer[process]
	now.Store(first)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { now.Load().ServeHTTP(w, r) }))
	defer server.Close()
	r := request(t, server.URL)
	r.Memory = &source.Memory{}
	makeReport(t, r)
	now.Store(second)
	d := makeReport(t, r)
	if d.Summary.Hit != 2 || len(d.Instances) != 2 || d.Instances[1].State != "ended" || d.Outcome() != report.Complete {
		t.Errorf("%+v %+v", d.Summary, d.Instances)
	}
	server.Close()
	d = makeReport(t, r)
	if d.Summary.Hit != 2 || d.Outcome() != report.Partial || d.Instances[0].Error == nil {
		t.Errorf("%+v %+v", d.Summary, d.Instances)
	}
}
