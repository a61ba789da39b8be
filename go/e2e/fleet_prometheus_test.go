package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// running is a program with the address that it told.
type running struct {
	cmd     *exec.Cmd
	service string // where it serves
	goat    string // where goat's listener is
}

var addressOf = regexp.MustCompile(`(svc on|goat: listening on) (127\.0\.0\.1:\d+)`)

// launch starts the instrumented service and reads both addresses.
func launch(t *testing.T, program, address, lane string) *running {
	t.Helper()
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "GOAT_ADDR="+address, "GOAT_LANE="+lane, "GOAT_SPOOL=")
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	r := &running{cmd: cmd}
	for lines := bufio.NewScanner(out); (r.service == "" || r.goat == "") && lines.Scan(); {
		switch found := addressOf.FindStringSubmatch(lines.Text()); {
		case found == nil:
		case found[1] == "svc on":
			r.service = found[2]
		default:
			r.goat = found[2]
		}
	}
	if r.service == "" || r.goat == "" {
		t.Fatalf("it told no addresses: %+v", r)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	r.ask(t, "POST", "http://"+r.goat+"/ready")
	return r
}

func (r *running) ask(t *testing.T, method, url string) {
	t.Helper()
	request, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
}

func (r *running) hit(t *testing.T, path string) { r.ask(t, "GET", "http://"+r.service+path) }

func (r *running) kill() { _ = r.cmd.Process.Kill(); _, _ = r.cmd.Process.Wait() }

const fleetService = `package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stderr, "svc on", listener.Addr())
	http.HandleFunc("/a", a)
	http.HandleFunc("/b", b)
	http.HandleFunc("/c", c)
	http.HandleFunc("/d", d)
	panic(http.Serve(listener, nil))
}

func a(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "A") }
func b(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "B") }
func c(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "C") }
func d(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "D") }
`

