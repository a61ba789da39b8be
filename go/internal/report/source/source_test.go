package source_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/goatrt"
	"github.com/goat-trace/goat/go/internal/report"
	"github.com/goat-trace/goat/go/internal/report/source"
)

// process is a peer on the network with the documents of a live process. The real
// server is held to the same shapes by goatrt's tests and the end-to-end scripts.
type process struct {
	plan, instance, started string
	items                   []string
	degraded                string
	lane                    string
	siblings                func() string
}

// item is one point of /track.
func item(id string, line int, phase string, count int) string {
	first := "null"
	quoted := "null"
	if phase != "" {
		first, quoted = fmt.Sprintf("%q", "2026-01-02T03:04:0"+fmt.Sprint(count%10)+"Z"), fmt.Sprintf("%q", phase)
	}
	return fmt.Sprintf(`{"id":1,"name":"TRACK_ID_1","count":%d,"point":%q,"package":"example.com/a","file":"a.go",
		"line":%d,"endLine":%d,"func":"F","kind":"change","form":"exact","firstHit":%s,"phase":%s}`, count, id, line, line, first, quoted)
}

func (p *process) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/version":
		degraded := p.degraded
		if degraded == "" {
			degraded = "[]"
		}
		siblings := "[]"
		if p.siblings != nil {
			siblings = p.siblings()
		}
		fmt.Fprintf(w, `{"goat":"0.1.0","app":"app","version":"1","component":"example.com/a","module":"example.com/a","mode":"exe",
			"base":"v1","baseCommit":"b","release":"HEAD","releaseCommit":"r","dirty":false,"contentHash":"","planHash":%q,
			"granularity":"patch","precision":2,"instance":%q,"started":%q,"degraded":%s,"lane":%q,"window":"1s","phase":"traffic","siblings":%s,"components":[]}`, p.plan, p.instance, p.started, degraded, p.lane, siblings)
	case "/track":
		fmt.Fprintf(w, `{"name":"app","version":"1","results":[{"id":0,"name":"example.com/a","degraded":[],"metrics":{"items":[%s]}}]}`,
			strings.Join(p.items, ","))
	default:
		http.NotFound(w, r)
	}
}

func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func request(t *testing.T, sources ...string) source.Request {
	t.Helper()
	return source.Request{Sources: sources, Dir: t.TempDir(), Cache: t.TempDir(), Timeout: 10 * time.Second}
}

