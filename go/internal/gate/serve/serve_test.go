package serve_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/serve"
)

// judge says what it is told, and counts.
type judge struct {
	verdict atomic.Value
	looks   atomic.Int32
	hold    chan struct{} // nil: answers at once
}

func says(v gate.Verdict) *judge {
	j := &judge{}
	j.verdict.Store(v)
	return j
}

func (j *judge) ask(ctx context.Context, thresholds map[string]string) (*gate.Document, error) {
	if value, given := thresholds["check.coverage.points"]; given && value != "0.5" {
		return nil, &serve.BadThreshold{Err: errors.New("bad threshold " + value)}
	}
	j.looks.Add(1)
	if j.hold != nil {
		select {
		case <-j.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	v := j.verdict.Load().(gate.Verdict)
	return &gate.Document{
		Format: 1, Verdict: v, OK: v == gate.Pass, Inconclusive: gate.Keep, GeneratedAt: time.Now(),
		Coverage: &gate.Coverage{Points: 10, Hit: 9},
		Checks:   []gate.Result{{Check: "coverage", Name: "coverage", Verdict: v, DurationMS: 20, Reasons: []gate.Reason{{Verdict: v, Message: "it was told so"}}}},
	}, nil
}

func start(t testing.TB, j *judge, o serve.Options) string {
	o.Judge = j.ask
	ctx, cancel := context.WithCancel(context.Background())
	server := httptest.NewServer(serve.New(ctx, o).Handler())
	t.Cleanup(func() { cancel(); server.Close() })
	return server.URL
}

// ask gives the status, the document and the header of an answer, which must be JSON.
func ask(t *testing.T, method, url, body string, header ...string) (int, map[string]any, http.Header) {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	var document map[string]any
	if err := json.Unmarshal(text, &document); method != http.MethodHead && (err != nil || response.Header.Get("Content-Type") != "application/json") {
		t.Fatalf("%s %s: %d is not JSON: %s", method, url, response.StatusCode, text)
	}
	return response.StatusCode, document, response.Header
}

// What Argo, Flagger and Spinnaker are told for each verdict.
func TestJudges(t *testing.T) {
	for verdict, want := range map[gate.Verdict][2]int{
		gate.Pass: {200, 412}, gate.Fail: {412, 200}, gate.Inconclusive: {503, 412}, gate.Error: {503, 412},
	} {
		url := start(t, says(verdict), serve.Options{})
		status, document, _ := ask(t, "GET", url+"/v1/verdict", "")
		if status != 200 || document["verdict"] != string(verdict) || document["ok"] != (verdict == gate.Pass) {
			t.Errorf("%s: %d %v", verdict, status, document)
		}
		hook := `{"name": "shop", "namespace": "prod", "phase": "Progressing", "checksum": "1", "metadata": {"check.coverage.points": "0.5", "owner": "me"}}`
		status, document, _ = ask(t, "POST", url+"/v1/flagger/gate", hook)
		message, _ := document["message"].(string)
		if status != want[0] || !strings.HasPrefix(message, string(verdict)+": ") || strings.Contains(message, "\n") {
			t.Errorf("gate, %s: %d %v", verdict, status, document)
		}
		if status, document, _ = ask(t, "POST", url+"/v1/flagger/rollback", ""); status != want[1] {
			t.Errorf("rollback, %s: %d %v", verdict, status, document)
		}
		status, document, header := ask(t, "POST", url+"/v1/checks", "")
		if status != 202 || header.Get("Location") != url+"/v1/checks/"+document["id"].(string) {
			t.Fatalf("%d %v %v", status, document, header)
		}
		for document["status"] == "running" {
			if document["result"] != "running" {
				t.Errorf("%v", document)
			}
			_, document, _ = ask(t, "GET", header.Get("Location"), "")
		}
		if document["status"] != "done" || document["result"] != string(verdict) || document["verdict"] != string(verdict) {
			t.Errorf("polled, %s: %v", verdict, document)
		}
	}
}

func TestErrorsAreJSON(t *testing.T) {
	url := start(t, says(gate.Pass), serve.Options{})
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"GET", "/", "", 404, "not_found"},
		{"GET", "/v1/verdict/x", "", 404, "not_found"},
		{"GET", "/v1/checks/none", "", 404, "not_found"},
		{"POST", "/v1/verdict", "", 405, "method_not_allowed"},
		{"GET", "/v1/flagger/gate", "", 405, "method_not_allowed"},
		{"DELETE", "/v1/checks/x", "", 405, "method_not_allowed"},
		{"POST", "/v1/flagger/gate", "{", 400, "bad_request"},
		{"POST", "/v1/flagger/gate", `{"metadata": {"check.coverage.points": "nine"}}`, 400, "bad_request"},
		{"POST", "/v1/checks", `{"metadata": {"check.coverage.points": "nine"}}`, 400, "bad_request"},
		{"POST", "/v1/checks", strings.Repeat("x", 100_000), 400, "bad_request"},
		{"GET", "//v1//verdict", "", 404, "not_found"},
	} {
		status, document, _ := ask(t, c.method, url+c.path, c.body)
		inner, _ := document["error"].(map[string]any)
		if status != c.status || inner["code"] != c.code || inner["hint"] == "" {
			t.Errorf("%s %s: %d %v", c.method, c.path, status, document)
		}
	}
}