// fleetBuild is the service's release, instrumented, and the goat beside it.
func fleetBuild(t *testing.T) (program string, goat func(args ...string) (string, string, int)) {
	t.Helper()
	m := look(t)
	dir := t.TempDir()
	environ := append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOAT_CACHE="+filepath.Join(dir, "cache"), "GOAT_ADDR=off",
		"GIT_CONFIG_GLOBAL=/dev/null", "NO_COLOR=1")
	repo := filepath.Join(dir, "repo")
	run := func(name string, args ...string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir, cmd.Env = repo, environ
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
	}
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(repo, "main.go"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(repo, 0o777); err != nil {
		t.Fatal(err)
	}
	write(fleetService)
	if err := os.WriteFile(filepath.Join(repo, "go.mod"), []byte("module example.com/svc\n\ngo 1.23\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	run("git", "init", "-q", "-b", "main")
	run("git", "add", "-A")
	run("git", "-c", "user.name=e2e", "-c", "user.email=e2e@example.com", "commit", "-qm", "base")
	write(regexp.MustCompile(`"([ABCD])"`).ReplaceAllString(fleetService, `"$1$1"`))
	program = filepath.Join(dir, "svc")
	run(m.goat, "build", "--base", "main", "-o", program, ".")
	return program, func(args ...string) (string, string, int) {
		cmd := exec.Command(m.goat, args...)
		var out, errs bytes.Buffer
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = repo, environ, &out, &errs
		_ = cmd.Run()
		return out.String(), errs.String(), cmd.ProcessState.ExitCode()
	}
}

// evidenceOf is what a report says of each point: its function and how far it got.
func evidenceOf(t *testing.T, document string) string {
	t.Helper()
	var d struct {
		Points []struct {
			ID, Func string
			Hit      bool
			Phase    *string
		}
	}
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		return "no report: " + err.Error() + ": " + document
	}
	var text strings.Builder
	for _, p := range d.Points {
		phase := "-"
		if p.Phase != nil {
			phase = *p.Phase
		}
		fmt.Fprintf(&text, "%s %s %v %s\n", p.ID, p.Func, p.Hit, phase)
	}
	return text.String()
}

// TestFleetThroughPrometheus: three instances, one of which dies and one of which starts
// again at its address: Prometheus gives the union that reading them gave.
func TestFleetThroughPrometheus(t *testing.T) {
	needs(t, "prometheus")
	program, goat := fleetBuild(t)
	one, two, three := launch(t, program, "127.0.0.1:0", ""), launch(t, program, "127.0.0.1:0", "gray"), launch(t, program, "127.0.0.1:0", "gray")
	server := prometheus(t, one.goat, two.goat, three.goat)
	one.hit(t, "/a")
	two.hit(t, "/b")
	three.hit(t, "/c")

	var direct string
	same := func(args ...string) func() string {
		return func() string {
			out, errs, code := goat(append([]string{"report", "--prometheus", server, "--format", "json"}, args...)...)
			if got := evidenceOf(t, out); got != direct || code != 0 {
				return fmt.Sprintf("exit %d, %s\n%s\nwant\n%s", code, errs, got, direct)
			}
			return ""
		}
	}
	read := func(sources ...string) string {
		out, errs, code := goat(append([]string{"report", "--format", "json"}, sources...)...)
		if code != 0 {
			t.Fatalf("report %v: exit %d\n%s", sources, code, errs)
		}
		return evidenceOf(t, out)
	}
	direct = read("http://"+one.goat, "http://"+two.goat, "http://"+three.goat)
	for _, f := range []string{"a true traffic", "b true traffic", "c true traffic", "d false -"} {
		if !strings.Contains(direct, f) {
			t.Fatalf("direct reading lacks %q:\n%s", f, direct)
		}
	}
	eventually(t, "at the moment", same())
	// The totals come by a scrape job of their own, which may be later than the points'.
	eventually(t, "the totals of all", func() string {
		out, _, _ := goat("report", "--prometheus", server, "--format", "json")
		var d struct{ Instances []struct{ PlanHash string } }
		if err := json.Unmarshal([]byte(out), &d); err != nil {
			return err.Error()
		}
		for _, i := range d.Instances {
			if i.PlanHash == "" {
				return out
			}
		}
		return ""
	})
	checkDashboard(t, server)

	// One pod goes, one begins again: over the range nothing is lost.
	three.kill()
	two.kill()
	again := launch(t, program, two.goat, "gray")
	if again.goat != two.goat {
		t.Fatalf("restarted at %s, not at %s", again.goat, two.goat)
	}
	again.hit(t, "/d")
	all := direct
	direct = strings.Replace(all, "d false -", "d true traffic", 1)
	eventually(t, "over a range in which pods died", same("--range", "1h"))

	out, _, _ := goat("report", "--prometheus", server, "--range", "1h", "--format", "json")
	var d struct {
		Identity  struct{ Module, PlanHash string }
		Instances []struct{ Lane, PlanHash string }
		Account   []struct{ Line int }
		Summary   struct{ Lines, LinesReached int }
	}
	if err := json.Unmarshal([]byte(out), &d); err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, i := range d.Instances {
		count[i.Lane]++
		if i.PlanHash == "" || i.PlanHash != d.Identity.PlanHash {
			t.Errorf("plan of an instance: %q, of the report: %q", i.PlanHash, d.Identity.PlanHash)
		}
	}
	if count["gray"] != 2 || count[""] != 1 {
		t.Errorf("lanes of the instances: %v", count)
	}
	// The label plan leads to the account of changed lines.
	if d.Identity.Module != "example.com/svc" || len(d.Account) != 4 || d.Summary.Lines != 4 || d.Summary.LinesReached != 4 {
		t.Errorf("no account: %+v", d)
	}
	refusals(t, goat, server)
}

// refusals: what can go wrong between goat and the server, each with its code and word.
func refusals(t *testing.T, goat func(args ...string) (string, string, int), server string) {
	t.Helper()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/moved") {
			http.Redirect(w, r, server+"/api/v1/query", http.StatusTemporaryRedirect)
			return
		}
		fmt.Fprintln(w, "<html>It works</html>")
	}))
	defer page.Close()
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"nothing matches", []string{"--prometheus", server, "--match", `app="nope"`}, 3, `goat_build_info{app="nope"} is empty`},
		{"before there was anything", []string{"--prometheus", server, "--at", "2020-01-01T00:00:00Z"}, 3, "is empty"},
		{"no matcher", []string{"--prometheus", server, "--match", `app=`}, 2, "--match: the server cannot answer"},
		{"braces", []string{"--prometheus", server, "--match", `{app="x"}`}, 2, "without braces"},
		{"no time", []string{"--prometheus", server, "--at", "yesterday"}, 2, "neither a time nor a duration"},
		{"a flag alone", []string{"--range", "1h"}, 2, "belong to --prometheus"},
		{"HTML", []string{"--prometheus", page.URL}, 4, "not a Prometheus"},
		{"a redirect", []string{"--prometheus", page.URL + "/moved"}, 4, "not followed"},
		{"nobody", []string{"--prometheus", "http://127.0.0.1:1"}, 4, "refused"},
		{"no URL", []string{"--prometheus", "localhost"}, 4, "not a URL"},
	} {
		out, errs, code := goat(append([]string{"report", "--timeout", "5s"}, c.args...)...)
		if code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("%s: exit %d, want %d with %q:\n%s%s", c.name, code, c.code, c.want, out, errs)
		}
	}
}

