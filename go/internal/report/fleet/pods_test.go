//go:build unix

package fleet_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goat-trace/goat/go/internal/report"
	"github.com/goat-trace/goat/go/internal/report/fleet"
	"github.com/goat-trace/goat/go/internal/report/source"
)

// Under the name kubectl this program is a stand-in that speaks kubectl's documented
// command line and really forwards, to the addresses that $STATE names.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "kubectl" {
		os.Exit(kubectl(os.Args[1:]))
	}
	os.Exit(m.Run())
}

func kubectl(args []string) int {
	state := os.Getenv("STATE")
	_ = os.WriteFile(filepath.Join(state, "pid."+strconv.Itoa(os.Getpid())), nil, 0o666)
	var rest []string
	flags := map[string]string{}
	for _, arg := range args {
		if name, value, ok := strings.Cut(arg, "="); ok && strings.HasPrefix(arg, "--") {
			flags[name] = value
		} else {
			rest = append(rest, arg)
		}
	}
	if flags["--namespace"] != "prod" {
		return complain("error: wrong namespace")
	}
	switch mode, _ := os.ReadFile(filepath.Join(state, "mode")); {
	case string(mode) == "forbidden":
		return complain(`Error from server (Forbidden): pods is forbidden: User "me" cannot list resource "pods"`)
	case string(mode) == "hang" || string(mode) == "hang "+rest[0]:
		// As a kubectl that waits for its cluster, and for a helper that it has started.
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
		time.Sleep(time.Hour)
	case string(mode) == "garbage":
		fmt.Println("Unable to connect")
		return 0
	}
	switch {
	case len(rest) == 2 && rest[0] == "get" && rest[1] == "pods" && flags["--output"] == "json":
		return list(state, flags["--selector"])
	case len(rest) == 3 && rest[0] == "port-forward" && strings.HasPrefix(rest[2], ":") && flags["--address"] == "127.0.0.1":
		return forward(state, strings.TrimPrefix(rest[1], "pod/"), strings.TrimPrefix(rest[2], ":"))
	}
	return complain("error: unknown command " + strings.Join(args, " "))
}

func complain(text string) int {
	fmt.Fprintln(os.Stderr, text)
	return 1
}

// list prints the pods; a second list may differ from the first.
func list(state, selector string) int {
	if selector != "app=shop,track=canary" {
		fmt.Println(`{"kind":"List","items":[]}`)
		return 0
	}
	text, err := os.ReadFile(filepath.Join(state, "pods.json"))
	if err != nil {
		return complain(err.Error())
	}
	_ = os.Rename(filepath.Join(state, "next.json"), filepath.Join(state, "pods.json"))
	_, _ = os.Stdout.Write(text)
	return 0
}

func forward(state, pod, port string) int {
	target, err := os.ReadFile(filepath.Join(state, pod+"."+port))
	if err != nil {
		return complain(`Error from server (NotFound): pods "` + pod + `" not found`)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return complain(err.Error())
	}
	fmt.Printf("Forwarding from %s -> %s\n", l.Addr(), port)
	for {
		conn, err := l.Accept()
		if err != nil {
			return complain(err.Error())
		}
		fmt.Println("Handling connection for", port)
		go func() {
			defer conn.Close()
			up, err := net.Dial("tcp", string(target))
			if err != nil {
				complain("E1127 10:00:00.000000 1 portforward.go:400] an error occurred forwarding: error forwarding port " + port + " to pod: connection refused")
				return
			}
			defer up.Close()
			go func() { _, _ = io.Copy(up, conn) }()
			_, _ = io.Copy(conn, up)
		}()
	}
}

// cluster is what the stand-in knows.
type cluster struct {
	t     *testing.T
	state string
	items []string
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, state: t.TempDir()}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, "kubectl")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("STATE", c.state)
	t.Setenv("PATH", bin)
	return c
}

func (c *cluster) write(name, text string) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.state, name), []byte(text), 0o666); err != nil {
		c.t.Fatal(err)
	}
}