func TestToken(t *testing.T) {
	url := start(t, says(gate.Pass), serve.Options{Token: "abc"})
	for _, c := range []struct {
		path, header string
		status       int
	}{
		{"/v1/verdict", "", 401}, {"/v1/verdict", "Bearer abd", 401}, {"/v1/verdict", "abc", 401}, {"/v1/verdict", "Bearer abc", 200},
		{"/metrics2", "", 401}, {"/healthz", "", 200},
	} {
		if status, document, _ := ask(t, "GET", url+c.path, "", "Authorization", c.header); status != c.status {
			t.Errorf("%s with %q: %d %v", c.path, c.header, status, document)
		}
	}
}

// Ten who ask at once cost one look, and one of them going away ends it for nobody.
func TestOneLookForAll(t *testing.T) {
	j := says(gate.Pass)
	j.hold = make(chan struct{})
	url := start(t, j, serve.Options{Fresh: time.Hour})
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan error, 1)
	go func() {
		request, _ := http.NewRequestWithContext(ctx, "GET", url+"/v1/verdict", nil)
		_, err := http.DefaultClient.Do(request)
		gone <- err
	}()
	for j.looks.Load() == 0 {
		runtime.Gosched()
	}
	cancel()
	if err := <-gone; err == nil {
		t.Fatal("it did not go away")
	}
	var group sync.WaitGroup
	for range 10 {
		group.Add(1)
		go func() {
			defer group.Done()
			if status, _, _ := ask(t, "GET", url+"/v1/verdict", ""); status != 200 {
				t.Errorf("status %d", status)
			}
		}()
	}
	close(j.hold)
	group.Wait()
	if n := j.looks.Load(); n != 1 {
		t.Errorf("%d looks", n)
	}
	// Other thresholds are another question.
	ask(t, "POST", url+"/v1/flagger/gate", `{"metadata": {"check.coverage.points": "0.5"}}`)
	if n := j.looks.Load(); n != 2 {
		t.Errorf("%d looks", n)
	}
}

func TestAStaleVerdictIsNotAnAnswer(t *testing.T) {
	j := says(gate.Pass)
	url := start(t, j, serve.Options{Fresh: 0})
	ask(t, "GET", url+"/v1/verdict", "")
	j.verdict.Store(gate.Fail)
	if _, document, _ := ask(t, "GET", url+"/v1/verdict", ""); document["verdict"] != "fail" {
		t.Errorf("%v", document)
	}
}

func TestMetrics(t *testing.T) {
	j := says(gate.Inconclusive)
	url := start(t, j, serve.Options{Fresh: time.Hour})
	ask(t, "GET", url+"/nowhere", "")
	response, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	for _, line := range []string{
		`goat_check_verdict{check="coverage"} 2`, `goat_check_duration_seconds{check="coverage"} 0.02`, "goat_check_overall_verdict 2",
		`goat_check_requests_total{path="other",status="404"} 1`,
	} {
		if !slices.Contains(strings.Split(string(text), "\n"), line) {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
}

// Whoever waits when the server is told to stop gets an answer, and it stops.
func TestStopsWithALookUnderWay(t *testing.T) {
	j := says(gate.Pass)
	j.hold = make(chan struct{})
	ctx, stop := context.WithCancel(context.Background())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- serve.New(ctx, serve.Options{Judge: j.ask}).Serve(listener) }()
	answered := make(chan map[string]any, 1)
	go func() {
		_, document, _ := ask(t, "GET", "http://"+listener.Addr().String()+"/v1/verdict", "")
		answered <- document
	}()
	for j.looks.Load() == 0 {
		runtime.Gosched()
	}
	stop()
	if document := <-answered; document["verdict"] != "error" {
		t.Errorf("%v", document)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// load sends n requests from 50 clients, and gives how long each took.
func load(t testing.TB, url string, n int) []time.Duration {
	const clients = 50
	took := make([][]time.Duration, clients)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	var group sync.WaitGroup
	for c := range clients {
		group.Add(1)
		go func() {
			defer group.Done()
			for range n / clients {
				begin := time.Now()
				response, err := client.Get(url + "/v1/verdict")
				if err != nil {
					t.Error(err)
					return
				}
				text, err := io.ReadAll(response.Body)
				_ = response.Body.Close()
				if err != nil || response.StatusCode != 200 || !json.Valid(text) {
					t.Errorf("status %d, %v", response.StatusCode, err)
					return
				}
				took[c] = append(took[c], time.Since(begin))
			}
		}()
	}
	group.Wait()
	all := slices.Concat(took...)
	slices.Sort(all)
	return all
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Many requests: no error, and nothing is kept of them.
func TestManyRequests(t *testing.T) {
	url := start(t, says(gate.Pass), serve.Options{Fresh: 10 * time.Millisecond})
	load(t, url, 1000)
	before := heap()
	load(t, url, 5000)
	if after := heap(); after > before+4<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
}

// go test -run '^$' -bench Verdicts -benchtime 1x ./internal/gate/serve
func BenchmarkVerdicts(b *testing.B) {
	for range b.N {
		url := start(b, says(gate.Pass), serve.Options{Fresh: 3 * time.Second})
		load(b, url, 1000)
		before := heap()
		took := load(b, url, 100_000)
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		b.ReportMetric((float64(heap())-float64(before))/(1<<20), "heap-MiB")
		fmt.Fprintln(io.Discard, len(took))
	}
}
