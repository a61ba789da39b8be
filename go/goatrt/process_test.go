//go:build unix

package goatrt_test

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goat-trace/goat/go/internal/spool"
)

func TestKillLosesNoExactHit(t *testing.T) {
	dir := t.TempDir()
	p := start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir}, "all=1000", "kill")
	if code, stderr := p.end(); code != -1 || stderr != "" {
		t.Fatalf("code %d, stderr %q", code, stderr)
	}
	f := only(t, dir)
	if n := hits(f, "svc"); n != 1000 {
		t.Errorf("%d of 1000 hits in the file", n)
	}
	if !f.Sealed.IsZero() || f.Live != spool.Ended {
		t.Errorf("sealed %v, live %s after a kill", f.Sealed, f.Live)
	}
	if got := f.Points[3]; got.Phase != "startup" || f.Phase != "startup" || time.Since(got.First) > time.Hour || time.Since(got.First) < 0 {
		t.Errorf("point 3: %+v", got)
	}
}

func TestKillInATestBinaryLosesNoExactHit(t *testing.T) {
	dir := t.TempDir()
	p := start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir, "TEST_MODE=test"}, "all=1000", "kill")
	p.end()
	f := only(t, dir)
	if n := hits(f, "svc"); n != 1000 || f.Live != spool.Unknown {
		t.Errorf("%d of 1000 hits in the file, live %s", n, f.Live)
	}
}

// A C program ends without a word to Go: counts go into the file as they grow.
func TestCountsWithoutAnEnd(t *testing.T) {
	for n, most := range map[int]int{7: 0, 20000: 20000 * 8 / 32} {
		dir := t.TempDir()
		start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir, "TEST_MODE=c-shared"}, "count="+strconv.Itoa(n), "kill").end()
		var count uint64
		for _, p := range only(t, dir).Points {
			count += p.Count
		}
		if lost := n*8 - int(count); lost < 0 || lost > most {
			t.Errorf("%d of %d hits in the file", count, n*8)
		}
	}
}

func TestOrderlyEndLosesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		last string
		code int
	}{"os.Exit": {"exit=3", 3}, "end of main": {"hit=1", 0}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			p := start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir}, "store=0", "store=1", "count=50", c.last)
			if code, stderr := p.end(); code != c.code || stderr != "" {
				t.Fatalf("code %d, stderr %q", code, stderr)
			}
			f := only(t, dir)
			if hits(f, "small") != 3 || f.Sealed.IsZero() || f.Live != spool.Ended {
				t.Errorf("%d hits, sealed %v, live %s", hits(f, "small"), f.Sealed, f.Live)
			}
			for _, point := range f.Points {
				if point.ID == "smallcount0000" && point.Count != 400 {
					t.Errorf("count %d, want 400", point.Count)
				}
			}
		})
	}
}

func TestPanicLosesNoExactHit(t *testing.T) {
	dir := t.TempDir()
	p := start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir}, "all=1000", "panic")
	if code, stderr := p.end(); code != 2 || !strings.HasPrefix(stderr, "panic: of the program itself") {
		t.Fatalf("code %d, stderr %q", code, stderr)
	}
	if n := hits(only(t, dir), "svc"); n != 1000 {
		t.Errorf("%d of 1000 hits in the file", n)
	}
}

func TestScannerFindsStorePoints(t *testing.T) {
	dir := t.TempDir()
	p := start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir}, "wait")
	p.tell("store=0")
	eventually(t, "the store point is in the file", func() bool { return hits(only(t, dir), "small") == 1 })
	if f := only(t, dir); f.Live != spool.Alive {
		t.Errorf("live %s while the process waits", f.Live)
	}
}

// eventually waits for a condition; what never happens ends with the test's own
// time limit.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestExactHitFindsStorePoints(t *testing.T) {
	dir := t.TempDir()
	// In a test binary nothing but hits and the end of the program can find them.
	p := start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir, "TEST_MODE=test"}, "store=1", "hit=0", "kill")
	p.end()
	if n := hits(only(t, dir), "small"); n != 1 {
		t.Errorf("%d store points in the file, want 1", n)
	}
}

func TestPhases(t *testing.T) {
	dir := t.TempDir()
	p := start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir, "TEST_INIT=1", "GOAT_STARTUP=1h"},
		"hit=8", "store=0", "ready", "hit=9")
	p.end()
	phases := map[string]string{}
	for _, point := range only(t, dir).Points {
		if point.Hit {
			phases[point.ID] = point.Phase
		}
	}
	want := map[string]string{"svc0007": "init", "small0001": "init", "svc0008": "startup", "small0000": "startup", "svc0009": "traffic"}
	for id, phase := range want {
		if phases[id] != phase {
			t.Errorf("%s: phase %q, want %q", id, phases[id], phase)
		}
	}
	if len(phases) != len(want) {
		t.Errorf("phases %v", phases)
	}
}