func makeReport(t *testing.T, r source.Request) *report.Document {
	t.Helper()
	d, err := source.Make(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const (
	early = "2026-01-02T03:00:00Z"
	late  = "2026-01-02T04:00:00Z"
)

// rows are points as `id phase hits/holders`.
func rows(d *report.Document) []string {
	var all []string
	for i := range d.Points {
		p := &d.Points[i]
		phase := "-"
		if p.Phase != nil {
			phase = *p.Phase
		}
		all = append(all, fmt.Sprintf("%s %s %d/%d", p.ID, phase, p.HitInstances, p.Instances))
	}
	return all
}

func TestUnionOverAFleet(t *testing.T) {
	a := serve(t, &process{plan: "p", instance: "1", started: early, items: []string{item("x", 1, "startup", 1), item("y", 2, "", 0), item("z", 3, "traffic", 5)}})
	b := serve(t, &process{plan: "p", instance: "2", started: late, items: []string{item("x", 1, "traffic", 9), item("y", 2, "", 0), item("z", 3, "traffic", 2)}})
	d := makeReport(t, request(t, a, b))
	want := []string{"x traffic 2/2", "y - 0/2", "z traffic 2/2"}
	if got := rows(d); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if x := d.Points[0]; x.FirstHit.Format("05") != "01" || x.FirstTraffic.Format("05") != "09" || x.Phases.Startup.Format("05") != "01" || x.Phases.Init != nil {
		t.Errorf("x: first hit %v, in traffic %v, phases %+v", x.FirstHit, x.FirstTraffic, x.Phases)
	}
	if got := d.Points[2].FirstHit.Format("05"); got != "02" {
		t.Errorf("first hit of z: %s", got)
	}
	s := d.Summary
	if s.Points != 3 || s.Hit != 2 || *s.Ratio != 2.0/3 || s.Phases.Traffic != 2 || d.Outcome() != report.Complete {
		t.Errorf("%+v", s)
	}
	if d.Lines != nil || d.LinesMissing != "plan p is neither in .goat nor in the plan cache; --plan names one" {
		t.Errorf("%v %q", d.Lines, d.LinesMissing)
	}
	if d.Identity.PlanHash != "p" || d.Identity.Base.Ref != "v1" {
		t.Errorf("%+v", d.Identity)
	}
}

func TestLanesAndLastHits(t *testing.T) {
	moments := func(id, last, startup, traffic string) string {
		quote := func(second string) string {
			if second == "" {
				return "null"
			}
			return fmt.Sprintf("%q", "2026-01-02T03:04:"+second+"Z")
		}
		return fmt.Sprintf(`{"name":"TRACK_ID_1","count":1,"point":%q,"file":"a.go","line":1,"form":"exact","firstHit":%s,"phase":"traffic",
			"firstTraffic":%s,"lastHit":%s,"phases":{"init":null,"startup":%s,"traffic":%s}}`, id, quote(startup), quote(traffic), quote(last), quote(startup), quote(traffic))
	}
	grey := serve(t, &process{plan: "p", instance: "1", started: early, lane: "gray", items: []string{moments("x", "30", "02", "05"), item("y", 2, "traffic", 1)}})
	stable := serve(t, &process{plan: "p", instance: "2", started: early, items: []string{moments("x", "20", "01", "07"), item("y", 2, "", 0)}})
	d := makeReport(t, request(t, grey, stable))
	if i := d.Instances[0]; i.Lane != "gray" || i.Phase != "traffic" || i.Window != "1s" || i.Ended != nil || i.Tests {
		t.Errorf("%+v", i)
	}
	x, y := d.Points[0], d.Points[1]
	if x.FirstHit.Format("05") != "01" || x.FirstTraffic.Format("05") != "05" || x.LastHit.Format("05") != "30" {
		t.Errorf("x: first %v, in traffic %v, last %v", x.FirstHit, x.FirstTraffic, x.LastHit)
	}
	if len(x.Lanes) != 2 || x.Lanes[0].Lane != "" || x.Lanes[1].Lane != "gray" || x.Lanes[0].LastHit.Format("05") != "20" || x.Lanes[1].FirstHit.Format("05") != "02" {
		t.Errorf("x: %+v", x.Lanes)
	}
	if y.Lanes[0].Phase != nil || y.Lanes[0].Instances != 1 || y.Lanes[0].HitInstances != 0 || *y.Lanes[1].Phase != "traffic" || y.LastHit != nil {
		t.Errorf("y: %+v", y.Lanes)
	}
}

func TestOneProcessSeenTwiceCountsOnce(t *testing.T) {
	p := &process{plan: "p", instance: "same", started: early, items: []string{item("x", 1, "traffic", 1)}}
	d := makeReport(t, request(t, serve(t, p), serve(t, p)))
	if got := rows(d); got[0] != "x traffic 1/1" {
		t.Errorf("got %q", got)
	}
}

func TestTheNewestPlanCounts(t *testing.T) {
	old := serve(t, &process{plan: "old", instance: "1", started: early, items: []string{item("kept", 1, "traffic", 1), item("gone", 2, "traffic", 1)}})
	fresh := serve(t, &process{plan: "new", instance: "2", started: late, items: []string{item("kept", 5, "", 0), item("added", 6, "", 0)}})
	d := makeReport(t, request(t, old, fresh))
	want := []string{"kept traffic 1/2", "added - 0/1"}
	if got := rows(d); !reflect.DeepEqual(got, want) || d.Dropped != 1 {
		t.Errorf("got %q, dropped %d", got, d.Dropped)
	}
	if d.Points[0].Start.Line != 5 {
		t.Errorf("line %d is that of the old plan", d.Points[0].Start.Line)
	}
}

func TestPartAndNothing(t *testing.T) {
	good := serve(t, &process{plan: "p", instance: "1", started: early, items: []string{item("x", 1, "traffic", 1)}})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + listener.Addr().String()
	listener.Close()
	other := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }))
	empty := t.TempDir()
	d := makeReport(t, request(t, good, closed, other, empty, filepath.Join(empty, "none")))
	if d.Outcome() != report.Partial || d.Summary.Failed != 4 || d.Summary.Sources != 5 {
		t.Errorf("%+v", d.Summary)
	}
	want := []string{
		"", "connection refused: nothing listens there",
		"something answers there, but not an instrumented program",
		"no spool files in this directory", "no such file or directory",
	}
	for i, message := range want {
		got := ""
		if d.Instances[i].Error != nil {
			got = *d.Instances[i].Error
		}
		if got != message || d.Instances[i].Reachable != (i == 0) {
			t.Errorf("%s: %q, want %q", d.Instances[i].Source, got, message)
		}
	}
	if d := makeReport(t, request(t, closed)); d.Outcome() != report.Nothing || d.Summary.Ratio != nil {
		t.Errorf("%+v", d.Summary)
	}
}

