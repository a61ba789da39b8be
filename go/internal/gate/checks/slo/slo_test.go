package slo_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/checks/slo"
	"github.com/goat-trace/goat/go/internal/gate/settings/settingstest"
)

func look(t *testing.T, text string) gate.Finding {
	t.Helper()
	s, err := settingstest.Decode[slo.Settings](t, text)
	if err != nil {
		t.Fatal(text, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return (&slo.Check{Settings: s}).Look(ctx)
}

func all(f gate.Finding) string {
	var b strings.Builder
	for _, r := range f.Reasons {
		value := r.Value
		if number, ok := value.(float64); ok {
			// A rate over what was scraped is not exact to the last bit.
			value = strconv.FormatFloat(number, 'g', 6, 64)
		}
		fmt.Fprintf(&b, "%s %s value=%v threshold=%v query=%s\n", r.Verdict, r.Message, value, r.Threshold, r.Query)
	}
	if f.Misconfigured != nil {
		fmt.Fprintf(&b, "misconfigured: %v\n", f.Misconfigured)
	}
	return b.String()
}

// version is a service that counts what it is scraped for: each scrape is 100 requests,
// so many of them failed, so many took more than 0.1 s.
func version(t *testing.T, failed, slow int64) string {
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		k := n.Add(1)
		fmt.Fprintf(w, "# TYPE http_requests_total counter\nhttp_requests_total{code=\"200\"} %d\n", k*(100-failed))
		if failed > 0 {
			fmt.Fprintf(w, "http_requests_total{code=\"500\"} %d\n", k*failed)
		}
		fmt.Fprintf(w, `# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.1"} %d
http_request_duration_seconds_bucket{le="1"} %d
http_request_duration_seconds_bucket{le="+Inf"} %d
http_request_duration_seconds_sum %d
http_request_duration_seconds_count %d
# TYPE in_flight gauge
in_flight %d
# TYPE process_start_time_seconds gauge
process_start_time_seconds %d
`, k*(100-slow), k*100, k*100, k*10, k*100, failed, time.Now().Add(-time.Hour).Unix())
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// prometheus starts a real one that scrapes the targets, each with its label version, and
// waits until it has seen each of them a few times.
func prometheus(t *testing.T, targets map[string]string, flags ...string) string {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("prometheus is missing: scripts/tools --install prometheus")
		}
		t.Skip("prometheus is missing: scripts/tools --install prometheus")
	}
	config := "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\nscrape_configs:\n- job_name: shop\n  static_configs:\n"
	for label, target := range targets {
		config += fmt.Sprintf("  - {targets: [%q], labels: {version: %q}}\n", target, label)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o666); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	flags = append(flags, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	cmd := exec.Command(program, flags...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	deadline, tick := time.After(time.Minute), time.NewTicker(100*time.Millisecond)
	defer tick.Stop()
	for {
		query := "http://" + address + "/api/v1/query?query=" + fmt.Sprintf("count(count_over_time(in_flight[1m])>4)==%d", len(targets))
		response, err := http.Get(strings.ReplaceAll(query, ">", "%3E"))
		if err == nil {
			text, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if strings.Contains(string(text), `"value"`) {
				return "http://" + address
			}
		}
		select {
		case <-deadline:
			t.Fatal("Prometheus sees nothing")
		case <-tick.C:
		}
	}
}

const ratio = `(sum(rate(http_requests_total{$canary,code=~"5.."}[$window])) or vector(0)) / sum(rate(http_requests_total{$canary}[$window]))`

func TestAgainstPrometheus(t *testing.T) {
	server := prometheus(t, map[string]string{"v1": version(t, 2, 0), "v2": version(t, 4, 50), "v3": version(t, 0, 0)})
	head := "{prometheus: '" + server + "', window: 1m, "
	sides := head + `canary: 'version="v2"', stable: '{version="v1"}', `
	rule := func(bounds string) string { return "rules: [{name: errors, query: '" + ratio + "', " + bounds + "}]}" }
	for _, c := range []struct {
		name, settings string
		want           gate.Verdict
		says           string
	}{
		{"within", sides + rule("max: 0.05"), gate.Pass, "errors of the canary, at most the threshold; the stable side has 0.02 value=0.04"},
		{"beyond", sides + rule("max: 0.03"), gate.Fail, "threshold=0.03"},
		{"at least", sides + rule("min: 0.05"), gate.Fail, "at least the threshold"},
		{"ratio within", sides + rule("maxRatio: 2.1"), gate.Pass, "0.04 to 0.02"},
		{"ratio beyond", sides + rule("maxRatio: 1.9"), gate.Fail, "0.04 to 0.02"},
		{"least ratio", sides + rule("minRatio: 2.1"), gate.Fail, "at least the threshold"},
		{"requests", sides + "samples: 100, " + rule("max: 1"), gate.Pass, "requests of the canary value="},
		{"too few requests", sides + "samples: 1000000000, " + rule("max: 0"), gate.Inconclusive, "too few to judge by"},
		{"traffic query", sides + "samples: 1000000000, traffic: 'sum(increase(http_requests_total{$canary}[$window]))', " + rule("max: 0"), gate.Inconclusive, "too few"},
		{"no such version", head + `canary: 'version="v9"', ` + rule("max: 1"), gate.Inconclusive, `no series matches {version="v9"}, the canary: is the label right?`},
		{"no stable", head + `canary: 'version="v2"', stable: 'version="v9"', ` + rule("maxRatio: 9"), gate.Inconclusive, "the stable side"},
		{"stable has none", head + `canary: 'version="v2"', stable: 'version="v3"', ` + rule("maxRatio: 9"), gate.Inconclusive, "set max, too"},
		{"max alone", head + `canary: 'version="v2"', stable: 'version="v3"', ` + rule("maxRatio: 9, max: 0.05"), gate.Pass, "max alone judges"},
		{"no errors at all", head + `canary: 'version="v3"', stable: 'version="v3"', ` + rule("maxRatio: 1, max: 0"), gate.Pass, "0 to 0"},
		{"empty numerator", head + `canary: 'version="v3"', rules: [{query: 'sum(rate(http_requests_total{$canary,code="500"}[$window]))', max: 1}]}`, gate.Inconclusive, "or vector(0)"},
		{"NaN", head + `canary: 'version="v2"', rules: [{query: '0/0 * sum(in_flight{$canary})', max: 1}]}`, gate.Inconclusive, "no number (NaN)"},
		{"gauge", head + `canary: 'version="v2"', rules: [{query: 'sum(in_flight$canary)', max: 4}]}`, gate.Pass, `sum(in_flight{version="v2"})`},
		{"both in one", sides + `rules: [{query: 'sum(in_flight{$canary}) - sum(in_flight{$stable})', max: 1}]}`, gate.Fail, "value=2"},
		{"preset", sides + "preset: http}", gate.Fail, "latency of the canary in proportion"},
		{"preset, changed", sides + "preset: http, rules: [{name: latency, max: 1}, {name: errors, max: 0.05}]}", gate.Pass, "latency of the canary, at most"},
		{"old enough", sides + "age: 30m, " + rule("max: 1"), gate.Pass, "up long enough"},
		{"too young", sides + "age: 2h, " + rule("max: 1"), gate.Inconclusive, "too young to judge"},
		{"several values", sides + "rules: [{query: 'in_flight', max: 1}]}", gate.Error, "misconfigured: check.slo: the server cannot answer in_flight: it gives 3 series"},
		{"bad query", sides + "rules: [{query: 'sum(', max: 1}]}", gate.Error, "misconfigured: check.slo: the server cannot answer sum("},
		{"nothing counts", sides + "samples: 5, rules: [{query: 'sum(in_flight{$canary})', max: 9}]}", gate.Error, "set traffic"},
	} {
		f := look(t, c.settings)
		if f.Verdict() != c.want || !strings.Contains(all(f), c.says) {
			t.Errorf("%s: %s, want %s with %q:\n%s", c.name, f.Verdict(), c.want, c.says, all(f))
		}
	}
}

// What is no Prometheus, and none at all.
func TestNoPrometheus(t *testing.T) {
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>login") }))
	defer html.Close()
	rule := ", rules: [{query: up, max: 1}]}"
	if f := look(t, "{prometheus: '"+html.URL+"'"+rule); f.Verdict() != gate.Error || !strings.Contains(all(f), "not a Prometheus") {
		t.Error(all(f))
	}
	if f := look(t, "{prometheus: 'http://127.0.0.1:1'"+rule); f.Verdict() != gate.Error || !strings.Contains(all(f), "refused") {
		t.Error(all(f))
	}
}

// A server with native histograms alone: the preset's query takes their form.
func TestNativeHistograms(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.FormValue("query")
		asked = append(asked, query)
		switch {
		case query == "time()":
			fmt.Fprint(w, `{"status":"success","data":{"resultType":"scalar","result":[1700000000,"1700000000"]}}`)
		case strings.Contains(query, "_bucket"):
			fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","result":[]}}`)
		default:
			if r.FormValue("time") != "1700000000.000" {
				t.Errorf("another instant: %s", r.FormValue("time"))
			}
			fmt.Fprint(w, `{"status":"success","warnings":["partial"],"data":{"resultType":"vector","result":[{"metric":{},"value":[1700000000,"0.005"]}]}}`)
		}
	}))
	defer server.Close()
	f := look(t, "{prometheus: '"+server.URL+"', canary: 'a=\"b\"', preset: http, samples: 0}")
	if text := strings.Join(asked, "\n"); f.Verdict() != gate.Pass || !strings.Contains(text, `histogram_quantile(0.99, sum(rate(http_request_duration_seconds{a="b"}[300s])))`) {
		t.Errorf("%s\n%s", all(f), text)
	}
	if !strings.Contains(all(f), "the server warns: partial") {
		t.Error(all(f))
	}
}

