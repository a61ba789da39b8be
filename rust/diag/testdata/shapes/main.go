// The program panics, or dies, in the way that its argument names: one of `shapes`. The
// line of the root cause ends with the comment "root: SHAPE".
package main

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"text/template"
	"time"

	"example.com/shapes/lib"
)

type point struct{ x, y int }

type name string

type fail struct{ code int }

func (f *fail) Error() string { return fmt.Sprint("fail ", f.code) }

var (
	nilMap   map[string]int
	nilPoint *point
	list     = []int{1, 2, 3}
	four     = 4
	zero     int
	any1     any = "text"
	shared       = map[int]int{}
)

var shapes = map[string]func(){
	"string": func() { panic("out of luck") },                                                  // root: string
	"error":  func() { panic(errors.New("no such thing")) },                                    // root: error
	"custom": func() { panic(&fail{3}) },                                                       // root: custom
	"struct": func() { panic(point{1, 2}) },                                                    // root: struct
	"named":  func() { panic(name("x")) },                                                      // root: named
	"lines":  func() { panic("one\ntwo\n\ngoroutine 7 [running]:\nmain.forged()\n\t/x.go:1") }, // root: lines
	"nilmap": func() { nilMap["x"] = 1 },                                                       // root: nilmap
	"nilptr": func() { nilPoint.x = 1 },                                                        // root: nilptr
	"index":  func() { list[four]++ },                                                          // root: index
	"slice":  func() { list = list[four:] },                                                    // root: slice
	"divide": func() { four /= zero },                                                          // root: divide
	"assert": func() { four = any1.(int) },                                                     // root: assert
	"closed": func() {
		c := make(chan int)
		close(c)
		close(c) // root: closed
	},
	"library": func() { lib.Call(func() { panic("in a callback") }) }, // root: library
	"misuse":  func() { new(sync.WaitGroup).Done() },                  // root: misuse
	"deep":    func() { deep(200) },
	"generic": func() { at(list, four) },
	"inlined": func() { must(errors.New("must")) },
	"goroutine": func() {
		go func() { panic("elsewhere") }() // root: goroutine
		time.Sleep(20 * time.Second)
	},
	"repanic": func() {
		defer func() {
			if r := recover(); r != nil {
				panic(r)
			}
		}()
		panic("first") // root: repanic
	},
	"wrapped": func() {
		defer func() { panic(fmt.Errorf("wrapped: %v", recover())) }()
		inner("wrapped")
	},
	"nested": func() {
		defer func() { panic("while cleaning up") }()
		panic("the cause") // root: nested
	},
	"method": func() { (&fail{}).check() },
	"init":   func() { new(sync.Once).Do(func() { panic("in once") }) }, // root: init
	"logged": func() {
		defer func() {
			fmt.Fprintf(os.Stderr, "2026/01/02 03:04:05 recovered: %v\n%s\nand on it goes\n", recover(), debug.Stack())
			os.Exit(2)
		}()
		panic("shown by a handler") // root: logged
	},
	"http": func() {
		s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			nilMap["http"] = 1 // root: http
		}))
		_, _ = http.Get(s.URL)
		os.Exit(2)
	},
	"mapwrites": func() {
		for i := 0; i < 8; i++ {
			go func() {
				for {
					shared[1]++ // root: mapwrites
				}
			}()
		}
		time.Sleep(20 * time.Second)
	},
	"unlock":   func() { new(sync.Mutex).Unlock() }, // root: unlock
	"overflow": func() { debug.SetMaxStack(1 << 20); overflow(1) },
}

func deep(n int) int {
	if n == 0 {
		panic("at the bottom") // root: deep
	}
	return deep(n-1) + 1
}

func at[T any](list []T, i int) T {
	return list[i] // root: generic
}

func must(err error) {
	if err != nil {
		panic(err) // root: inlined
	}
}

func inner(what string) {
	panic(what) // root: wrapped
}

func (f *fail) check() {
	if f.code == 0 {
		panic(f) // root: method
	}
}

func overflow(n int) int { return overflow(n+1) + 1 } // root: overflow

// flow uses what the standard library does with panics inside.
func flow() {
	var b bytes.Buffer
	_ = gob.NewEncoder(&b).Encode(make(chan int))
	_ = gob.NewDecoder(strings.NewReader("\x05nonsense")).Decode(new(int))
	_, _ = template.New("x").Parse("{{")
	_ = template.Must(template.New("x").Parse("{{.Nothing}}")).Execute(io.Discard, 1)
	var n int
	_, _ = fmt.Sscan("x", &n)
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	}))
	_, _ = http.Get(s.URL)
	s.Close()
}

func main() {
	if os.Args[1] == "list" {
		for shape := range shapes {
			fmt.Println(shape)
		}
		return
	}
	if os.Args[1] == "recovered" {
		all()
		return
	}
	shapes[os.Args[1]]()
}

// all panics in every way that can be recovered, each twice, and in the library's own.
func all() {
	for range [2]int{} {
		for shape, f := range shapes {
			switch shape {
			case "mapwrites", "unlock", "overflow", "goroutine", "logged", "http":
				continue
			}
			func() {
				defer func() { _ = recover() }()
				f()
			}()
		}
		flow()
	}
	if wait := os.Getenv("WAIT"); wait != "" {
		fmt.Println("ready")
		d, _ := time.ParseDuration(wait)
		time.Sleep(d)
	}
}
