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
	if len(table) == 0 || isSet(env("GOAT_OFF")) {
		return false
	}
	c := newComponent(table)
	if c == nil {
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
	start(c, exit, serve, dir)
	return true
}

// pointless tells a test binary in which there is nothing to record.
func (c *Component) pointless() bool {
	return c.identity.Mode == "test" && c.total == 0 && len(c.Degraded()) == 0
}

// start puts c to work. Nothing in it waits for the network.
func start(c *Component, exit func(func()), serve ServeFunc, dir string) {
	first := register(c)
	var trouble string
	if dir != "" {
		trouble = c.openSpool(dir)
	}
	c.hook()
	c.scan(phaseInit, c.started)
	if first {
		beginStartup(c.started, c.identity.Mode == "exe")
	}
	if exit != nil {
		exit(c.finish)
	}
	if first && c.identity.Mode == "exe" {
		go background(c, serve, trouble)
		return
	}
	if first && c.identity.Mode == "plugin" && c.spool.Load() != nil && c.needsScan() {
		// What a plugin shares with its host has the host's form of points.
		go attend()
	}
	if trouble != "" {
		say("goat: no spool: " + trouble)
	}
}

// registry is what the hooks search: immutable once published.
type registry struct {
	components []*Component
	spans      []span
}

var (
	registering sync.Mutex // only Start and its callees take it
	published   atomic.Value
)

// current returns the registry; it is empty before the first Start.
func current() *registry {
	if r, ok := published.Load().(*registry); ok {
		return r
	}
	return &registry{}
}

// register publishes c beside the components that are there already (a plugin
// shares this package with its host) and reports whether it is the first.
func register(c *Component) bool {
	registering.Lock()
	defer registering.Unlock()
	old := current()
	c.id = len(old.components)
	next := &registry{components: append(append([]*Component{}, old.components...), c)}
	next.spans = sortedSpans(append(append([]span{}, old.spans...), c.spans()...))
	published.Store(next)
	return c.id == 0
}

// survive keeps a fault of ours from becoming the program's.
func survive() { _ = recover() }