func TestAFailureThatPassesIsTriedAgain(t *testing.T) {
	p := &process{plan: "p", instance: "1", started: early, items: []string{item("x", 1, "traffic", 1)}}
	var calls atomic.Int32
	source := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		p.ServeHTTP(w, r)
	}))
	if d := makeReport(t, request(t, source)); d.Outcome() != report.Complete || calls.Load() != 4 {
		t.Errorf("%+v after %d calls", d.Instances, calls.Load())
	}
}

func TestARefusalIsNotTriedAgain(t *testing.T) {
	var calls atomic.Int32
	source := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusForbidden)
	}))
	d := makeReport(t, request(t, source))
	if *d.Instances[0].Error != "the program wants a token: --token or GOAT_TOKEN" || calls.Load() != 1 {
		t.Errorf("%q after %d calls", *d.Instances[0].Error, calls.Load())
	}
}

func TestTheTokenIsSent(t *testing.T) {
	p := &process{plan: "p", instance: "1", started: early}
	source := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		p.ServeHTTP(w, r)
	}))
	r := request(t, source)
	r.Token = "secret"
	if d := makeReport(t, r); d.Outcome() != report.Complete {
		t.Errorf("%+v", d.Instances)
	}
}

func TestNoAnswerEndsWithTheTimeout(t *testing.T) {
	stop := make(chan struct{})
	source := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	}))
	defer close(stop)
	r := request(t, source)
	r.Timeout = 20 * time.Millisecond
	d := makeReport(t, r)
	if *d.Instances[0].Error != "no answer within 20ms" {
		t.Errorf("%q", *d.Instances[0].Error)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	slow := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	if _, err := source.Make(ctx, request(t, slow)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestUnixSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "goat") // short: a socket's path has about 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	listener, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Skip("no unix sockets here: ", err)
	}
	server := &http.Server{Handler: &process{plan: "p", instance: "1", started: early, items: []string{item("x", 1, "traffic", 1)}}}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	for _, source := range []string{"unix:" + listener.Addr().String(), "unix://" + listener.Addr().String()} {
		if d := makeReport(t, request(t, source)); d.Outcome() != report.Complete {
			t.Errorf("%s: %+v", source, *d.Instances[0].Error)
		}
	}
}

