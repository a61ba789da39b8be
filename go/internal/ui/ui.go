// Package ui serves the evidence page live, for the person who started it: the page of
// render/html, and a stream of what changes in the report.
package ui

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/goat-trace/goat/go/internal/page"
	"github.com/goat-trace/goat/go/internal/report"
)

const (
	// streams bounds the pages that are open at once.
	streams = 64
	// heartbeat keeps a quiet stream open, and finds a page that is gone.
	heartbeat = 15 * time.Second
	// leave is how long open requests may take when the server ends.
	leave = 500 * time.Millisecond
)

// Draw makes the page of a report.
type Draw func(context.Context, *report.Document) (*page.Page, error)

// Server serves one report.
type Server struct {
	listener net.Listener
	guard    *guard
	hub      *hub
	draw     Draw
	slots    chan struct{}
}

// Listen opens the port. Nothing is served before Run.
func Listen(ctx context.Context, address string, draw Draw) (*Server, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return &Server{listener: listener, guard: newGuard(host, port), hub: newHub(), draw: draw, slots: make(chan struct{}, streams)}, nil
}

// Close gives the port back without serving.
func (s *Server) Close() error { return s.listener.Close() }

// Loopback reports whether only this machine can reach the server.
func (s *Server) Loopback() bool {
	address, ok := s.listener.Addr().(*net.TCPAddr)
	return ok && address.IP.IsLoopback()
}

// URL is the address to open, with the token of this run.
func (s *Server) URL() string {
	host, port, err := net.SplitHostPort(s.listener.Addr().String())
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return fmt.Sprintf("http://%s/?token=%s", net.JoinHostPort(host, port), s.guard.token)
}

// Show makes a document the one that is shown; open pages take in what changed.
func (s *Server) Show(d *report.Document) error { return s.hub.put(d) }

// Run serves until the context ends; it closes the port. Open pages are told.
func (s *Server) Run(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", s.page)
	mux.HandleFunc("/events", s.events)
	server := &http.Server{
		Handler: s.guard.wrap(mux), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(s.listener) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	s.hub.end()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), leave)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		return server.Close()
	}
	return nil
}

func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	d, revision := s.hub.now()
	if d == nil {
		refuse(w, http.StatusServiceUnavailable, "the sources have not been read yet: load the page again")
		return
	}
	p, err := s.draw(r.Context(), d)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	p.Events = "/events?since=" + revision
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = p.Write(w) // the reader is gone
}

// events streams what changes: server-sent events, so that a page needs no more than an
// address, and finds back by itself.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		refuse(w, http.StatusServiceUnavailable, "too many open pages")
		return
	}
	known := r.URL.Query().Get("since")
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		known = last
	}
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	if send(w, out, "retry: 1000\n\n") != nil {
		return
	}
	for {
		e, more, err := s.hub.next(known)
		if err != nil {
			return
		}
		if e != nil {
			if send(w, out, "event: %s\nid: %s\ndata: %s\n\n", e.kind, e.id, orEmpty(e.data)) != nil || e.kind != "update" {
				return
			}
			known = e.id
			continue
		}
		select {
		case <-more:
		case <-time.After(heartbeat):
			if send(w, out, ": still here\n\n") != nil {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}

func send(w http.ResponseWriter, out *http.ResponseController, format string, values ...any) error {
	if err := out.SetWriteDeadline(time.Now().Add(heartbeat)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, format, values...); err != nil {
		return err
	}
	return out.Flush()
}

func orEmpty(data []byte) []byte {
	if len(data) == 0 {
		return []byte("{}")
	}
	return data
}
