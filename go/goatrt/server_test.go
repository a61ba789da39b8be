//go:build unix

package goatrt_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// answer is /track as upstream's clients and goat's read it.
type answer struct {
	Name, Version, Lane, Window string
	Results                     []struct {
		ID       int
		Name     string
		Degraded []string
		Metrics  struct {
			Version        string
			Total, Covered int
			CoveredRate    *float64
			Items          []struct {
				ID, Count, Line, EndLine                     int
				Name, Point, Package, File, Func, Kind, Form string
				FirstHit, FirstTraffic, LastHit              *time.Time
				Phase                                        *string
				Phases                                       *struct{ Init, Startup, Traffic *time.Time }
			}
		}
	}
}

func track(t *testing.T, url string) answer {
	t.Helper()
	var a answer
	decoder := json.NewDecoder(strings.NewReader(get(t, url)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestTrack(t *testing.T) {
	p, base := serve(t, "TEST_TWICE=1")
	p.tell("hit=3")
	p.tell("store=1")
	p.tell("count=5")
	a := track(t, base+"/track?component=0")
	m := a.Results[0].Metrics
	if a.Name != "app" || a.Version != `1.0"0` || a.Results[0].Name != "example.com/app" || m.Total != 1004 || m.Covered != 3 ||
		*m.CoveredRate != 3.0/1004 || len(m.Items) != 1004 || a.Results[0].Degraded[0] != "example.com/app/gone" {
		t.Errorf("%+v", a.Results[0].Metrics.Covered)
	}
	last := m.Items[1003]
	if last.Count != 40 || last.Point != "smallcount0000" || last.Package != "example.com/app/small" || last.File != "smallcount/a.go" ||
		last.Line != 10 || last.EndLine != 11 || last.Func != "(*T).Do" || last.Kind != "change" || last.Form != "count" || last.FirstHit == nil || *last.Phase != "startup" {
		t.Errorf("last item %+v", last)
	}
	if first := m.Items[0]; first.Count != 0 || first.FirstHit != nil || first.Phase != nil {
		t.Errorf("first item %+v", first)
	}
	if again := track(t, base+"/track?component=0").Results[0].Metrics.Version; again != m.Version {
		t.Errorf("version %s, then %s without a hit between", m.Version, again)
	}
	p.tell("hit=4")
	if again := track(t, base+"/track?component=0").Results[0].Metrics.Version; again == m.Version {
		t.Errorf("version %s before and after a hit", again)
	}
	if both := track(t, base+"/track"); len(both.Results) != 2 || both.Results[1].Name != "example.com/app/plugin" || both.Results[1].Metrics.Covered != 2 {
		t.Errorf("%d components", len(both.Results))
	}
	if legacy := track(t, base+"/track?component=1&legacy=1"); *legacy.Results[0].Metrics.CoveredRate != 50 {
		t.Errorf("legacy rate %v", *legacy.Results[0].Metrics.CoveredRate)
	}
}

func TestTrackSelection(t *testing.T) {
	p, base := serve(t, "TEST_TWICE=1")
	p.tell("count=1")
	p.tell("store=1")
	p.tell("hit=3")
	for query, want := range map[string]string{
		"component=1":                      "1",
		"component=example.com/app/plugin": "1",
		"component=1,0":                    "1 0",
		"component=0,0,example.com/app":    "0",
		"component=0%2C1":                  "0 1",
	} {
		var got []string
		for _, r := range track(t, base+"/track?"+query).Results {
			got = append(got, strconv.Itoa(r.ID))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", query, got, want)
		}
	}
	for query, want := range map[string]string{
		"component=1&order=0":   "2:0 1:0 2:1 1:8", // placed below
		"component=1&order=1":   "",
		"component=1&order=2":   "",
		"component=1&order=3":   "",
		"component=1&hit=true":  "1:8 2:1",
		"component=1&hit=false": "1:0 2:0",
	} {
		var got []string
		for _, item := range track(t, base+"/track?"+query).Results[0].Metrics.Items {
			got = append(got, strconv.Itoa(item.ID)+":"+strconv.Itoa(item.Count))
		}
		checkOrder(t, query, got, want)
	}
	for _, bad := range []string{"component=2", "component=-1", "component=example.com", "component=,", "component=0,x", "order=4", "order=-1", "order=x", "hit=yes"} {
		status, body, header := ask(t, "GET", base+"/track?"+bad)
		var e struct {
			Error struct{ Code, Message, Hint string }
		}
		if err := json.Unmarshal([]byte(body), &e); err != nil || status != 400 || e.Error.Code == "" || e.Error.Hint == "" || !strings.HasPrefix(header.Get("Content-Type"), "application/json") {
			t.Errorf("%s: %d %s (%v)", bad, status, body, err)
		}
	}
}

// checkOrder checks items written id:count against the order the query asks for.
func checkOrder(t *testing.T, query string, got []string, want string) {
	t.Helper()
	key := func(s string, part int) int { n, _ := strconv.Atoi(strings.Split(s, ":")[part]); return n }
	for i := 1; i < len(got); i++ {
		id, count := key(got[i], 0)-key(got[i-1], 0), key(got[i], 1)-key(got[i-1], 1)
		switch {
		case strings.HasSuffix(query, "order=0") && count < 0,
			strings.HasSuffix(query, "order=1") && count > 0,
			strings.HasSuffix(query, "order=2") && id < 0,
			strings.HasSuffix(query, "order=3") && id > 0:
			t.Errorf("%s: %v", query, got)
		}
	}
	if strings.Contains(query, "hit=") {
		joined := strings.Join(got, " ")
		for _, item := range strings.Fields(want) {
			if !strings.Contains(joined, item) || len(got) != 2 {
				t.Errorf("%s: %s, want %s", query, joined, want)
			}
		}
	} else if len(got) != 4 {
		t.Errorf("%s: %v", query, got)
	}
}

func TestMethodsAndPaths(t *testing.T) {
	_, base := serve(t)
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/healthz", 200}, {"HEAD", "/track", 200}, {"HEAD", "/metrics", 200}, {"POST", "/track", 405}, {"PUT", "/metrics", 405},
		{"GET", "/ready", 405}, {"DELETE", "/reset", 405}, {"GET", "/", 404}, {"GET", "/track/", 404}, {"GET", "/debug/pprof/", 404}, {"POST", "/reset", 403},
	} {
		status, body, header := ask(t, c.method, base+c.path)
		if status != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, status, c.status)
		}
		if c.method == "HEAD" && body != "" {
			t.Errorf("HEAD %s has a body", c.path)
		}
		if status >= 400 && !json.Valid([]byte(body)) {
			t.Errorf("%s %s: %q is not JSON", c.method, c.path, body)
		}
		if status == 405 && header.Get("Allow") == "" {
			t.Errorf("%s %s: no Allow", c.method, c.path)
		}
		if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: header %v", c.method, c.path, header)
		}
	}
}