// native starts testdata/native, where the modules that it needs can be had.
func native(t *testing.T, slow int) string {
	program := filepath.Join(t.TempDir(), "native")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir, build.Env = filepath.Join("testdata", "native"), append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false")
	if text, err := build.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%v\n%s", err, text)
		}
		t.Skipf("client_golang cannot be had: %s", text)
	}
	cmd := exec.Command(program, strconv.Itoa(slow))
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(address)
}

// The same against a real Prometheus and the histograms that client_golang makes: no
// classic buckets are there, and latency and requests come out of the native one.
func TestNativeHistogramsAgainstPrometheus(t *testing.T) {
	server := prometheus(t, map[string]string{"v1": native(t, 0), "v2": native(t, 5), "old": version(t, 0, 0)}, "--enable-feature=native-histograms")
	head := "{prometheus: '" + server + "', window: 1m, preset: http, "
	for _, c := range []struct {
		name, settings string
		want           gate.Verdict
		says           string
	}{
		{"fast", head + `canary: 'version="v1"'}`, gate.Pass, `histogram_quantile(0.99, sum(rate(http_request_duration_seconds{version="v1"}[60s])))`},
		{"slow", head + `canary: 'version="v2"'}`, gate.Fail, "latency of the canary, at most the threshold"},
		{"slower than stable", head + `canary: 'version="v2"', stable: 'version="v1"', rules: [{name: latency, max: 10, maxRatio: 1.5}]}`, gate.Fail, "latency of the canary in proportion"},
		{"as stable", head + `canary: 'version="v1"', stable: 'version="v1"'}`, gate.Pass, "value=1 "},
		{"requests are counted", head + `canary: 'version="v1"', samples: 1000000000}`, gate.Inconclusive, `histogram_count(sum(increase(http_request_duration_seconds{version="v1"}[60s])))`},
		{"classic beside it", head + `canary: 'version="old"'}`, gate.Pass, "http_request_duration_seconds_bucket"},
		{"none", head + `canary: 'version="v9"'}`, gate.Inconclusive, "no series matches"},
	} {
		f := look(t, c.settings)
		if f.Verdict() != c.want || !strings.Contains(all(f), c.says) {
			t.Errorf("%s: %s, want %s with %q:\n%s", c.name, f.Verdict(), c.want, c.says, all(f))
		}
	}
}