// TestPrometheusExamples: the rules are checked and unit-tested by promtool.
func TestPrometheusExamples(t *testing.T) {
	promtool := needs(t, "promtool")
	dir := t.TempDir()
	examples, err := filepath.Abs("../../examples/prometheus")
	if err == nil {
		err = os.CopyFS(dir, os.DirFS(examples))
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "goat.token"), []byte("secret"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"check", "config", "prometheus.yml"}, {"check", "rules", "goat.rules.yml"}, {"test", "rules", "goat.test.yml"}} {
		cmd := exec.Command(promtool, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}

// dashboard is the part of Grafana's JSON (v1) that a test can hold to something.
type dashboard struct {
	SchemaVersion int
	Panels        []struct {
		ID                 int
		Title, Description string
		GridPos            struct{ X, Y, W, H int }
		Targets            []struct{ Expr, RefID string }
	}
	Templating struct {
		List []struct{ Name string }
	}
}

// checkDashboard runs every query of it on a server that scrapes instrumented programs,
// in which one point at least is not reached.
func checkDashboard(t *testing.T, server string) {
	t.Helper()
	data, err := os.ReadFile("../../examples/grafana/goat.json")
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	variables := regexp.MustCompile(`\$\{?([a-z]+)\}?`)
	known, taken, ids := map[string]bool{}, map[[2]int]string{}, map[int]bool{}
	for _, v := range d.Templating.List {
		known[v.Name] = true
	}
	for _, v := range variables.FindAllSubmatch(data, -1) {
		if name := string(v[1]); !known[name] {
			t.Errorf("variable %s is not defined", name)
		}
	}
	for _, p := range d.Panels {
		if p.Title == "" || p.Description == "" || ids[p.ID] {
			t.Errorf("panel %d %q: needs a title, a description and an id of its own", p.ID, p.Title)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%q lies over %q, or beyond the grid", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		for _, target := range p.Targets {
			query := variables.ReplaceAllString(target.Expr, ".*")
			eventually(t, p.Title+": "+query, func() string { return emptyQuery(server, query) })
		}
	}
}

// emptyQuery is "" where a query gives at least one series.
func emptyQuery(server, query string) string {
	response, err := http.PostForm(server+"/api/v1/query", url.Values{"query": {query}})
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	var answer struct {
		Data struct{ Result []json.RawMessage }
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.Data.Result) == 0 {
		return string(body)
	}
	return ""
}