// pod adds one whose ports lead to these addresses: port, address, ….
func (c *cluster) pod(name, phase, image string, ports ...string) {
	c.t.Helper()
	for i := 0; i < len(ports); i += 2 {
		c.write(name+"."+ports[i], strings.TrimPrefix(ports[i+1], "http://"))
	}
	c.items = append(c.items, fmt.Sprintf(`{"metadata":{"name":%q,"uid":%q},"status":{"phase":%q,"containerStatuses":[{"name":"app","imageID":"registry/shop@sha256:%s"}]}}`,
		name, "uid-"+name, phase, image))
	c.save("pods.json")
}

func (c *cluster) save(name string) {
	c.write(name, `{"kind":"List","items":[`+strings.Join(c.items, ",")+`]}`)
}

// read reads the pods, and checks that no kubectl is left.
func (c *cluster) read(change func(*fleet.Pods)) *report.Document {
	c.t.Helper()
	pods := &fleet.Pods{Selector: "app=shop,track=canary", Namespace: "prod", Timeout: 20 * time.Second}
	change(pods)
	d, err := source.Make(context.Background(), source.Request{
		Further: []source.Further{pods}, Dir: c.t.TempDir(), Cache: c.t.TempDir(), Timeout: 20 * time.Second,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.noneLeft()
	return d
}

// instance is a live process with one point, hit or not.
func instance(t *testing.T, id, plan string, hit int, siblings string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/version" {
			fmt.Fprintf(w, `{"goat":"0.1.0","app":"shop","planHash":%q,"instance":%q,"siblings":[%s]}`, plan, id, siblings)
			return
		}
		fmt.Fprintf(w, `{"results":[{"id":0,"metrics":{"items":[{"point":"x","name":"TRACK_ID_1","file":"a.go","line":1,"endLine":1,"count":%d,"phase":"traffic"}]}}]}`, hit)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// kubectls are the ids of those that have been run.
func (c *cluster) kubectls() (pids []int) {
	paths, _ := filepath.Glob(filepath.Join(c.state, "pid.*"))
	for _, path := range paths {
		pid, _ := strconv.Atoi(strings.TrimPrefix(filepath.Ext(path), "."))
		pids = append(pids, pid)
	}
	return pids
}

// noneLeft checks that no kubectl runs.
func (c *cluster) noneLeft() {
	c.t.Helper()
	for _, pid := range c.kubectls() {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			c.t.Errorf("kubectl %d is left running: %v", pid, err)
		}
	}
}

func same(*fleet.Pods) {}

// problems are the errors by source.
func problems(d *report.Document) map[string]string {
	all := map[string]string{}
	for _, i := range d.Instances {
		if i.Error != nil {
			all[i.Source] = *i.Error
		}
	}
	return all
}

func TestPods(t *testing.T) {
	c := newCluster(t)
	c.pod("a", "Running", "aaa", "57005", instance(t, "1", "p", 0, ""))
	c.pod("b", "Running", "bbb", "57005", instance(t, "2", "q", 0, ""))
	// Beside the process that has the port, one that does the work.
	c.pod("c", "Running", "aaa", "57005", instance(t, "3", "p", 0, `{"address":"127.0.0.1:4711","instance":"4","pid":9}`),
		"4711", instance(t, "4", "p", 1, `{"address":"127.0.0.1:57005","instance":"3","pid":1}`))
	d := c.read(same)
	var got []string
	for _, i := range d.Instances {
		got = append(got, strings.Join([]string{i.Source, i.Image, i.PlanHash}, " "))
	}
	want := "pod/a sha256:aaa p, pod/b sha256:bbb q, pod/c sha256:aaa p, pod/c:4711 sha256:aaa p"
	if strings.Join(got, ", ") != want || d.Outcome() != report.Complete || d.Summary.Hit != 1 {
		t.Errorf("outcome %d, %d hit, %v: %q", d.Outcome(), d.Summary.Hit, problems(d), got)
	}
	text, err := json.Marshal(d)
	if err != nil || !strings.Contains(string(text), `"image":"sha256:aaa"`) {
		t.Errorf("%v %s", err, text)
	}
}

func TestPodsThatCannotBeRead(t *testing.T) {
	c := newCluster(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	_ = l.Close()
	c.pod("fine", "Running", "aaa", "57005", instance(t, "1", "p", 1, ""))
	c.pod("bare", "Running", "aaa", "57005", closed)
	c.pod("new", "Pending", "aaa")
	c.pod("gone", "Running", "aaa")
	d := c.read(same)
	want := map[string]string{
		"pod/bare": "nothing listens on port 57005 of the pod: is it built by goat, and GOAT_ADDR neither off nor another port (--port)?",
		"pod/new":  "the pod is not running: pending",
		"pod/gone": `kubectl port-forward: Error from server (NotFound): pods "gone" not found`,
	}
	if got := problems(d); fmt.Sprint(got) != fmt.Sprint(want) || d.Outcome() != report.Partial {
		t.Errorf("outcome %d, %v", d.Outcome(), got)
	}
	if got := problems(c.read(func(p *fleet.Pods) { p.Container = "web" })); got["pod/fine"] != `the pod has no container "web", but app` {
		t.Errorf("%v", got)
	}
}

// A pod that is replaced while it is read is not missing: its successor counts.
func TestPodsThatAreReplaced(t *testing.T) {
	c := newCluster(t)
	c.pod("old", "Running", "aaa")
	c.items = nil
	c.pod("new", "Running", "bbb", "57005", instance(t, "1", "p", 1, ""))
	c.save("next.json")
	c.items = nil
	c.pod("old", "Running", "aaa")
	d := c.read(same)
	if len(d.Instances) != 1 || d.Instances[0].Source != "pod/new" || d.Outcome() != report.Complete {
		t.Errorf("outcome %d, %+v", d.Outcome(), d.Instances)
	}
}

// Who looks again and again keeps the port-forwards, until one is lost or all are closed.
func TestForwardsAreKept(t *testing.T) {
	c := newCluster(t)
	c.pod("a", "Running", "aaa", "57005", instance(t, "1", "p", 1, ""))
	pods := &fleet.Pods{Selector: "app=shop,track=canary", Namespace: "prod", Timeout: 20 * time.Second, Keep: true}
	look := func() {
		t.Helper()
		request := &source.Request{Timeout: 20 * time.Second}
		if got, err := pods.Read(context.Background(), request); err != nil || len(got) != 1 || got[0].Err != nil {
			t.Fatalf("%+v", got)
		}
	}
	look()
	begun := len(c.kubectls())
	for range 3 {
		look()
	}
	if n := len(c.kubectls()); n != begun {
		t.Errorf("%d kubectls at first, %d after looking again", begun, n)
	}
	// One that is lost is replaced, and the pods are listed again.
	for _, pid := range c.kubectls() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	look()
	if n := len(c.kubectls()); n <= begun {
		t.Errorf("%d kubectls, none new", n)
	}
	pods.Close()
	c.noneLeft()
}

// A kubectl that fails, hangs or says something else is bounded, and said.
func TestBadKubectl(t *testing.T) {
	c := newCluster(t)
	c.pod("a", "Running", "aaa", "57005", instance(t, "1", "p", 1, ""))
	for mode, want := range map[string]string{
		"forbidden":         `pods app=shop,track=canary in prod: kubectl get: Error from server (Forbidden): pods is forbidden: User "me" cannot list resource "pods"`,
		"hang":              "pods app=shop,track=canary in prod: kubectl get: no answer within 1s",
		"hang port-forward": "pod/a: kubectl port-forward: no answer within 5s",
		"garbage":           "pods app=shop,track=canary in prod: kubectl get: the answer is not a list of pods",
	} {
		c.write("mode", mode)
		d := c.read(func(p *fleet.Pods) {
			// Only one that hangs is waited for in vain.
			p.Timeout = time.Minute
			if mode == "hang" {
				p.Timeout = time.Second
			}
			if mode == "hang port-forward" {
				p.Timeout = 5 * time.Second
			}
		})
		if got := d.Instances[0].Source + ": " + *d.Instances[0].Error; got != want || d.Outcome() != report.Nothing {
			t.Errorf("%s: outcome %d, %s", mode, d.Outcome(), got)
		}
	}
	c.write("mode", "")
	if got := problems(c.read(func(p *fleet.Pods) { p.Selector = "app=none" })); got["pods app=none in prod"] != "no pod matches" {
		t.Errorf("%v", got)
	}
	t.Setenv("PATH", t.TempDir())
	if got := problems(c.read(same)); got["pods app=shop,track=canary in prod"] != "there is no kubectl on PATH" {
		t.Errorf("%v", got)
	}
}