func TestGuard(t *testing.T) {
	_, open := serve(t)
	_, closed := serve(t, "GOAT_TOKEN=s3cret")
	_, wide := serve(t, "GOAT_TOKEN=s3cret", "GOAT_ADDR=0.0.0.0:0")
	wide = strings.Replace(wide, "[::]", "127.0.0.1", 1)
	token := []string{"Authorization", "Bearer s3cret"}
	for _, c := range []struct {
		name, method, url string
		header            []string
		status            int
	}{
		{"read", "GET", open + "/track", nil, 200},
		{"rebound read", "GET", open + "/track", []string{"Host", "evil.example"}, 403},
		{"rebound post", "POST", open + "/ready", []string{"Host", "evil.example:80"}, 403},
		{"localhost", "GET", open + "/track", []string{"Host", "localhost:1"}, 200},
		{"other page", "POST", open + "/ready", []string{"Origin", "http://evil.example"}, 403},
		{"other site", "POST", open + "/ready", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"no page at all", "POST", open + "/ready", []string{"Origin", "null"}, 403},
		{"ready", "POST", open + "/ready", nil, 200},
		{"ready through a proxy", "POST", open + "/ready", []string{"X-Forwarded-For", "192.0.2.1"}, 403},
		{"reset without token set", "POST", open + "/reset", token, 403},
		{"reset with an empty token", "POST", open + "/reset", []string{"Authorization", "Bearer "}, 403},
		{"rebound read with a token set", "GET", wide + "/track", []string{"Host", "evil.example"}, 401},
		{"local read of a wide one", "GET", wide + "/track", nil, 200},
		{"local read", "GET", closed + "/track", nil, 200},
		{"proxied read", "GET", closed + "/track", []string{"X-Forwarded-For", "192.0.2.1"}, 401},
		{"proxied read with token", "GET", closed + "/track", append([]string{"X-Forwarded-For", "192.0.2.1"}, token...), 200},
		{"reset without token", "POST", closed + "/reset", nil, 403},
		{"reset with a wrong one", "POST", closed + "/reset", []string{"Authorization", "Bearer s3cre"}, 403},
		{"reset with another scheme", "POST", closed + "/reset", []string{"Authorization", "Basic s3cret"}, 403},
		{"reset", "POST", closed + "/reset", token, 200},
		{"reset by name", "POST", closed + "/reset", append([]string{"Host", "canary.ns.svc:57005"}, token...), 200},
	} {
		if status, body, _ := ask(t, c.method, c.url, c.header...); status != c.status {
			t.Errorf("%s: %d, want %d\n%s", c.name, status, c.status, body)
		}
	}
}

