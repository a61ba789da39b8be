// Command program does what its arguments say, one after the other.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"example.com/app/small"
	"example.com/app/svc"
)

func main() {
	verbs["wait"] = wait
	for _, arg := range os.Args[1:] {
		verb, rest := arg, ""
		if i := strings.IndexByte(arg, '='); i >= 0 {
			verb, rest = arg[:i], arg[i+1:]
		}
		n, _ := strconv.Atoi(rest)
		verbs[verb](n)
	}
}

var verbs = map[string]func(int){
	"hit":   func(n int) { svc.Do(n) },
	"all":   all,
	"store": func(n int) { small.Store(n) },
	"count": func(n int) { count(n) },
	"kill":  func(int) { _ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL); select {} },
	"exit":  func(n int) { os.Exit(n) },
	"panic": func(int) { panic("of the program itself") },
	"dead":  func(int) { select {} },
	"sleep": func(n int) { time.Sleep(time.Duration(n) * time.Millisecond) },
	"fds":   func(int) { list("/proc/self/fd") },
	"tasks": func(int) { fmt.Println(goroutines()) },
	"bench": bench,
	"traffic": func(int) {
		go func() {
			for {
				all(svc.Points)
				count(100)
			}
		}()
	},
}

// all runs n exact points from 8 goroutines, each of which runs every point.
func all(n int) {
	var group sync.WaitGroup
	for g := 0; g < 8; g++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := 0; i < n; i++ {
				svc.Do(i)
			}
		}()
	}
	group.Wait()
}

// count runs a counting point n times in each of 8 goroutines.
func count(n int) {
	var group sync.WaitGroup
	for g := 0; g < 8; g++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := 0; i < n; i++ {
				small.Count(2)
			}
		}()
	}
	group.Wait()
}

// wait obeys lines of standard input until it ends.
func wait(int) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		verb, rest := lines.Text(), ""
		if i := strings.IndexByte(verb, '='); i >= 0 {
			verb, rest = verb[:i], verb[i+1:]
		}
		n, _ := strconv.Atoi(rest)
		verbs[verb](n)
		fmt.Println("done")
	}
}

// list prints how many descriptors are open, and how many of them are spool
// files. It opens none itself.
func list(dir string) {
	open, spools := 0, 0
	for fd := 0; fd < 1024; fd++ {
		target, err := os.Readlink(dir + "/" + strconv.Itoa(fd))
		if err != nil {
			continue
		}
		open++
		if strings.HasSuffix(target, ".spool") {
			spools++
		}
	}
	fmt.Println(open, spools)
}

// bench prints the nanoseconds of one exact first hit.
func bench(int) {
	begun := time.Now()
	for i := 0; i < svc.Points; i++ {
		svc.Do(i)
	}
	fmt.Println(int(time.Since(begun)) / svc.Points)
}
