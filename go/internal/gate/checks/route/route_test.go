package route_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/checks/route"
	"github.com/goat-trace/goat/go/internal/gate/settings/settingstest"
)

func look(t *testing.T, text string, hits route.Hits) gate.Finding {
	t.Helper()
	s, err := settingstest.Decode[route.Settings](t, text)
	if err != nil {
		t.Fatal(err)
	}
	c := &route.Check{Settings: s, Hits: hits}
	if len(c.Explain()) == 0 {
		t.Error("nothing explained")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return c.Look(ctx)
}

func expect(t *testing.T, f gate.Finding, want gate.Verdict, says string) {
	t.Helper()
	var b strings.Builder
	for _, r := range f.Reasons {
		fmt.Fprintf(&b, "%s %s\n", r.Verdict, r.Message)
	}
	if f.Verdict() != want || !strings.Contains(b.String(), says) {
		t.Errorf("%s, want %s with %q:\n%s", f.Verdict(), want, says, b.String())
	}
}

// side is one version of a service.
func side(t *testing.T, version string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Version", version)
		fmt.Fprintf(w, `{"version": %q}`, version)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// nginx starts a real gateway in front of both sides: by the header X-Gray, by weight
// (10 in 100), by the header __microservice_tag__, and one that knows only the stable side.
func nginx(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		program = "/usr/sbin/nginx"
	}
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("nginx is missing: scripts/tools --install nginx")
		}
		t.Skip("nginx is missing: scripts/tools --install nginx")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	dir := t.TempDir()
	config := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log stderr;
events {}
http {
	access_log off; underscores_in_headers on;
	client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;
	map $http_x_gray $by_header { default %[2]s; v2 %[3]s; }
	map $http___microservice_tag__ $by_mse { default %[2]s; '[{"name":"v2"}]' %[3]s; }
	split_clients $request_id $by_weight { 10%% %[3]s; * %[2]s; }
	server {
		listen %[4]s;
		location /header { proxy_pass http://$by_header; }
		location /mse { proxy_pass http://$by_mse; }
		location /weight { proxy_pass http://$by_weight; }
		location /stable { proxy_pass http://%[2]s; }
		location /loop { return 302 /loop; }
		location /dead { proxy_pass http://127.0.0.1:1; }
	}
}`, dir, side(t, "v1"), side(t, "v2"), address)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-c", file, "-p", dir, "-e", "stderr")
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	deadline := time.Now().Add(time.Minute)
	for {
		response, err := http.Get("http://" + address + "/stable")
		if err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
			return "http://" + address
		}
		if time.Now().After(deadline) {
			t.Fatalf("nginx does not come up: %v\n%s", err, said.String())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestBehindNginx(t *testing.T) {
	gateway := nginx(t)
	for _, c := range []struct {
		name, settings string
		want           gate.Verdict
		says           string
	}{
		{"header", "{url: G/header, header: X-Gray, value: v2, expect: {header: {X-Version: v2}}}", gate.Pass, "5 of 5 requests with the tag"},
		{"json", "{url: G/header, header: X-Gray, value: v2, probes: 2, expect: {status: 200, json: {version: v2}}, without: {json: {version: v1}}}", gate.Pass, "2 of 2 requests without the tag were answered as expected"},
		{"body", "{url: G/header, header: X-Gray, value: v2, expect: {body: '/\"v[2-9]\"/'}}", gate.Pass, "0 of 5 requests without the tag were answered by the canary"},
		{"preset", "{url: G/mse, preset: mse, value: v2, expect: {header: {X-Version: v2}}}", gate.Pass, "5 of 5"},
		{"another tag", "{url: G/header, header: X-Gray, value: v3, expect: {header: {X-Version: v2}}}", gate.Fail, `0 of 5 requests with the tag were answered by the canary: header X-Version is "v1", expected "v2"`},
		{"no gray route", "{url: G/stable, header: X-Gray, value: v2, expect: {header: {X-Version: v2}}}", gate.Fail, "0 of 5"},
		{"all to the canary", "{url: G/header, header: X-Gray, value: v2, headers: {X-Gray: v2}, expect: {header: {X-Version: v2}}}", gate.Fail, "5 of 5 requests without the tag were answered by the canary"},
		{"without fails", "{url: G/header, header: X-Gray, value: v2, expect: {status: 200}, without: {json: {version: v9}}}", gate.Fail, `version is "v1", expected "v9"`},
		{"weight", "{url: G/weight, share: 10%, probes: 300, confidence: 0.999999, expect: {header: {X-Version: v2}}, without: {header: {X-Version: v1}}}", gate.Pass, "a share of 10% gives"},
		{"too little weight", "{url: G/weight, share: 0.5, probes: 300, expect: {header: {X-Version: v2}}}", gate.Fail, "a share of 50% gives"},
		{"no weight", "{url: G/stable, share: 0.1, probes: 300, expect: {header: {X-Version: v2}}}", gate.Fail, "the canary answered 0 of 300"},
		{"too few", "{url: G/stable, share: 0.01, probes: 20, expect: {header: {X-Version: v2}}}", gate.Inconclusive, "do not tell the share from none, 529 would"},
		{"loop", "{url: G/loop, header: X-Gray, value: v2, expect: {header: {X-Version: v2}}}", gate.Fail, "status is 302 to "},
		{"dead", "{url: G/dead, header: X-Gray, value: v2, expect: {header: {X-Version: v2}}}", gate.Fail, "status is 502"},
		{"no gateway", "{url: 'http://127.0.0.1:1', header: X-Gray, value: v2, expect: {header: {X-Version: v2}}}", gate.Error, "connection refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, look(t, strings.ReplaceAll(c.settings, "G/", gateway+"/"), nil), c.want, c.says)
		})
	}
}

// goat's own evidence, where answers say nothing.
func TestEvidence(t *testing.T) {
	url := "http://" + side(t, "v1")
	base := "{url: '" + url + "', header: X-Gray, value: v2, probes: 1, evidence: {canary: [c], stable: [s]}}"
	begin := time.Now()
	at := func(canary, stable []int) route.Hits {
		asked := map[string]int{}
		return func(_ context.Context, sources []string) (time.Time, time.Duration, error) {
			steps := canary
			if sources[0] == "s" {
				steps = stable
			}
			step := steps[min(asked[sources[0]], len(steps)-1)]
			asked[sources[0]]++
			return begin.Add(time.Duration(step) * time.Second), time.Millisecond, nil
		}
	}
	expect(t, look(t, base, at([]int{0, 0, 0, 1}, []int{0})), gate.Pass, "the canary's last hit moved")
	expect(t, look(t, base, at([]int{0, 1}, []int{0, 1})), gate.Inconclusive, "the stable side's last hit moved, too")
	s, err := settingstest.Decode[route.Settings](t, base)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	expect(t, (&route.Check{Settings: s, Hits: at([]int{0}, []int{0})}).Look(ctx), gate.Inconclusive, "the canary's last hit did not move")
	expect(t, look(t, base, func(context.Context, []string) (time.Time, time.Duration, error) {
		return time.Time{}, 0, errors.New("unreachable")
	}), gate.Error, "evidence of the canary: unreachable")
}

func TestPresetsCarryTheTag(t *testing.T) {
	for preset, want := range map[string]string{
		"mse": `__microservice_tag__=[{"name":"gray"}]`, "asm": "my-asm-prefer-tag=gray", "higress": "x-higress-canary=gray",
		"volcengine": "x_version_tag=gray", "baggage, header: lane": "baggage=lane=gray",
	} {
		got := map[string]bool{}
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			for name, values := range r.Header {
				got[strings.ToLower(name)+"="+values[0]] = true
			}
		}))
		look(t, "{url: '"+server.URL+"', probes: 1, value: gray, preset: "+preset+", expect: {status: 200}}", nil)
		server.Close()
		if !got[want] {
			t.Errorf("%s: %v", preset, got)
		}
	}
}

func TestImpossibleSettings(t *testing.T) {
	for settings, says := range map[string]string{
		"{}":                                     "url is missing",
		"{url: nowhere}":                         "is not a URL",
		"{url: 'http://h', expect: {body: x}}":   "nothing says how requests reach the canary",
		"{url: 'http://h', header: X}":           "the gray tag is missing",
		"{url: 'http://h', header: X, value: v}": "nothing tells the canary's answers from others",
		"{url: 'http://h', header: X, preset: mse, value: v, expect: {body: x}}": "two ways to carry the tag",
		"{url: 'http://h', preset: baggage, value: v, expect: {body: x}}":        "needs header",
		"{url: 'http://h', share: 0.1, expect: {status: 200}}":                   "share needs an expect",
		"{url: 'http://h', share: 0, expect: {body: x}}":                         "share must lie between 0 and 1",
		"{url: 'http://h', share: 0.1, confidence: 1, expect: {body: x}}":        "confidence must lie between",
		"{url: 'http://h', header: X, value: v, expect: {body: '/(/'}}":          "missing closing )",
		"{url: 'http://h', header: X, value: v, expect: {json: {'a[': x}}}":      "is not a path of JSON",
	} {
		if _, err := settingstest.Decode[route.Settings](t, settings); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", settings, err, says)
		}
	}
}