func TestStartupTime(t *testing.T) {
	for value, want := range map[string]string{"0s": "traffic", "-1s": "traffic", "nonsense": "startup", "": "startup"} {
		dir := t.TempDir()
		start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir, "GOAT_STARTUP=" + value}, "hit=1").end()
		if got := only(t, dir).Points[1].Phase; got != want {
			t.Errorf("GOAT_STARTUP=%q: phase %q, want %q", value, got, want)
		}
	}
	for _, mode := range []string{"exe", "test", "c-shared"} {
		dir := t.TempDir()
		start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir, "TEST_MODE=" + mode, "GOAT_STARTUP=20ms"}, "hit=1", "sleep=400", "hit=2").end()
		if got := only(t, dir).Points[2].Phase; got != "traffic" {
			t.Errorf("mode %s: phase %q after the startup time", mode, got)
		}
	}
}

func TestNothingToDoDoesNothing(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("counts descriptors in /proc")
	}
	dir := t.TempDir()
	plain := start(t, build(t, "bare,client"), nil, "wait").tell("fds")
	for name, environment := range map[string][]string{
		"nil table":               {"TEST_TABLE=nil", "GOAT_SPOOL=" + dir},
		"empty table":             {"TEST_TABLE=empty", "GOAT_SPOOL=" + dir},
		"off":                     {"GOAT_OFF=1", "GOAT_SPOOL=" + dir},
		"no spool, no server":     {"GOAT_ADDR=off"},
		"test binary":             {"TEST_MODE=test"},
		"c-shared":                {"TEST_MODE=c-shared"},
		"table of unknown origin": {"TEST_MODE=something"},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, build(t, "with_server"), environment, "hit=1", "tasks", "fds")
			want := "0\n" + plain + "\n"
			out := make([]byte, 16)
			n, _ := p.stdout.Read(out)
			more, _ := p.stdout.Read(out[n:])
			if code, stderr := p.end(); code != 0 || stderr != "" || string(out[:n+more]) != want {
				t.Errorf("code %d, stderr %q, goroutines and descriptors %q", code, stderr, out[:n+more])
			}
		})
	}
	if left := names(t, dir); len(left) != 0 {
		t.Errorf("files: %v", left)
	}
}

func TestTestBinaryKeepsNoDescriptorAndNoGoroutine(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("counts descriptors in /proc")
	}
	p := start(t, build(t, ""), []string{"GOAT_SPOOL=" + t.TempDir(), "TEST_MODE=test"}, "wait")
	p.tell("hit=1")
	plain := start(t, build(t, "bare"), nil, "wait").tell("fds")
	if fds, tasks := p.tell("fds"), p.tell("tasks"); fds != plain || tasks != "0" {
		t.Errorf("%s descriptors, %s goroutines; %s without us", fds, tasks, plain)
	}
	// The same questions find what an executable has.
	exe := start(t, build(t, ""), []string{"GOAT_SPOOL=" + t.TempDir()}, "wait")
	if fds, tasks := exe.tell("fds"), exe.tell("tasks"); !strings.HasSuffix(fds, " 1") || tasks != "1" {
		t.Errorf("executable: %s descriptors, %s goroutines", fds, tasks)
	}
}

func TestPortTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	p := start(t, build(t, "with_server"), []string{"GOAT_PORT=" + port, "GOAT_SPOOL=" + dir}, "wait")
	line := <-p.first
	p.tell("hit=1")
	code, stderr := p.end()
	if code != 0 || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(line, "goat: not listening: 127.0.0.1:"+port+": address already in use") {
		t.Errorf("code %d, stderr %q", code, stderr)
	}
	if f := only(t, dir); hits(f, "svc") != 1 || f.Address != "" {
		t.Errorf("%d hits, address %q", hits(f, "svc"), f.Address)
	}
}

func TestBadAddresses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for variable, want := range map[string]string{
		"GOAT_ADDR=nonsense":        "is not host:port",
		"GOAT_ADDR=127.0.0.1:99999": "is not a port",
		"GOAT_PORT=http":            "is not a port",
		"GOAT_METRICS_IP=192.0.2.1": "not listening: 192.0.2.1:57005: ",
		"GOAT_ADDR=unix:" + file:    "not a socket",
		"GOAT_ADDR=unix:@abstract":  "open to everyone",
		"GOAT_ADDR=unix:/no/such/d": "no such file",
	} {
		p := start(t, build(t, "with_server"), []string{variable}, "wait")
		line := <-p.first
		if code, stderr := p.end(); code != 0 || !strings.Contains(line, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: code %d, stderr %q", variable, code, stderr)
		}
	}
	if text, _ := os.ReadFile(file); string(text) != "mine" {
		t.Errorf("the file in the way now holds %q", text)
	}
}

func TestUnusableSpoolDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"exe", "test"} {
		p := start(t, build(t, ""), []string{"GOAT_SPOOL=" + file, "TEST_MODE=" + mode}, "wait")
		line := <-p.first
		p.tell("hit=1")
		code, stderr := p.end()
		if code != 0 || strings.Count(stderr, "\n") != 1 || !strings.Contains(line, "no spool: spool "+file+": not a directory") {
			t.Errorf("mode %s: code %d, stderr %q", mode, code, stderr)
		}
	}
}

