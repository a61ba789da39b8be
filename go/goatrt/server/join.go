//go:build go1.21

package server

import (
	"errors"
	"net"
	"os"
	"strconv"
	"time"

	goatrt "github.com/goat-trace/goat/go/goatrt"
)

var errNotGoat = errors.New("held by something else")

const (
	// again is how often a process looks who holds the address that it was given.
	again = time.Second
	// tries is how often the holder is asked before it is taken for somebody else.
	tries = 5
	// vacancy is how long the address may be free before one that lives takes it: a
	// program that is just being restarted comes first.
	vacancy = 3 * time.Second
)

// member is a process beside the holder of its address.
type member struct {
	at     endpoint // the address that it was started with
	me     *sibling
	holder *sibling
	conn   net.Conn
	family *family
	serve  func(*opened)
}

// join opens a free port on the host of an address that is taken, if its holder is a
// goat runtime of the same user, and tells it.
func join(at endpoint, h *handler) (*opened, *member, error) {
	if !at.holderIsOurs() {
		return nil, nil, errNotGoat
	}
	m := &member{at: at, family: &h.family}
	free, err := listen(at.beside(myself("").instance))
	if err != nil {
		return nil, nil, err
	}
	m.me = myself(free.address)
	for try, begun := 1, time.Now(); ; try++ {
		m.holder, m.conn, err = introduce(at, m.me)
		if err == nil || err == errNotGoat || try == tries || time.Since(begun) > handshake {
			break
		}
		// Many may start at once, and not all can be answered; they come back apart.
		time.Sleep(time.Duration(try)*again/4 + time.Duration(m.me.pid%16)*again/32)
	}
	if err != nil {
		_ = free.Close()
		free.undo()
		return nil, nil, err
	}
	h.family.add(m.holder)
	return free, m, nil
}

// note is what the one line says of the holder.
func (m *member) note() string {
	pid := strconv.Itoa(m.holder.pid)
	return " beside " + m.at.String() + ", which process " + pid + " of yours holds: goat report of either reads both"
}

// stay keeps the connection to whoever holds the address, and takes the address where
// nobody does.
func (m *member) stay() {
	defer func() { _ = recover() }()
	for {
		untilClosed(m.conn)
		_ = m.conn.Close()
		m.family.remove(m.holder)
		if m.succeed() {
			return
		}
	}
}

// succeed looks for the next holder, and reports whether that is this process.
func (m *member) succeed() bool {
	lost, wait := time.Now(), again
	for {
		time.Sleep(wait)
		if m.at.holderIsOurs() {
			if holder, conn, err := introduce(m.at, m.me); err == nil {
				m.holder, m.conn = holder, conn
				m.family.add(holder)
				return false
			}
		}
		if time.Since(lost) < vacancy {
			continue
		}
		if m.take() {
			return true
		}
		wait = min(2*wait, 10*again)
	}
}

// take opens the address itself, if nobody has it.
func (m *member) take() bool {
	address, err := listen(m.at)
	if err != nil {
		return false
	}
	goatrt.SetAddress(address.address)
	m.serve(address)
	return true
}

// holderIsOurs tells whether this user's processes, and nobody else's, hold the address.
func (at endpoint) holderIsOurs() bool {
	if at.network == "unix" {
		return socketIsOurs(at.address)
	}
	address, err := net.ResolveTCPAddr("tcp", at.dialled())
	return err == nil && listenerIsOurs(address)
}

// dialled is where the holder of the address is asked.
func (at endpoint) dialled() string {
	if at.network == "unix" {
		return at.address
	}
	host, port, err := net.SplitHostPort(at.address)
	if err != nil {
		return at.address
	}
	switch ip := net.ParseIP(host); {
	case host == "" || ip != nil && ip.IsUnspecified() && ip.To4() != nil:
		host = defaultHost
	case ip != nil && ip.IsUnspecified():
		host = "::1"
	}
	return net.JoinHostPort(host, port)
}

// beside is a free place next to the address.
func (at endpoint) beside(instance string) endpoint {
	if at.network == "unix" {
		return endpoint{"unix", at.address + "." + instance[:min(8, len(instance))]}
	}
	host, _, _ := net.SplitHostPort(at.address)
	return endpoint{"tcp", net.JoinHostPort(host, "0")}
}

func (at endpoint) String() string {
	if at.network == "unix" {
		return "unix:" + at.address
	}
	return at.address
}

// removeStale removes the socket that a killed sibling has left.
func removeStale(address string) {
	path, ok := cutUnix(address)
	if !ok || !socketIsOurs(path) {
		return
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		_ = conn.Close()
	} else if refused(err) {
		_ = os.Remove(path)
	}
}
