//go:build go1.21

// Package goatrt is the part of goat that runs inside a user's program. It
// learns from a table which code points the binary holds, notices which of
// them run, and keeps that evidence in a spool file and for the HTTP server of
// package server.
//
// It lives in other people's processes and behaves like a guest: it never
// exits, panics, handles a signal or takes a lock that the program's own code
// can hold, and writes at most one line to standard error.
package goatrt

import (
	"os"
	"sync"
	"sync/atomic"
)

// Entry is one element of the table that goat makes at link time: the first
// one is the binary's identity, each further one an instrumented package.
type Entry = struct {
	Pkg  string
	Acc  func() (*uint32, int, *func(*uint32))
	Meta string
}

// Served is a server that is open.
type Served struct {
	Address string // where it listens
	Note    string // what else to say of it; may be empty
	Loop    func() // serves, and ends only with the listener
	Close   func() // what to undo when the program ends; may be nil
}

// A ServeFunc opens the HTTP server.
type ServeFunc func() (Served, error)

// Start begins tracking without an HTTP server; exit, which may be nil,
// registers a function to be run when the program ends. It reports whether
// anything is tracked: with an empty table, GOAT_OFF, or nowhere to put the
// evidence it does nothing at all.
func Start(table []Entry, exit func(func())) bool {
	return StartServing(table, exit, nil)
}

// StartServing is Start for binaries that have the server linked in.
func StartServing(table []Entry, exit func(func()), serve ServeFunc) (tracking bool) {
	defer survive()
	if len(table) == 0 || isSet(env("GOAT_OFF")) || privileged() {
		return false
	}
	booting.Lock()
	defer booting.Unlock()
	c := booted(table)
	if c == nil {
		if c = newComponent(table); c == nil {
			return false
		}
		if c.identity.Mode != "exe" || env("GOAT_ADDR") == "off" {
			serve = nil
		}
		dir := env("GOAT_SPOOL")
		// A plugin may be seen through its host.
		alone := len(current().components) == 0
		if serve == nil && (dir == "" || c.pointless()) && alone {
			return false
		}
		boot(c, exit, dir)
	} else if c.identity.Mode != "exe" || env("GOAT_ADDR") == "off" {
		serve = nil
	}
	start(c, serve)
	return true
}

// Early is what instrumented packages call at an exact point before Start: the object
// that goat makes at link points their hooks here. So what runs while packages
// initialise is on record before Start, which is the last of it, and stays there if the
// program ends before. It needs no initialisation of this package's own.
func Early(table []Entry, exit func(func()), counter *uint32) {
	defer survive()
	bootEarly(table, exit)
	hit(counter)
}

// bootEarly makes the component of a table if there is a spool: the server has to
// wait for Start. Until package os is initialised nothing can be done.
func bootEarly(table []Entry, exit func(func())) {
	if os.Stdin == nil && os.Stdout == nil && os.Stderr == nil {
		return
	}
	booting.Lock()
	defer booting.Unlock()
	dir := env("GOAT_SPOOL")
	if dir == "" || len(table) == 0 || booted(table) != nil || isSet(env("GOAT_OFF")) || privileged() {
		return
	}
	if c := newComponent(table); c != nil && !c.pointless() {
		boot(c, exit, dir)
	}
}

// booting is held while components are made; only Start, Early and their callees take it.
var booting sync.Mutex

// booted finds the component that was made from a table.
func booted(table []Entry) *Component {
	for _, c := range current().components {
		if c.table == &table[0] {
			return c
		}
	}
	return nil
}

// pointless tells a test binary in which there is nothing to record.
func (c *Component) pointless() bool {
	return c.identity.Mode == "test" && c.total == 0 && len(c.Degraded()) == 0
}

// boot gets c ready to record, in the phase init.
func boot(c *Component, exit func(func()), dir string) {
	// A C program ends without Go.
	c.prompt = exit == nil || c.identity.Mode == "c-shared" || c.identity.Mode == "c-archive"
	register(c)
	if dir != "" {
		c.openSpool(dir)
	}
	c.hook()
	if exit != nil {
		exit(c.finish)
	}
}

// start puts c to work when packages are initialised. Nothing in it waits for the
// network.
func start(c *Component, serve ServeFunc) {
	if c.id == 0 {
		endInit(c.identity.Mode)
	} else {
		c.join()
	}
	switch {
	case c.id == 0 && c.identity.Mode == "exe":
		go background(c, serve, c.trouble)
		return
	case c.id == 0 && c.identity.Mode == "plugin" && c.spool.Load() != nil && c.needsScan():
		// What a plugin shares with its host has the host's form of points.
		go attend(c)
	}
	if c.trouble != "" {
		say("goat: no spool: " + c.trouble)
	}
}

// join has a plugin take up the phase that its host is in.
func (c *Component) join() {
	scanning.Lock()
	defer scanning.Unlock()
	now := wallMicros()
	c.sweep(phaseInit, now)
	if s := c.spool.Load(); s != nil {
		s.markPhase(phaseNow(), now)
	}
}

// registry is what the hooks search: immutable once published.
type registry struct {
	components []*Component
	spans      []span
}

var published atomic.Value

// current returns the registry; it is empty before the first Start.
func current() *registry {
	if r, ok := published.Load().(*registry); ok {
		return r
	}
	return &registry{}
}

// register publishes c beside the components that are there already: a plugin
// shares this package with its host.
func register(c *Component) {
	old := current()
	c.id = len(old.components)
	next := &registry{components: append(append([]*Component{}, old.components...), c)}
	next.spans = sortedSpans(append(append([]span{}, old.spans...), c.spans()...))
	published.Store(next)
}

// survive keeps a fault of ours from becoming the program's.
func survive() { _ = recover() }