// plan is a plan document with its account; y stands in a package that is not linked.
const plan = `{"format":1,"goat":{"version":"0.1.0","commit":""},"module":"example.com/a",
"base":{"ref":"v1","commit":"b","chosen":"tag"},"release":{"ref":"HEAD","commit":"r","dirty":true,"contentHash":"c"},
"build":null,"precision":2,"granularity":"%s","planHash":"p",
"points":[
 {"id":"z","name":"TRACK_ID_1","kind":"change","form":"exact","package":"example.com/a","file":"a.go","func":"F","start":{"line":3,"column":2},"end":{"line":4,"column":9}},
 {"id":"x","name":"TRACK_ID_2","kind":"change","form":"exact","package":"example.com/a","file":"a.go","func":"G","start":{"line":1,"column":2},"end":{"line":1,"column":9}},
 {"id":"y","name":"TRACK_ID_3","kind":"change","form":"exact","package":"example.com/b","file":"b.go","func":"H","start":{"line":2,"column":2},"end":{"line":2,"column":9}}],
"account":[
 {"file":"a.go","line":1,"class":"tracked","points":["x"]},
 {"file":"a.go","line":2,"class":"not_executable","reason":"comment"},
 {"file":"a.go","line":3,"class":"tracked","points":["z"]},
 {"file":"a.go","line":4,"class":"tracked","points":["x","z"]},
 {"file":"a.go","deletedAfter":9,"deletedLines":2,"class":"tracked","points":["x"]},
 {"file":"b.go","line":2,"class":"tracked","points":["y"]}],
"files":[],"summary":{"files":2,"packages":2,"addedLines":5,"tracked":4,"notExecutable":1,"untracked":0,"deletions":1,"points":3,"other":[]}}`

func TestAccount(t *testing.T) {
	for granularity, evidence := range map[string]string{"line": "reached", "patch": "entered", "func": "entered"} {
		source := serve(t, &process{plan: "p", instance: "1", started: early, items: []string{item("x", 1, "traffic", 1), item("z", 3, "", 0)}})
		r := request(t, source)
		r.Plan = filepath.Join(t.TempDir(), "plan.json")
		if err := os.WriteFile(r.Plan, []byte(fmt.Sprintf(plan, granularity)), 0o644); err != nil {
			t.Fatal(err)
		}
		d := makeReport(t, r)
		if got, want := rows(d), []string{"z - 0/1", "x traffic 1/1"}; !reflect.DeepEqual(got, want) {
			t.Errorf("the plan's order is lost: %q", got)
		}
		if d.Points[0].End.Column != 9 {
			t.Errorf("columns are the plan's: %+v", d.Points[0])
		}
		var lines []string
		for _, l := range d.Lines {
			lines = append(lines, fmt.Sprintf("%s:%d %s %s", l.File, l.Line, l.Reached, l.Evidence))
		}
		want := []string{"a.go:1 all " + evidence, "a.go:3 none " + evidence, "a.go:4 some " + evidence}
		if !reflect.DeepEqual(lines, want) {
			t.Errorf("got %q, want %q", lines, want)
		}
		if s := d.Summary; s.Lines != 3 || s.LinesReached != 1 || s.Points != 2 || s.NotLinked != 1 || s.LinesNotLinked != 1 || d.NotLinked[0].ID != "y" {
			t.Errorf("%+v", s)
		}
	}
}

// The lines of a degraded package are in the program, but nothing watches them: they
// stay in the account, or all of the rest could pass for all.
func TestAccountOfADegradedPackage(t *testing.T) {
	source := serve(t, &process{plan: "p", instance: "1", started: early, items: []string{item("x", 1, "traffic", 1), item("z", 3, "traffic", 1)}, degraded: `["example.com/b"]`})
	r := request(t, source)
	r.Plan = filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(r.Plan, []byte(fmt.Sprintf(plan, "patch")), 0o644); err != nil {
		t.Fatal(err)
	}
	d := makeReport(t, r)
	if s := d.Summary; s.Lines != 4 || s.LinesReached != 3 || s.LinesNotLinked != 0 {
		t.Errorf("%+v", s)
	}
}

