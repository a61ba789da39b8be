package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// The bars of profiles: for how long a program of that many goroutines may stand still,
// and which share of the CPU time that a program has meanwhile a profile of that many
// seconds may cost beyond what runtime/pprof takes.
const (
	barStill         = 0.005
	barProfiled      = 0.01
	crowdSize        = 10_000
	profiledSeconds  = 60
	goroutineLookups = 20
)

// crowdFiles is a program of 10,000 goroutines that wait, and of one that works. It takes
// its orders from standard input, and answers each with a line.
var crowdFiles = map[string]string{
	"go.mod": "module example.com/crowd\n\ngo 1.23\n",
	"main.go": `package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	_    = http.ErrAbortHandler
	hold = make(chan int)
	work atomic.Int64
	busy atomic.Bool
)

func spent(who int) int64 {
	var usage syscall.Rusage
	syscall.Getrusage(who, &usage)
	return usage.Utime.Nano() + usage.Stime.Nano()
}

//go:noinline
func wait(depth int) int {
	if depth == 0 {
		return <-hold
	}
	return wait(depth-1) + 1
}

// spin works for as long as it is told to, and says what it took.
func spin() {
	runtime.LockOSThread()
	var block [8192]byte
	for {
		if busy.Load() {
			block[0] = sha256.Sum256(block[:])[0]
		} else {
			time.Sleep(time.Millisecond)
		}
		work.Store(spent(1)) // RUSAGE_THREAD
	}
}

// pauses are for how long, in seconds, the world stood still for anything but the garbage
// collector, half of the times and at most, as the runtime's histogram bounds it from above.
func pauses() (median, most float64) {
	sample := []metrics.Sample{{Name: "/sched/pauses/total/other:seconds"}}
	metrics.Read(sample)
	h, all, so := sample[0].Value.Float64Histogram(), uint64(0), uint64(0)
	for _, count := range h.Counts {
		all += count
	}
	for i, count := range h.Counts {
		if so < (all+1)/2 && so+count >= (all+1)/2 {
			median = h.Buckets[i+1]
		}
		if so += count; count > 0 {
			most = h.Buckets[i+1]
		}
	}
	return median, most
}

func main() {
	for i := range CROWD {
		go wait(i % 20)
	}
	go spin()
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var into bytes.Buffer
		switch in.Text() {
		case "work":
			busy.Store(true)
		case "goroutine":
			pprof.Lookup("goroutine").WriteTo(&into, 0)
		case "cpu":
			pprof.StartCPUProfile(&into)
			time.Sleep(SECONDS * time.Second)
			pprof.StopCPUProfile()
		}
		median, most := pauses()
		fmt.Println(spent(syscall.RUSAGE_SELF), work.Load(), median, most)
	}
}
`,
}

// crowd is such a program, running.
type crowd struct {
	orders  io.WriteCloser
	answers *bufio.Reader
	address string
	command *exec.Cmd
}

// servedAt is how a program says where goat serves it.
var servedAt = regexp.MustCompile(`listening on (127\.0\.0\.1:\d+) `)

func startCrowd(ctx context.Context, binary string) (*crowd, error) {
	c := &crowd{command: exec.CommandContext(ctx, binary)}
	c.command.Env = append(os.Environ(), "GOAT_ADDR=127.0.0.1:0", "GOAT_PPROF=1", "GOAT_TOKEN=t")
	said, err := c.command.StderrPipe()
	if err != nil {
		return nil, err
	}
	answers, err := c.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.answers = bufio.NewReader(answers)
	if c.orders, err = c.command.StdinPipe(); err != nil {
		return nil, err
	}
	if err := c.command.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(said)
	for c.address == "" && lines.Scan() {
		if found := servedAt.FindStringSubmatch(lines.Text()); found != nil {
			c.address = found[1]
		}
	}
	go func() { _, _ = io.Copy(io.Discard, said) }()
	return c, lines.Err()
}

func (c *crowd) stop() {
	_ = c.orders.Close()
	_ = c.command.Wait()
}

