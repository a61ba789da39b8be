//go:build linux

package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFullTimings has no room for the log of a build: the build goes on, and what is in
// the log can be read.
func TestFullTimings(t *testing.T) {
	w := newWorkshop(t)
	d := newDisk(t, "64k")
	flags := []string{"goat", "build", "--base=main", "--timings=" + d.dir, "-o", filepath.Join(w.bin, "tracked"), "."}
	for _, free := range []int{0, 4 << 10, 8 << 10} {
		w.edit()
		d.fill(free)
		stdout, stderr, err := w.command(w.dir, flags...)
		d.free()
		if err != nil || !strings.Contains(stderr, "no space left on device") {
			t.Fatalf("with %d bytes: %v\n%s%s", free, err, stdout, stderr)
		}
		w.evidence("full", filepath.Join(w.bin, "tracked"))
	}
	w.edit()
	w.run(w.dir, flags...)
	if out := w.run(w.dir, "goat", "heat", d.dir); !strings.Contains(out, "critical path: ") {
		t.Errorf("after the disk was full: %s", out)
	}
}

// pushgateway starts a real one and gives its URL.
func pushgateway(t *testing.T) string {
	t.Helper()
	program := "prometheus-pushgateway" // Debian's name
	if _, err := exec.LookPath(program); err != nil {
		program = needs(t, "pushgateway")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	server := exec.Command(program, "--web.listen-address="+address)
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	eventually(t, "the Pushgateway answers", func() string { return unready(address) })
	return "http://" + address
}

// pushed are the series of goat's in a gateway.
func pushed(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, "goat_build_") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// TestHeatPush replaces what the push before has left: packages that are no longer built
// vanish, and another build adds no series of its own.
func TestHeatPush(t *testing.T) {
	url := pushgateway(t)
	w := newWorkshop(t)
	promtool, lint := exec.LookPath("promtool")
	for number, pkg := range []string{"example.com/old", "example.com/new"} {
		log := filepath.Join(w.tmp, fmt.Sprint(number)+".timings")
		text := fmt.Sprintf(`{"t":"build","format":1,"start":1,"verb":"build","targets":["."],"module":"example.com/org/shop","commit":"%040d","os":"linux","arch":"amd64"}
{"t":"tool","start":1,"wall":2000000000,"user":1500000,"sys":5,"tool":"compile","pkg":%q,"os":"linux","arch":"amd64"}
{"t":"end","exit":0,"wall":3000000000,"user":1600000,"sys":9}
`, number, pkg)
		if err := os.WriteFile(log, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		w.run(w.dir, "goat", "heat", log, "--push", url)
		w.run(w.dir, "goat", "heat", log, "--push", url, "--job", "night/ly", "--target", "a b")
		if lint == nil {
			check := exec.Command(promtool, "check", "metrics")
			check.Stdin = strings.NewReader(w.run(w.dir, "goat", "heat", log, "--format", "prometheus"))
			if out, err := check.CombinedOutput(); err != nil {
				t.Errorf("promtool: %v\n%s", err, out)
			}
		}
	}
	text := pushed(t, url)
	for _, want := range []string{
		`goat_build_wall_seconds{goarch="amd64",goos="linux",instance="",job="goat_build",module="example.com/org/shop",target="shop",verb="build"} 3`,
		`goat_build_package_user_seconds{goarch="amd64",goos="linux",instance="",job="night/ly",module="example.com/org/shop",package="example.com/new",target="a b",verb="build"} 1.5`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Contains(text, "example.com/old") || strings.Contains(text, "0000001") {
		t.Errorf("the push before is still there, or a commit:\n%s", text)
	}
	stdout, stderr, err := w.command(w.dir, "goat", "heat", filepath.Join(w.tmp, "0.timings"), "--push", url+"/nowhere")
	if err == nil || !strings.Contains(stderr, "it answers 40") || !strings.Contains(stderr, "hint: ") {
		t.Errorf("a wrong address: %v\n%s%s", err, stdout, stderr)
	}
}