// A name that is not localhost, but means this machine, is guarded like an address of it.
func TestGuardOfANamedListener(t *testing.T) {
	name := loopbackName(t)
	_, base := serve(t, "GOAT_ADDR="+name+":0")
	for host, want := range map[string]int{"evil.example": 403, name + ":1": 200, "127.0.0.1": 200} {
		if status, body, _ := ask(t, "GET", base+"/track", "Host", host); status != want {
			t.Errorf("host %s: %d %s", host, status, body)
		}
	}
}

// loopbackName is a name of this machine's loopback address other than localhost.
func loopbackName(t *testing.T) string {
	own, _ := os.Hostname()
	for _, name := range []string{"ip6-localhost", "ip6-loopback", "localhost.localdomain", own} {
		if ips, err := net.LookupIP(name); err == nil && len(ips) == 1 && ips[0].IsLoopback() {
			return name
		}
	}
	t.Skip("this machine has no other name for its loopback address")
	return ""
}

func TestOtherMachinesNeedTheToken(t *testing.T) {
	address := otherAddress(t)
	p := start(t, build(t, "with_server"), []string{"GOAT_ADDR=" + net.JoinHostPort(address, "0"), "GOAT_TOKEN=s3cret"}, "wait")
	base := "http://" + p.address()
	if status, _, h := ask(t, "GET", base+"/metrics"); status != 401 || h.Get("WWW-Authenticate") == "" {
		t.Errorf("read without token: %d", status)
	}
	if status, _, _ := ask(t, "GET", base+"/metrics", "Authorization", "Bearer s3cret"); status != 200 {
		t.Errorf("read with token: %d", status)
	}
	if status, _, _ := ask(t, "POST", base+"/ready"); status != 403 {
		t.Errorf("ready without token: %d", status)
	}
	free := start(t, build(t, "with_server"), []string{"GOAT_ADDR=" + net.JoinHostPort(address, "0")}, "wait")
	if status, _, _ := ask(t, "GET", "http://"+free.address()+"/metrics", "Host", "canary.ns.svc"); status != 200 {
		t.Errorf("scrape by service name: %d", status)
	}
}

// otherAddress is an address of this machine that is not loopback.
func otherAddress(t *testing.T) string {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			return n.IP.String()
		}
	}
	t.Skip("this machine has loopback only")
	return ""
}

func TestReadyEndsStartup(t *testing.T) {
	p, base := serve(t, "GOAT_STARTUP=1h")
	p.tell("store=0")
	if status, body, _ := ask(t, "POST", base+"/ready"); status != 200 || body != `{"phase":"traffic"}`+"\n" {
		t.Errorf("%d %s", status, body)
	}
	p.tell("hit=1")
	phases := map[string]string{}
	for _, item := range track(t, base+"/track?hit=true").Results[0].Metrics.Items {
		phases[item.Point] = *item.Phase
	}
	if phases["small0000"] != "startup" || phases["svc0001"] != "traffic" {
		t.Errorf("%v", phases)
	}
}

func TestReset(t *testing.T) {
	dir := t.TempDir()
	p, base := serve(t, "GOAT_TOKEN=x", "GOAT_SPOOL="+dir)
	p.tell("all=1000")
	p.tell("count=3")
	if status, body, _ := ask(t, "POST", base+"/reset", "Authorization", "bearer x"); status != 200 {
		t.Fatal(status, body)
	}
	if f := only(t, dir); hits(f, "") != 0 || f.Reset.IsZero() {
		t.Errorf("%d hits after the reset, reset %v", hits(f, ""), f.Reset)
	}
	p.tell("hit=5")
	p.tell("count=2")
	m := track(t, base+"/track?hit=true&order=1").Results[0].Metrics
	if len(m.Items) != 2 || m.Items[0].Count != 16 || m.Items[1].Point != "svc0005" {
		t.Errorf("%+v", m.Items)
	}
	if f := only(t, dir); hits(f, "") != 2 {
		t.Errorf("%d hits in the file", hits(f, ""))
	}
}