func TestClosedDescriptorIsNotWrittenTo(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("finds descriptors in /proc")
	}
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("untouched"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, build(t, ""), []string{"GOAT_SPOOL=" + t.TempDir(), "TEST_VICTIM=" + victim}, "wait")
	p.tell("hit=1")
	p.tell("close")
	p.tell("all=1000")
	if code, stderr := p.end(); code != 0 || stderr != "" {
		t.Errorf("code %d, stderr %q", code, stderr)
	}
	if text, _ := os.ReadFile(victim); string(text) != "untouched" {
		t.Errorf("the program's file now holds %q", text)
	}
}

func TestRemovedSpoolIsNotMissed(t *testing.T) {
	for _, mode := range []string{"exe", "test"} {
		dir := t.TempDir()
		p := start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir, "TEST_MODE=" + mode}, "wait")
		p.tell("hit=1")
		for _, name := range names(t, dir) {
			_ = os.Remove(filepath.Join(dir, name))
		}
		p.tell("all=1000")
		if code, stderr := p.end(); code != 0 || stderr != "" || len(names(t, dir)) != 0 {
			t.Errorf("mode %s: code %d, stderr %q, files %v", mode, code, stderr, names(t, dir))
		}
	}
}

func TestOddTable(t *testing.T) {
	dir := t.TempDir()
	p := start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir, "TEST_TABLE=odd"}, "all=1000", "store=1")
	if code, stderr := p.end(); code != 0 || stderr != "" {
		t.Fatalf("code %d, stderr %q", code, stderr)
	}
	if f := only(t, dir); len(f.Degraded) != 5 || len(f.Points) != 0 {
		t.Errorf("degraded %v, %d points", f.Degraded, len(f.Points))
	}
}

func TestDeadlockIsStillFound(t *testing.T) {
	dir := t.TempDir()
	p := start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir, "TEST_TABLE=exact", "GOAT_STARTUP=10ms"}, "hit=1", "dead")
	if code, stderr := p.end(); code != 2 || !strings.HasPrefix(stderr, "fatal error: all goroutines are asleep - deadlock!") {
		t.Errorf("code %d, stderr %q", code, stderr)
	}
	if n := hits(only(t, dir), "svc"); n != 1 {
		t.Errorf("%d hits in the file", n)
	}
}

func TestRetention(t *testing.T) {
	dir := t.TempDir()
	environment := []string{"GOAT_SPOOL=" + dir, "GOAT_SPOOL_KEEP=3"}
	alive := start(t, build(t, ""), environment, "wait")
	alive.tell("hit=1")
	oldest := names(t, dir)[0]
	other := filepath.Join(dir, "goat-app-sdk-0123456789abcdef.spool")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	// Reading this would wait for a writer.
	pipe := "goat-app-0123456789abcdef.spool"
	if err := syscall.Mkfifo(filepath.Join(dir, pipe), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 5; i++ {
		start(t, build(t, ""), append(environment, "TEST_MODE=test"), "hit=1").end()
	}
	if n := len(names(t, dir)); n != 8 {
		t.Fatalf("%d files: a test binary removed some", n)
	}
	last := start(t, build(t, ""), environment, "wait")
	eventually(t, "old files are removed", func() bool { return len(names(t, dir)) <= 6 })
	last.end()
	left := strings.Join(names(t, dir), " ")
	if !strings.Contains(left, oldest) || !strings.Contains(left, filepath.Base(other)) || !strings.Contains(left, pipe) {
		t.Errorf("left: %s; the locked %s, the other app's or the pipe is gone", left, oldest)
	}
	if _, stderr := alive.end(); stderr != "" {
		t.Errorf("stderr %q", stderr)
	}
}

func TestSpoolFileMode(t *testing.T) {
	for value, want := range map[string]os.FileMode{"": 0o600, "0640": 0o640, "640": 0o640, "0777": 0o600, "x": 0o600, "0200": 0o600} {
		dir := filepath.Join(t.TempDir(), "made")
		start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir, "GOAT_SPOOL_MODE=" + value}, "hit=1").end()
		info, err := os.Stat(filepath.Join(dir, names(t, dir)[0]))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("GOAT_SPOOL_MODE=%q: %v %v, want %v", value, info.Mode(), err, want)
		}
	}
}

func TestTwoComponents(t *testing.T) {
	dir := t.TempDir()
	start(t, build(t, ""), []string{"GOAT_SPOOL=" + dir, "TEST_TWICE=1"}, "store=0", "count=10", "hit=4").end()
	results, err := spool.ReadDir(dir)
	if err != nil || len(results) != 2 {
		t.Fatalf("%v %v", results, err)
	}
	for _, r := range results {
		if hits(r.File, "small") != 2 {
			t.Errorf("%s: %d hits in the shared package, want 2", r.File.Identity.Component, hits(r.File, "small"))
		}
	}
}