func TestDefaultSource(t *testing.T) {
	for _, c := range []struct{ addr, ip, port, want string }{
		{"", "", "", "http://127.0.0.1:57005"},
		{"10.0.0.1:80", "1.1.1.1", "2", "http://10.0.0.1:80"},
		{"", "10.0.0.1", "8080", "http://10.0.0.1:8080"},
		{"", "0.0.0.0", "", "http://127.0.0.1:57005"},
		{"[::]:81", "", "", "http://127.0.0.1:81"},
		{":0", "", "", "http://127.0.0.1:57005"},
		{"off", "", "", "http://127.0.0.1:57005"},
		{"unix:/run/goat.sock", "", "", "unix:/run/goat.sock"},
	} {
		got := source.Default(func(name string) string {
			return map[string]string{"GOAT_ADDR": c.addr, "GOAT_METRICS_IP": c.ip, "GOAT_PORT": c.port}[name]
		})
		if got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}

func TestBadPlan(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		text string
		code goat.Code
		want string
	}{
		"other.json": {`{"format":2}`, goat.CodePlanMismatch, "--plan cannot be read: format 2: plan of another goat: rebuild with the same goat"},
		"none":       {"", goat.CodeUsage, "--plan cannot be read: no such file or directory"},
		"text.json":  {"hello", goat.CodePlanMismatch, "--plan cannot be read: text.json is not a plan: invalid character 'h' looking for beginning of value"},
	} {
		path := filepath.Join(dir, name)
		if c.text != "" {
			if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		r := request(t, "http://127.0.0.1:1")
		r.Plan = path
		_, err := source.Make(context.Background(), r)
		var e *goat.Error
		if !errors.As(err, &e) || e.Code != c.code || e.Error() != c.want {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestDocumentShape(t *testing.T) {
	d := makeReport(t, request(t, "http://127.0.0.1:1"))
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"format":1`, `"points":[]`, `"lines":null`, `"linesMissing":"`, `"ratio":null`, `"degraded":[]`, `"reachable":false`, `"started":null`} {
		if !strings.Contains(string(text), part) {
			t.Errorf("%s is missing in %s", part, text)
		}
	}
}

// A real spool of the real runtime, with a counting point.
func TestSpool(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("GOAT_SPOOL", dir)
	var counters [2]uint32
	var hook func(*uint32)
	meta := "id0\tTRACK_ID_1\tchange\tcount\t1\t2\t1\t9\t\"a.go\"\t\"F\"\nid1\tTRACK_ID_2\tchange\texact\t2\t2\t2\t9\t\"a.go\"\t\"F\"\n"
	if !goatrt.Start([]goatrt.Entry{
		{Meta: "goat=\"0.1.0\"\napp=\"app\"\nversion=\"1\"\nplan=\"0123456789abcdef\"\nmode=\"exe\"\ngranularity=\"patch\"\nprecision=\"2\"\n"},
		{Pkg: "example.com/a", Acc: func() (*uint32, int, *func(*uint32)) { return &counters[0], 2, &hook }, Meta: meta},
		{Pkg: "example.com/lost"},
	}, nil) {
		t.Fatal("the runtime tracks nothing")
	}
	for range 3 {
		hook(&counters[0])
	}
	goatrt.Ready()
	hook(&counters[1])
	r := request(t, dir)
	d := makeReport(t, r)
	if d.Outcome() != report.Complete || len(d.Points) != 2 {
		t.Fatalf("%+v", d.Instances)
	}
	// The runtime writes counts from time to time.
	for deadline := time.Now().Add(30 * time.Second); *d.Points[0].Count < 3 && time.Now().Before(deadline); {
		d = makeReport(t, r)
	}
	first, second := &d.Points[0], &d.Points[1]
	if !first.Hit || first.Count == nil || *first.Count != 3 || *first.Phase != "init" && *first.Phase != "startup" {
		t.Errorf("%+v", first)
	}
	if !second.Hit || second.Count != nil || *second.Phase != "traffic" || second.FirstHit == nil {
		t.Errorf("%+v", second)
	}
	if !reflect.DeepEqual(d.Degraded, []string{"example.com/lost"}) {
		t.Errorf("degraded %v", d.Degraded)
	}
	// The file itself is a source, too; the same process counts once.
	files, err := filepath.Glob(filepath.Join(dir, "*.spool"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	r.Sources = append(r.Sources, files[0])
	if d := makeReport(t, r); d.Points[0].Instances != 1 || *d.Points[0].Count != 3 {
		t.Errorf("%+v", d.Points[0])
	}
	// A damaged file beside it makes the report partial, not empty.
	broken := filepath.Join(dir, "goat-app-0000000000000000.spool")
	if err := os.WriteFile(broken, []byte("nothing like a spool"), 0o644); err != nil {
		t.Fatal(err)
	}
	r.Sources = []string{dir}
	if d := makeReport(t, r); d.Outcome() != report.Partial || d.Summary.Points != 2 {
		t.Errorf("%+v", d.Instances)
	}
}
