package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// needs finds a program that the test cannot do without; CI has it (scripts/tools).
func needs(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: scripts/tools --install %s", name, name)
	}
	if err != nil {
		t.Skipf("%s is missing: scripts/tools --install %s", name, name)
	}
	return path
}

// until asks until the answer is "", for a minute at most; the last answer is the error.
func until(ask func() string) error {
	deadline, tick := time.After(time.Minute), time.NewTicker(100*time.Millisecond)
	defer tick.Stop()
	for last := ask(); last != ""; last = ask() {
		select {
		case <-deadline:
			return errors.New(last)
		case <-tick.C:
		}
	}
	return nil
}

func eventually(t *testing.T, what string, ask func() string) {
	t.Helper()
	if err := until(ask); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// prometheus starts a real one that scrapes the targets in two jobs, as docs/fleet.md
// says, and gives its URL.
func prometheus(t *testing.T, targets ...string) string {
	t.Helper()
	url, stop, err := startPrometheus(needs(t, "prometheus"), t.TempDir(), targets)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return url
}

func startPrometheus(program, dir string, targets []string) (url string, stop func(), err error) {
	config := fmt.Sprintf(`global: {scrape_interval: 250ms, scrape_timeout: 250ms, evaluation_interval: 1s}
scrape_configs:
  - {job_name: goat, static_configs: [{targets: %[1]s}]}
  - {job_name: goat-points, metrics_path: /metrics/points, static_configs: [{targets: %[1]s}]}
`, `["`+strings.Join(targets, `","`)+`"]`)
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o666); err != nil {
		return "", nil, err
	}
	return runPrometheus(program, dir)
}

// runPrometheus starts one with the prometheus.yml of a directory, and keeps its data there.
func runPrometheus(program, dir string) (url string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	address := listener.Addr().String()
	_ = listener.Close()
	var said bytes.Buffer
	cmd := exec.Command(program, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	err = until(func() string { return unready(address) })
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("Prometheus does not come up: %w\n%s", err, said.String())
	}
	return "http://" + address, stop, nil
}

// unready says why a server is not ready; "" when it is.
func unready(address string) string {
	client := http.Client{Timeout: time.Second}
	response, err := client.Get("http://" + address + "/-/ready")
	if err != nil {
		return err.Error()
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return response.Status
	}
	return ""
}

// scrape VARIABLE TARGET...: a Prometheus that has scraped the targets as they are now; its
// URL goes into the variable.
func cmdScrape(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: scrape variable target...")
	}
	dir, err := os.MkdirTemp(ts.Getenv("WORK"), "prometheus")
	ts.Check(err)
	url, stop, err := startPrometheus("prometheus", dir, args[1:])
	ts.Check(err)
	ts.Defer(stop)
	for _, metric := range []string{"goat_build_info", "goat_track_point_phase"} {
		ts.Check(until(func() string {
			return emptyQuery(url, fmt.Sprintf("count(count by (instance) (%s)) == %d", metric, len(args)-1))
		}))
	}
	ts.Setenv(args[0], url)
}
