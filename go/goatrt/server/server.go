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

// open listens as the environment asks.
func open() (address string, loop, closer func(), err error) {
	at, err := where(getenv)
	if err != nil {
		return "", nil, nil, err
	}
	var listener net.Listener
	if at.network == "unix" {
		listener, closer, err = listenUnix(at.address)
	} else {
		listener, err = net.Listen("tcp", at.address)
	}
	if err != nil {
		return "", nil, nil, short(at, err)
	}
	address = listener.Addr().String()
	if at.network == "unix" {
		address = "unix:" + at.address
	}
	srv := newServer(newHandler(at, getenv))
	return address, func() { _ = srv.Serve(limit(listener)) }, closer, nil
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
	return errors.New(at.address + ": " + err.Error())
}

// limited is a listener that lets only so many connections be open.
type limited struct {
	net.Listener
	slots chan struct{}
}

func limit(l net.Listener) net.Listener {
	return &limited{l, make(chan struct{}, maxConnections)}
}

func (l *limited) Accept() (net.Conn, error) {
	l.slots <- struct{}{}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &slotted{Conn: conn, slots: l.slots}, nil
}

// slotted gives its slot back when it is closed.
type slotted struct {
	net.Conn
	slots chan struct{}
	once  sync.Once
}

func (c *slotted) Close() error {
	c.once.Do(func() { <-c.slots })
	return c.Conn.Close()
}
