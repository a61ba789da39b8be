//go:build go1.21

package server

import (
	"net"
	"net/http"
	"sync"
)

// limited is a listener that lets only so many connections be open. Who comes is let
// in: a connection that waits gives way, or else the one that has been served longest,
// so that nobody can keep a probe out by holding connections.
type limited struct {
	net.Listener
	mu   sync.Mutex
	open []*slotted // oldest first
}

func limit(l net.Listener) *limited { return &limited{Listener: l} }

func (l *limited) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	entered := &slotted{Conn: conn, home: l}
	l.mu.Lock()
	var gone *slotted
	if len(l.open) >= maxConnections {
		gone = l.leastNeeded()
		l.remove(gone)
	}
	l.open = append(l.open, entered)
	l.mu.Unlock()
	if gone != nil {
		_ = gone.Conn.Close()
	}
	return entered, nil
}

// leastNeeded is the oldest connection that is not being answered, else the oldest.
func (l *limited) leastNeeded() *slotted {
	for _, c := range l.open {
		if !c.active {
			return c
		}
	}
	return l.open[0]
}

func (l *limited) remove(c *slotted) {
	for i := range l.open {
		if l.open[i] == c {
			l.open = append(l.open[:i:i], l.open[i+1:]...)
			return
		}
	}
}

// slotted is a connection with a place among the limited.
type slotted struct {
	net.Conn
	home   *limited
	active bool // a request has begun and is not answered; home.mu guards it
}

func (c *slotted) Close() error {
	c.leave()
	return c.Conn.Close()
}

// leave gives the place up.
func (c *slotted) leave() {
	c.home.mu.Lock()
	c.home.remove(c)
	c.home.mu.Unlock()
}

// noteState is the server's ConnState. What was hijacked is bounded by its own list.
func noteState(conn net.Conn, state http.ConnState) {
	c, ok := conn.(*slotted)
	if !ok {
		return
	}
	if state == http.StateHijacked {
		c.leave()
		return
	}
	c.home.mu.Lock()
	c.active = state == http.StateActive
	c.home.mu.Unlock()
}
