package main

import (
	"runtime"
	"strings"
)

// goroutines counts those that have a frame of the runtime under test.
func goroutines() int {
	buf := make([]byte, 1<<20)
	stacks := string(buf[:runtime.Stack(buf, true)])
	n := 0
	for _, one := range strings.Split(stacks, "\n\n") {
		if strings.Contains(one, "example.com/app/goat") {
			n++
		}
	}
	return n
}
