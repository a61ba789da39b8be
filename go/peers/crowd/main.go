// Command crowd writes the dump of so many goroutines of 200 kinds to standard output:
// ten ways to wait, each at the end of twenty call paths of different depth.
//
//	crowd 10000
package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

var (
	mutex   sync.Mutex
	rw      sync.RWMutex
	group   sync.WaitGroup
	never   chan int
	receive = make(chan int)
	send    = make(chan int)
	ready   atomic.Int64
	address string
	// listener stays open: the kernel keeps the connections that nobody accepts.
	listener net.Listener
)

// ways to wait, which all last for ever.
var ways = []func(){
	func() { <-receive }, func() { send <- 1 }, mutex.Lock, rw.RLock, group.Wait,
	func() {
		c := sync.NewCond(&sync.Mutex{})
		c.L.Lock()
		c.Wait()
	},
	func() {
		select {
		case <-receive:
		case send <- 1:
		}
	},
	func() { time.Sleep(time.Hour) }, func() { <-never }, read,
}

// read waits for the network.
func read() {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		select {}
	}
	_, _ = conn.Read(make([]byte, 1))
}

type request struct {
	id   int
	name string
	body []byte
}

func main() {
	count, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "usage: crowd COUNT")
		os.Exit(2)
	}
	if listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		panic(err)
	}
	address = listener.Addr().String()
	mutex.Lock()
	rw.Lock()
	group.Add(1)
	for i := range count {
		way := i % 10
		if way == 9 && i > 5000 {
			way = 8 // files are few
		}
		go serve(&request{i, fmt.Sprint(i), make([]byte, i%9)}, ways[way], i/10%20)
	}
	for ready.Load() < int64(count) {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(time.Second)
	buffer := make([]byte, 2000*count)
	_, _ = os.Stdout.Write(buffer[:runtime.Stack(buffer, true)])
}

//go:noinline
func serve(r *request, wait func(), path int) int { return handle(r, wait, path, r.name, r.body) + 1 }

//go:noinline
func handle(r *request, wait func(), path int, name string, body []byte) int {
	return paths[path](r, wait, path/4, name, body) + 1
}

//go:noinline
func work(r *request, wait func(), depth int, name string, body []byte) int {
	if depth > 0 {
		return work(r, wait, depth-1, name, body) + 1
	}
	return last(r, wait) + 1
}

//go:noinline
func last(r *request, wait func()) int {
	ready.Add(1)
	wait()
	return r.id
}

// paths are twenty functions that differ in nothing but their place.
var paths = [20]func(*request, func(), int, string, []byte) int{
	path0, path1, path2, path3, path4, path5, path6, path7, path8, path9,
	path10, path11, path12, path13, path14, path15, path16, path17, path18, path19,
}

//go:noinline
func path0(r *request, wait func(), depth int, name string, body []byte) int {
	return work(r, wait, depth, name, body) + 0
}

//go:noinline
func path1(r *request, wait func(), depth int, name string, body []byte) int {
	return work(r, wait, depth, name, body) + 1
}

//go:noinline
func path2(r *request, wait func(), depth int, name string, body []byte) int {
	return work(r, wait, depth, name, body) + 2
}

//go:noinline
func path3(r *request, wait func(), depth int, name string, body []byte) int {
	return work(r, wait, depth, name, body) + 3
}

//go:noinline
func path4(r *request, wait func(), depth int, name string, body []byte) int {
	return work(r, wait, depth, name, body) + 4
}

//go:noinline
func path5(r *request, wait func(), depth int, name string, body []byte) int {
	return work(r, wait, depth, name, body) + 5
}

//go:noinline
func path6(r *request, wait func(), depth int, name string, body []byte) int {
	return work(r, wait, depth, name, body) + 6
}

//go:noinline
func path7(r *request, wait func(), depth int, name string, body []byte) int {
	return work(r, wait, depth, name, body) + 7
}

//go:noinline
func path8(r *request, wait func(), depth int, name string, body []byte) int {
	return work(r, wait, depth, name, body) + 8
}

//go:noinline
func path9(r *request, wait func(), depth int, name string, body []byte) int {
	return work(r, wait, depth, name, body) + 9
}

//go:noinline
func path10(r *request, wait func(), depth int, name string, body []byte) int {
	return work(r, wait, depth, name, body) + 10
}

//go:noinline
func path11(r *request, wait func(), depth int, name string, body []byte) int {
	return work(r, wait, depth, name, body) + 11
}

//go:noinline
func path12(r *request, wait func(), depth int, name string, body []byte) int {
	return work(r, wait, depth, name, body) + 12
}

//go:noinline
func path13(r *request, wait func(), depth int, name string, body []byte) int {
	return work(r, wait, depth, name, body) + 13
}

//go:noinline
func path14(r *request, wait func(), depth int, name string, body []byte) int {
	return work(r, wait, depth, name, body) + 14
}

//go:noinline
func path15(r *request, wait func(), depth int, name string, body []byte) int {
	return work(r, wait, depth, name, body) + 15
}

//go:noinline
func path16(r *request, wait func(), depth int, name string, body []byte) int {
	return work(r, wait, depth, name, body) + 16
}

//go:noinline
func path17(r *request, wait func(), depth int, name string, body []byte) int {
	return work(r, wait, depth, name, body) + 17
}

//go:noinline
func path18(r *request, wait func(), depth int, name string, body []byte) int {
	return work(r, wait, depth, name, body) + 18
}

//go:noinline
func path19(r *request, wait func(), depth int, name string, body []byte) int {
	return work(r, wait, depth, name, body) + 19
}
