//go:build go1.21

// Package server answers HTTP requests about what goatrt has recorded. It is
// linked only into programs that link net/http anyway.
package server

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	goatrt "github.com/goat-trace/goat/go/goatrt"
)

const (
	defaultHost = "127.0.0.1"
	defaultPort = "57005" // 0xDEAD

	maxConnections = 32
	maxHeaderBytes = 16 << 10
)

// Start begins tracking and opens the server in the background. Arguments and
// result are those of goatrt.Start.
func Start(table []goatrt.Entry, exit func(func())) bool {
	return goatrt.StartServing(table, exit, open)
}

// open listens as the environment asks, or beside a process of ours that already does.
func open() (goatrt.Served, error) {
	at, err := where(getenv)
	if err != nil {
		return goatrt.Served{}, err
	}
	h := newHandler(at, getenv)
	first, err := listen(at)
	var m *member
	if taken(err) {
		var unknown error
		if first, m, unknown = join(at, h); unknown == nil {
			err = nil
		}
	}
	if err != nil {
		return goatrt.Served{}, short(at, err)
	}
	h.loopback = first.isLoopback()
	srv, all := newServer(h), &undoing{}
	all.add(first.undo)
	served := goatrt.Served{Address: first.address, Loop: first.serve(srv), Close: all.run}
	if m != nil {
		served.Note = m.note()
		m.serve = func(next *opened) {
			all.add(next.undo)
			go next.serve(srv)()
		}
		go m.stay()
	}
	return served, nil
}

// opened is a listener, where it listens, and what to undo when the program ends.
type opened struct {
	net.Listener
	address string
	undo    func()
}

func listen(at endpoint) (*opened, error) {
	if at.network == "unix" {
		listener, undo, err := listenUnix(at.address)
		return &opened{listener, at.String(), undo}, err
	}
	listener, err := net.Listen("tcp", at.address)
	if err != nil {
		return nil, err
	}
	return &opened{listener, listener.Addr().String(), func() {}}, nil
}

func (o *opened) isLoopback() bool {
	at, ok := o.Addr().(*net.TCPAddr)
	return ok && at.IP.IsLoopback()
}

// serve is the loop that answers.
func (o *opened) serve(srv *http.Server) func() {
	return func() {
		defer func() { _ = recover() }()
		_ = srv.Serve(limit(o.Listener))
	}
}

// undoing is what is done when the program ends; it waits for nobody.
type undoing struct {
	mu   sync.Mutex
	todo []func()
}

func (u *undoing) add(f func()) {
	u.mu.Lock()
	u.todo = append(u.todo, f)
	u.mu.Unlock()
}

func (u *undoing) run() {
	if !u.mu.TryLock() {
		return
	}
	todo := u.todo
	u.todo = nil
	u.mu.Unlock()
	for _, f := range todo {
		f()
	}
}

// newServer bounds what one client can hold.
func newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnState:         noteState,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
}

// endpoint is where to listen.
type endpoint struct{ network, address string }

// where reads GOAT_ADDR, else GOAT_METRICS_IP and GOAT_PORT.
func where(getenv func(string) string) (endpoint, error) {
	address := getenv("GOAT_ADDR")
	if path := strings.TrimPrefix(address, "unix:"); path != address {
		return endpoint{"unix", path}, nil
	}
	variable := "GOAT_ADDR"
	if address == "" {
		host, port := getenv("GOAT_METRICS_IP"), getenv("GOAT_PORT")
		if host == "" {
			host = defaultHost
		}
		if port == "" {
			port = defaultPort
		}
		variable, address = "GOAT_PORT", net.JoinHostPort(strings.Trim(host, "[]"), port)
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return endpoint{}, errors.New(variable + ": " + strconv.Quote(address) + " is not host:port, unix:/path or off")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return endpoint{}, errors.New(variable + ": " + strconv.Quote(port) + " is not a port")
	}
	return endpoint{"tcp", address}, nil
}

func getenv(name string) string {
	value, _ := syscall.Getenv(name)
	return value
}

// short says which address failed and why, without the layers of package net.
func short(at endpoint, err error) error {
	var call *os.SyscallError
	if errors.As(err, &call) {
		err = call.Err
	}
	why := at.address + ": " + err.Error()
	if taken(err) {
		remedy := "GOAT_PORT=0 takes a free port"
		if at.network == "unix" {
			remedy = "GOAT_ADDR=unix:PATH takes another"
		}
		why += " (" + remedy + "; with GOAT_SPOOL=DIR, goat report DIR needs none)"
	}
	return errors.New(why)
}
