package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"
)

var (
	mu   sync.Mutex
	rw   sync.RWMutex
	cond = sync.NewCond(&sync.Mutex{})
	wg   sync.WaitGroup
	sink int
)

type store struct {
	name string
	mu   sync.Mutex
}

//go:noinline
func (s *store) hold(c chan int) { s.mu.Lock(); <-c; s.mu.Unlock() }

//go:noinline
func (s *store) put() { s.mu.Lock(); sink++; s.mu.Unlock() }

func recv(c chan int) { <-c }
func send(c chan int) { c <- 1 }
func nilRecv()        { var c chan int; <-c }
func nilSend()        { var c chan int; c <- 1 }
func sel(a, b chan int) {
	select {
	case <-a:
	case <-b:
	}
}
func empty()                { select {} }
func lock()                 { mu.Lock() }
func rlock()                { rw.RLock() }
func wlock()                { rw.Lock() }
func condWait()             { cond.L.Lock(); cond.Wait() }
func wgWait()               { wg.Wait() }
func sleep()                { time.Sleep(time.Hour) }
func pipeRead()             { r, _ := io.Pipe(); r.Read(make([]byte, 1)) }
func osPipe()               { r, w, _ := os.Pipe(); keep = w; r.Read(make([]byte, 1)) }
func accept(l net.Listener) { l.Accept() }
func connRead(c net.Conn)   { c.Read(make([]byte, 1)) }
func refl(c chan int) {
	reflect.Select([]reflect.SelectCase{{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(c)}})
}
func process() { exec.Command("sleep", "20").Run() }
func ranges(c chan int) {
	for range c {
	}
}

type G[T any] struct{ c chan T }

func (g *G[T]) Run() { <-g.c }

var keep any
var closure = func(c chan int) { <-c }

func main() {
	mu.Lock()
	rw.Lock()
	wg.Add(1)
	c, d := make(chan int), make(chan int)
	go recv(c)
	go send(d)
	go nilRecv()
	go nilSend()
	go sel(c, c)
	go empty()
	go lock()
	go lock()
	go rlock()
	go condWait()
	go wgWait()
	go sleep()
	go pipeRead()
	go osPipe()
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	go accept(l)
	conn, _ := net.Dial("tcp", l.Addr().String())
	go connRead(conn)
	go refl(c)
	go process()
	go ranges(c)
	go (&G[int]{make(chan int)}).Run()
	go closure(c)
	go func() { pprof.Do(ctx(), pprof.Labels("k", "v v", "q", "a]:b"), func(_ c2) { <-c }) }()
	s := &store{}
	go s.hold(c)
	time.Sleep(100 * time.Millisecond)
	go s.put()
	go s.put()
	go wlock()
	go http.Serve(mustListen(), nil)
	time.Sleep(200 * time.Millisecond)
	if len(os.Args) > 1 {
		mode(os.Args[1])
	}
	buf := make([]byte, 1<<20)
	dir := os.Getenv("OUT")
	os.WriteFile(dir+"/debug2.txt", buf[:runtime.Stack(buf, true)], 0o644)
	for i, n := range []string{"debug0.pb.gz", "debug1.txt"} {
		f, _ := os.Create(dir + "/" + n)
		pprof.Lookup("goroutine").WriteTo(f, i)
		f.Close()
	}
	if p := pprof.Lookup("goroutineleak"); p != nil {
		f, _ := os.Create(dir + "/leak.pb.gz")
		p.WriteTo(f, 0)
		f.Close()
		os.WriteFile(dir+"/leaked2.txt", buf[:runtime.Stack(buf, true)], 0o644)
	}
	fmt.Println(runtime.Version(), runtime.NumGoroutine())
}

func mustListen() net.Listener { l, _ := net.Listen("tcp", "127.0.0.1:0"); return l }

func mode(m string) {
	switch m {
	case "panic":
		panic(fmt.Errorf("boom %d\nsecond", 1))
	case "chain":
		defer func() { r := recover(); panic(fmt.Sprint("again ", r)) }()
		panic("first")
	case "nilmap":
		var m map[string]int
		m["a"] = 1
	case "nil":
		var p *store
		p.put()
	case "map":
		m := map[int]int{}
		go func() {
			for {
				m[1]++
			}
		}()
		for {
			m[2]++
		}
	case "overflow":
		var f func(int) int
		f = func(i int) int { return f(i+1) + 1 }
		sink = f(1)
	case "deep":
		deep(250)
	case "wait":
		time.Sleep(time.Hour)
	}
}

//go:noinline
func deep(n int) {
	if n == 0 {
		panic("deep")
	}
	deep(n - 1)
	sink++
}