func TestVersion(t *testing.T) {
	dir := t.TempDir()
	p, base := serve(t, "GOAT_SPOOL="+dir)
	var v struct {
		App, Component, Base, PlanHash, Instance, Address, Phase string
		Precision, Points                                        int
		Started                                                  time.Time
		Degraded                                                 []string
		Spool                                                    struct{ Path, State string }
	}
	if err := json.Unmarshal([]byte(get(t, base+"/version")), &v); err != nil {
		t.Fatal(err)
	}
	if v.App != "app" || v.Component != "example.com/app" || v.Base != "main" || v.PlanHash != "0123456789abcdef" || len(v.Instance) != 16 ||
		"http://"+v.Address != base || v.Precision != 2 || v.Points != 1004 || v.Started.IsZero() || v.Degraded[0] != "example.com/app/gone" || v.Phase != "startup" {
		t.Errorf("%+v", v)
	}
	f := only(t, dir)
	if v.Spool.State != "ok" || v.Spool.Path != f.Path || f.Identity.Instance != v.Instance || "http://"+f.Address != base {
		t.Errorf("%+v, file %s %s", v.Spool, f.Path, f.Address)
	}
	p.tell("close")
	p.tell("hit=1")
	// The connection's descriptor is gone too, and the listener's; the process must live.
	if code, stderr := p.end(); code != 0 || strings.Count(stderr, "\n") != 1 {
		t.Errorf("code %d, stderr %q", code, stderr)
	}
}

