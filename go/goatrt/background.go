//go:build go1.21

package goatrt

import (
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// settle is how long a program must have run before it opens a port and says so:
	// what is over sooner is a command, and nobody would have asked it.
	settle = 300 * time.Millisecond
)

var (
	listening atomic.Value // string: the server's address
	beside    atomic.Value // string: what else there is to say of it
	serving   atomic.Value // string: why there is none

	closing sync.Mutex
	closers []func()
)

// background is the one goroutine of an executable: it opens the server, has it
// said, and then looks for store points until the program ends.
func background(c *Component, serve ServeFunc, trouble string) {
	defer survive()
	served := serve != nil && openWatching(c, serve)
	if line := c.report(serve != nil, trouble); line != "" {
		say(line)
	}
	s := c.spool.Load()
	if !served && s == nil {
		return
	}
	if s != nil {
		c.prune(s, pruneAlways)
	}
	if c.needsScan() {
		watch(c, never)
	} else if c.window > 0 {
		startPulse(c)
	}
}

// openWatching opens the server when the program has run for a while, and looks for
// store points meanwhile: another process may take its time to answer.
func openWatching(c *Component, serve ServeFunc) (served bool) {
	begun := time.Now()
	watch(c, func() bool { return time.Since(begun) >= settle })
	opened := make(chan bool, 1)
	go func() { opened <- openServer(serve) }()
	watch(c, func() bool {
		select {
		case served = <-opened:
			return true
		default:
			return false
		}
	})
	return served
}

func never() bool { return false }

// attend is the goroutine of a plugin: its host has the server of the two.
func attend(c *Component) {
	defer survive()
	watch(c, never)
}

// needsScan tells whether something changes without the hook being told.
func (c *Component) needsScan() bool {
	for _, p := range c.packages {
		if len(p.silent) > 0 {
			return true
		}
	}
	return c.counts != nil
}

// openServer starts the server and reports whether it runs.
func openServer(serve ServeFunc) bool {
	defer survive()
	server, err := guarded(serve)
	if err != nil {
		serving.Store(err.Error())
		return false
	}
	beside.Store(server.Note)
	SetAddress(server.Address)
	if server.Close != nil {
		closing.Lock()
		closers = append(closers, server.Close)
		closing.Unlock()
	}
	go func() {
		defer survive()
		server.Loop()
	}()
	return true
}

// guarded turns a panic of serve into an error.
func guarded(serve ServeFunc) (server Served, err error) {
	defer func() {
		if recover() != nil {
			err = errServer
		}
	}()
	return serve()
}

// runClosers undoes at exit what openServer did; it waits for nobody.
func runClosers() {
	if !closing.TryLock() {
		return
	}
	todo := closers
	closers = nil
	closing.Unlock()
	for _, closer := range todo {
		closer()
	}
}

// report is the one line an executable writes: where it listens or why it does
// not. A spool that works needs no word.
func (c *Component) report(wanted bool, trouble string) string {
	var parts string
	add := func(text string) {
		if parts != "" {
			parts += "; "
		}
		parts += text
	}
	if address := Address(); address != "" {
		note, _ := beside.Load().(string)
		add("listening on " + address + note)
	} else if why, _ := serving.Load().(string); wanted {
		add("not listening: " + why)
	}
	if trouble != "" {
		add("no spool: " + trouble)
	}
	if parts == "" {
		return ""
	}
	return "goat: " + parts + " (" + c.summary() + ")"
}

// summary counts what is tracked.
func (c *Component) summary() string {
	text := strconv.Itoa(c.total) + " point"
	if c.total != 1 {
		text += "s"
	}
	if n := len(c.Degraded()); n > 0 {
		text += ", " + strconv.Itoa(n) + " degraded"
	}
	return text
}

// Address is where the server listens, "" when it does not.
func Address() string {
	address, _ := listening.Load().(string)
	return address
}

// SetAddress says where the server listens, here and in the spool.
func SetAddress(address string) {
	listening.Store(address)
	for _, c := range current().components {
		if s := c.spool.Load(); s != nil {
			s.setAddress(address)
		}
	}
}