func TestImpossibleSettings(t *testing.T) {
	head := "{prometheus: 'http://h', "
	for settings, says := range map[string]string{
		"{}":                           "prometheus is missing",
		"{prometheus: h}":              "is not a URL",
		head + "window: 10ms}":         "window is too short",
		head + "rules: []}":            "no rules",
		head + "preset: statsd}":       `"statsd" is not one of http, grpc or istio`,
		head + "rules: [{max: 1}]}":    "rule rule 1: query is missing",
		head + "rules: [{query: up}]}": "there is no bound",
		head + "rules: [{query: up, max: 1, min: 2}]}":                                             "nothing lies between min 2 and max 1",
		head + "rules: [{query: up, max: .nan}]}":                                                  "must be a number",
		head + "rules: [{name: a, query: up, max: 1}, {name: a, query: up, max: 1}]}":              `two rules "a"`,
		head + "rules: [{query: 'up{$canary}', max: 1}]}":                                          "canary is not set",
		head + "canary: a, rules: [{query: 'up{$canary}', maxRatio: 1}]}":                          "need stable",
		head + "stable: a, rules: [{query: 'up', maxRatio: 1}]}":                                   "need a query with $canary",
		head + "stable: a, canary: b, rules: [{query: 'up{$canary} / up{$stable}', maxRatio: 1}]}": "compares both sides itself",
		head + "rules: [{query: up, maxRatoi: 1}]}":                                                `unknown key "maxRatoi"`,
	} {
		if _, err := settingstest.Decode[slo.Settings](t, settings); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", settings, err, says)
		}
	}
}