// account is what the program has taken so far: CPU time of all of it and of its work, in
// seconds, and for how long it stood still each time, the median, and at most.
type account struct{ all, work, still, most float64 }

func (c *crowd) order(what string) (account, error) {
	var a account
	if _, err := fmt.Fprintln(c.orders, what); err != nil {
		return a, err
	}
	line, err := c.answers.ReadString('\n')
	if err != nil {
		return a, err
	}
	_, err = fmt.Sscan(line, &a.all, &a.work, &a.still, &a.most)
	a.all, a.work = a.all/1e9, a.work/1e9
	return a, err
}

// ask has goat's server answer.
func (c *crowd) ask(ctx context.Context, path string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.address+"/debug/pprof/"+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer t")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s (%v)", path, response.Status, err)
	}
	return nil
}

// profiles says for how long a program of 10,000 goroutines stands still for goat's dump
// of them, beside runtime/pprof's own, and what a profile of its CPU time costs beyond the
// work that it does meanwhile.
func (b *bench) profiles(ctx context.Context) error {
	root, binary := filepath.Join(b.work, "crowd"), filepath.Join(b.work, "crowd-goat")
	size := strings.NewReplacer("CROWD", fmt.Sprint(crowdSize), "SECONDS", fmt.Sprint(profiledSeconds))
	files := map[string]string{"go.mod": crowdFiles["go.mod"], "main.go": size.Replace(crowdFiles["main.go"])}
	release := map[string]string{"point.go": "package main\n\nfunc init() { busy.Store(false) }\n"}
	if err := b.repository(ctx, root, files, release); err != nil {
		return err
	}
	if _, err := measure(ctx, root, nil, b.goat, "--base=v1", "build", "--pprof", "-o", binary, "."); err != nil {
		return err
	}
	fmt.Fprintf(b.out, "\n== profiles: %d goroutines, %d dumps of them; %d s of CPU time\n", crowdSize, goroutineLookups, profiledSeconds)
	still, most, cost := map[string]series{}, map[string]series{}, map[string]series{}
	for range b.pairs {
		for _, who := range []string{"runtime/pprof", "goat"} {
			if err := b.profiled(ctx, binary, who, still, most, cost); err != nil {
				return err
			}
		}
	}
	theirs, ours := still["runtime/pprof"].median(), still["goat"].median()
	fmt.Fprintf(b.out, "%-34s %9.3f %9.3f ms%s\n", "stands still", theirs*1e3, ours*1e3, verdict(ours, barStill))
	// The longest is that in which the machine ran something else.
	fmt.Fprintf(b.out, "%-34s %9.3f %9.3f ms\n", "stands still, at most", most["runtime/pprof"].median()*1e3, most["goat"].median()*1e3)
	theirs, ours = cost["runtime/pprof"].median(), cost["goat"].median()
	fmt.Fprintf(b.out, "%-34s %9.3f %9.3f %% of the CPU time%s\n", "CPU profile beside the work", theirs*100, ours*100, verdict(ours-theirs, barProfiled))
	return nil
}

// profiled is one round of one of both.
func (b *bench) profiled(ctx context.Context, binary, who string, still, most, cost map[string]series) error {
	c, err := startCrowd(ctx, binary)
	if err != nil {
		return err
	}
	defer c.stop()
	profile := func(order, path string) (account, error) {
		if who != "goat" {
			return c.order(order)
		}
		if err := c.ask(ctx, path); err != nil {
			return account{}, err
		}
		return c.order("account")
	}
	var last account
	for range goroutineLookups {
		if last, err = profile("goroutine", "goroutine"); err != nil {
			return err
		}
	}
	still[who], most[who] = append(still[who], last.still), append(most[who], last.most)
	before, err := c.order("work")
	if err != nil {
		return err
	}
	after, err := profile("cpu", fmt.Sprintf("profile?seconds=%d", profiledSeconds))
	if err != nil {
		return err
	}
	all := after.all - before.all
	cost[who] = append(cost[who], (all-(after.work-before.work))/all)
	return nil
}