func TestCoverProfile(t *testing.T) {
	p, base := serve(t)
	p.tell("hit=1")
	lines := strings.Split(strings.TrimSpace(get(t, base+"/coverprofile")), "\n")
	if lines[0] != "mode: set" || len(lines) != 1005 {
		t.Fatalf("%d lines, the first %q", len(lines), lines[0])
	}
	form := regexp.MustCompile(`^example\.com/app/(svc|small)/a\.go:\d+\.\d+,\d+\.\d+ 1 [01]$`)
	for i, line := range lines[1:] {
		if !form.MatchString(line) || strings.HasSuffix(line, " 1") != (i == 1) {
			t.Errorf("line %d: %q", i, line)
		}
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "goat.sock")
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	_ = stale.Close()
	p := start(t, build(t, "with_server"), []string{"GOAT_ADDR=unix:" + path}, "wait")
	if got := p.address(); got != "unix:"+path {
		t.Fatalf("listening on %s", got)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}
	response, err := client.Post((&url.URL{Scheme: "http", Host: "goat", Path: "/ready"}).String(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(response.Body); response.StatusCode != 200 {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	_ = response.Body.Close()
	second := start(t, build(t, "with_server"), []string{"GOAT_ADDR=unix:" + path}, "wait")
	if line := <-second.first; !strings.Contains(line, " beside unix:"+path) {
		t.Errorf("second process: %q", line)
	}
	second.end()
	if code, _ := p.end(); code != 0 {
		t.Errorf("code %d", code)
	}
	if left := names(t, filepath.Dir(path)); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestConnectionsAreLimited(t *testing.T) {
	p, base := serve(t)
	var conns []net.Conn
	for i := 0; i < 200; i++ {
		c, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns = append(conns, c)
	}
	n, _ := strconv.Atoi(p.tell("tasks"))
	if n > 40 {
		t.Errorf("%d goroutines for %d idle connections", n, len(conns))
	}
	for _, c := range conns {
		_ = c.Close()
	}
	get(t, base+"/healthz")
	request, _ := http.NewRequest("GET", base+"/healthz", nil)
	request.Header.Set("X-Big", strings.Repeat("x", 64<<10))
	// The server may close before all of it is sent.
	if response, err := http.DefaultClient.Do(request); err == nil {
		_ = response.Body.Close()
		if response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("64 KiB of header: %d", response.StatusCode)
		}
	}
}

func TestRaceDetectorFindsNothing(t *testing.T) {
	binary := build(t, "with_server", "-race")
	p := start(t, binary, []string{"GOAT_ADDR=127.0.0.1:0", "GOAT_TOKEN=x", "GOAT_STARTUP=50ms", "GOAT_SPOOL=" + t.TempDir(), "TEST_TWICE=1", "GORACE=halt_on_error=1"}, "wait")
	base := "http://" + p.address()
	p.tell("traffic")
	for i := 0; i < 20; i++ {
		track(t, base+"/track")
		get(t, base+"/metrics")
		get(t, base+"/coverprofile")
		get(t, base+"/version")
		p.tell("store=" + strconv.Itoa(i%2))
		if status, _, _ := ask(t, "POST", base+"/reset", "Authorization", "Bearer x"); status != 200 {
			t.Fatalf("reset: %d", status)
		}
	}
	if code, stderr := p.end(); code != 0 || strings.Contains(stderr, "DATA RACE") {
		t.Errorf("code %d\n%s", code, stderr)
	}
}

func TestSlowReadersDoNotStarveProbes(t *testing.T) {
	p, base := serve(t, "GOAT_POINT_METRICS=1")
	p.tell("hit=1")
	for i := 0; i < 12; i++ {
		conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.(*net.TCPConn).SetReadBuffer(1 << 10)
		// Asked a hundred times over and never read.
		_, _ = io.WriteString(conn, strings.Repeat("GET /track HTTP/1.1\r\nHost: localhost\r\n\r\n", 100))
	}
	for i := 0; i < 5; i++ {
		get(t, base+"/healthz")
		get(t, base+"/version")
	}
}

func TestTrackIsNamedByItsState(t *testing.T) {
	p, base := serve(t, "GOAT_WINDOW=0", "GOAT_LANE=gray", "GOAT_STARTUP=1h")
	p.tell("hit=1")
	status, body, header := ask(t, "GET", base+"/track")
	tag := header.Get("ETag")
	if status != 200 || len(tag) < 4 || !strings.Contains(body, `"lane":"gray","window":"0s"`) {
		t.Fatalf("%d, ETag %q", status, tag)
	}
	for _, match := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
		if status, body, h := ask(t, "GET", base+"/track", "If-None-Match", match); status != 304 || body != "" || h.Get("ETag") != tag {
			t.Errorf("If-None-Match: %s: %d %q", match, status, body)
		}
	}
	for _, other := range []string{"/track?hit=true", "/track?order=1"} {
		if status, _, h := ask(t, "GET", base+other, "If-None-Match", tag); status != 200 || h.Get("ETag") == tag {
			t.Errorf("%s: %d, ETag %q", other, status, h.Get("ETag"))
		}
	}
	for _, change := range []string{"hit=2", "store=0", "count=1", "ready"} {
		p.tell(change)
		if change == "ready" {
			p.tell("hit=2") // a first hit of another phase
		}
		status, _, h := ask(t, "GET", base+"/track", "If-None-Match", tag)
		if status != 200 || h.Get("ETag") == tag {
			t.Errorf("after %s: %d, ETag %q", change, status, h.Get("ETag"))
		}
		tag = h.Get("ETag")
	}
	for _, item := range track(t, base+"/track?hit=true").Results[0].Metrics.Items {
		if item.Point == "svc0002" && (*item.Phase != "traffic" || item.FirstTraffic == nil || !item.FirstTraffic.Equal(*item.Phases.Traffic) ||
			!item.FirstHit.Equal(*item.Phases.Startup) || item.Phases.Init != nil || item.LastHit != nil) {
			t.Errorf("%+v", item)
		}
	}
}

func TestPointMetricsHaveAPathOfTheirOwn(t *testing.T) {
	p, base := serve(t, "TEST_INIT=1", "GOAT_LANE=gray")
	p.tell("hit=1")
	p.tell("ready")
	p.tell("hit=2")
	families := scrape(t, base+"/metrics/points")
	for point, want := range map[string]float64{"svc0007": 1, "svc0001": 2, "svc0002": 3, "svc0003": 0} {
		if got, ok := families["goat_track_point_phase"].samples[`{component="example.com/app",point="`+point+`"}`]; !ok || got != want {
			t.Errorf("%s is in phase %v (%v), want %v", point, got, ok, want)
		}
	}
	const info = `{component="example.com/app",point="svc0001",package="example.com/app/svc",file="svc/a.go",line="11",func="(*T).Do",kind="change"}`
	if n := len(families["goat_track_point_info"].samples); n != 1004 || families["goat_track_point_info"].samples[info] != 1 {
		t.Errorf("%d points", n)
	}
	totals := scrape(t, base+"/metrics")
	if totals["goat_track_point_info"] != nil || totals["goat_build_info"].samples[`{app="app",component="example.com/app",version="1.0\"0",base="main",granularity="patch",mode="exe",lane="gray",module="example.com/app",plan="0123456789abcdef"}`] != 1 {
		t.Errorf("%v", totals["goat_build_info"])
	}
}
