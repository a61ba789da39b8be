//go:build linux

package goatrt_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// identity is what /version says of a process and its siblings.
type identity struct {
	Instance, Address string
	Pid               int
	Siblings          []struct {
		Address, Instance, PlanHash string
		Pid                         int
	}
}

func version(t *testing.T, base string) (v identity) {
	t.Helper()
	if err := json.Unmarshal([]byte(get(t, base+"/version")), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// patience is how long a test waits for what must come.
const patience = 60 * time.Second

// until waits for something to become true.
func until(t *testing.T, what string, true func() bool) {
	t.Helper()
	for begun := time.Now(); !true(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > patience {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// pids are the processes that one of them names.
func pids(t *testing.T, base string) map[int]bool {
	t.Helper()
	v := version(t, base)
	all := map[int]bool{v.Pid: true}
	for _, s := range v.Siblings {
		if s.PlanHash != "0123456789abcdef" || len(s.Instance) != 16 || s.Address == v.Address {
			t.Errorf("sibling %+v of %+v", s, v)
		}
		all[s.Pid] = true
	}
	return all
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestSiblings(t *testing.T) {
	binary, at := build(t, "with_server"), freeAddress(t)
	one := func() *program { return start(t, binary, []string{"GOAT_ADDR=" + at}, "wait") }
	holder := one()
	if got := holder.address(); got != at {
		t.Fatalf("the first listens on %s, not %s", got, at)
	}
	var others []*program
	var addresses []string
	for len(others) < 20 {
		others = append(others, one())
	}
	for _, p := range others {
		line := <-p.first
		match := listens.FindStringSubmatch(line)
		if match == nil || !strings.Contains(line, "beside "+at+", which process ") || !strings.Contains(line, "goat report") {
			t.Fatalf("the line of a sibling: %q %s", line, p.stderr)
		}
		addresses = append(addresses, match[1])
	}
	until(t, "the holder lists 20", func() bool { return len(pids(t, "http://"+at)) == 21 })
	if seen := pids(t, "http://"+addresses[0]); len(seen) != 2 || !seen[holder.cmd.Process.Pid] {
		t.Errorf("a sibling lists %v", seen)
	}

	// Who dies is gone from the list; the connections of siblings do not count.
	_ = others[0].cmd.Process.Kill()
	until(t, "the dead one is gone", func() bool { return !pids(t, "http://"+at)[others[0].cmd.Process.Pid] })
	if n := len(pids(t, "http://"+at)); n != 20 {
		t.Errorf("%d are left", n)
	}

	// Without the holder the others work; the next to be started takes its place, and
	// the others find it.
	_ = holder.cmd.Process.Signal(syscall.SIGKILL)
	_ = holder.cmd.Wait()
	get(t, "http://"+addresses[1]+"/track")
	next := one()
	if got := next.address(); got != at {
		t.Fatalf("the restarted one listens on %s, not %s", got, at)
	}
	until(t, "the new holder lists 19", func() bool { return len(pids(t, "http://"+at)) == 20 })

	// Where none is started again, one of those that live takes the address.
	_ = next.cmd.Process.Kill()
	until(t, "an heir lists the rest", func() bool {
		response, err := http.Get("http://" + at + "/healthz")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return len(pids(t, "http://"+at)) == 19
	})
	if v := version(t, "http://"+at); v.Address != at {
		t.Errorf("the heir says that it listens on %s", v.Address)
	}
}

func TestSiblingsOnASocket(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "goat.sock")
	binary := build(t, "with_server")
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	_ = stale.Close()
	// All of them find the same stale socket at once.
	var all []*program
	for len(all) < 8 {
		all = append(all, start(t, binary, []string{"GOAT_ADDR=unix:" + path}, "wait"))
	}
	var holder, other *program
	for _, p := range all {
		if p.address() == "unix:"+path {
			if holder != nil {
				t.Fatal("two hold the socket")
			}
			holder = p
		} else {
			other = p
		}
	}
	if n := len(names(t, dir)); n != 8 {
		t.Errorf("%d sockets, want 8: %v", n, names(t, dir))
	}
	_ = other.cmd.Process.Kill()
	until(t, "the dead one's socket is gone", func() bool { return len(names(t, dir)) == 7 })
	for _, p := range all {
		if p != other {
			if code, _ := p.end(); code != 0 {
				t.Errorf("code %d", code)
			}
		}
	}
	if left := names(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Another program, and another user's goat, are no siblings: the one line says what to do.
func TestStrangersAreNoSiblings(t *testing.T) {
	binary := build(t, "with_server")
	stranger, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	go func() {
		for conn, err := stranger.Accept(); err == nil; conn, err = stranger.Accept() {
			_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH_9.2\r\n")
			_ = conn.Close()
		}
	}()
	p := start(t, binary, []string{"GOAT_ADDR=" + stranger.Addr().String()}, "wait")
	if line := <-p.first; !strings.Contains(line, "not listening: "+stranger.Addr().String()+": address already in use (GOAT_PORT=0") {
		t.Errorf("beside another program: %q", line)
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can be two users")
	}
	if err := os.Chmod(scratch, 0o755); err != nil {
		t.Fatal(err)
	}
	at := freeAddress(t)
	theirs := startWith(t, asNobody, binary, []string{"GOAT_ADDR=" + at}, "wait")
	if got := theirs.address(); got != at {
		t.Fatal(got)
	}
	ours := start(t, binary, []string{"GOAT_ADDR=" + at}, "wait")
	if line := <-ours.first; !strings.Contains(line, "not listening: "+at) {
		t.Errorf("beside another user's: %q", line)
	}
	// Nor can another user name itself to the holder.
	own, base := serve(t)
	forged := "printf 'GET /siblings HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: Upgrade\\r\\nUpgrade: goat-sibling\\r\\n" +
		"Goat-Address: " + at + "\\r\\nGoat-Instance: 00\\r\\nGoat-Pid: 1\\r\\nGoat-Plan: 00\\r\\n\\r\\n' >&3; head -n 1 <&3"
	shell := exec.Command("bash", "-c", "exec 3<>/dev/tcp/"+strings.Replace(strings.TrimPrefix(base, "http://"), ":", "/", 1)+"; "+forged)
	asNobody(shell)
	if out, err := shell.CombinedOutput(); err != nil || !strings.Contains(string(out), " 403 ") {
		t.Errorf("a forged sibling: %v %s", err, out)
	}
	// Of our own user, but at an address where another user listens.
	shell = exec.Command("bash", "-c", shell.Args[2])
	if out, err := shell.CombinedOutput(); err != nil || !strings.Contains(string(out), " 403 ") {
		t.Errorf("a sibling at another user's address: %v %s", err, out)
	}
	if v := version(t, base); len(v.Siblings) != 0 {
		t.Errorf("%+v", v.Siblings)
	}
	own.end()
}

// asNobody has a command run as a user that owns nothing.
func asNobody(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	cmd.Dir = "/"
}

// What is over soon opens nothing and says nothing.
func TestShortPrograms(t *testing.T) {
	p := start(t, build(t, "with_server"), []string{"GOAT_ADDR=127.0.0.1:0"}, "hit=1")
	if code, stderr := p.end(); code != 0 || stderr != "" {
		t.Errorf("code %d, stderr %q", code, stderr)
	}
}

// A connection that is held does not keep a probe out.
func TestHeldConnectionsGiveWay(t *testing.T) {
	_, base := serve(t)
	address := strings.TrimPrefix(base, "http://")
	for i, text := range []string{"", "GET /track HTTP/1.1\r\n", strings.Repeat("GET /track HTTP/1.1\r\nHost: localhost\r\n\r\n", 100)} {
		for n := 0; n < 64; n++ {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.(*net.TCPConn).SetReadBuffer(1 << 10)
			_, _ = io.WriteString(conn, text)
		}
		client := http.Client{Timeout: 4 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := client.Get(base + "/healthz")
		if err != nil {
			t.Fatalf("behind 64 connections of kind %d: %v", i, err)
		}
		_ = response.Body.Close()
	}
}

// On all addresses of the machine, too, and through its IPv6 side.
func TestSiblingsOnAllAddresses(t *testing.T) {
	binary := build(t, "with_server")
	_, port, _ := net.SplitHostPort(freeAddress(t))
	for _, host := range []string{"0.0.0.0", "", "localhost"} {
		address := net.JoinHostPort(host, port)
		first := start(t, binary, []string{"GOAT_ADDR=" + address}, "wait")
		if line := <-first.first; !strings.Contains(line, ":"+port+" (") {
			t.Fatalf("%s: %q", address, line)
		}
		second := start(t, binary, []string{"GOAT_ADDR=" + address}, "wait")
		if line := <-second.first; !strings.Contains(line, " beside "+address) {
			t.Errorf("%s: %q", address, line)
		}
		if n := len(pids(t, "http://127.0.0.1:"+port)); n != 2 {
			t.Errorf("%s: %d processes", address, n)
		}
		second.end()
		first.end()
	}
}
