//go:build go1.21

package server

import (
	"bufio"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	goatrt "github.com/goat-trace/goat/go/goatrt"
)

// A program may start itself again: a supervisor its child, a parent its workers. All
// of them have the address that the first one holds. Each further one takes a free
// port on the same host and tells the holder over a connection that stays open as long
// as both live; so the end of either is known at once. Nothing is ever sent on it.

const (
	siblingsPath = "/siblings"
	protocol     = "goat-sibling"
	// maxSiblings bounds what a holder lists.
	maxSiblings = 256
	// handshake is how long two processes may take to know each other. Nobody waits for
	// it, and a machine on which many start at once is slow.
	handshake = 15 * time.Second
)

// sibling is another process of the same user that was started with our address.
type sibling struct {
	address, instance, plan string
	pid                     int
}

// family is what is known of the siblings.
type family struct {
	mu      sync.Mutex
	members []*sibling
}

func (f *family) list() []*sibling {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*sibling(nil), f.members...)
}

// add takes s in, unless there are too many.
func (f *family) add(s *sibling) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.members) >= maxSiblings {
		return false
	}
	f.members = append(f.members, s)
	return true
}

func (f *family) remove(s *sibling) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.members {
		if f.members[i] == s {
			f.members = append(f.members[:i:i], f.members[i+1:]...)
			return
		}
	}
}

// myself is how this process is named to its siblings.
func myself(address string) *sibling {
	s := &sibling{address: address, pid: os.Getpid()}
	if all := goatrt.Components(); len(all) > 0 {
		id := all[0].Identity()
		s.instance, s.plan = id.Instance, id.Plan
	}
	return s
}

// Header fields of both directions.
const (
	fieldAddress  = "Goat-Address"
	fieldInstance = "Goat-Instance"
	fieldPid      = "Goat-Pid"
	fieldPlan     = "Goat-Plan"
)

// header is the part of a message that says who somebody is.
func (s *sibling) header() string {
	return "Connection: Upgrade\r\nUpgrade: " + protocol + "\r\n" +
		fieldAddress + ": " + s.address + "\r\n" + fieldInstance + ": " + s.instance + "\r\n" +
		fieldPid + ": " + strconv.Itoa(s.pid) + "\r\n" + fieldPlan + ": " + s.plan + "\r\n\r\n"
}

// readSibling reads it again; nil when it is not one.
func readSibling(h http.Header) *sibling {
	s := &sibling{address: h.Get(fieldAddress), instance: h.Get(fieldInstance), plan: h.Get(fieldPlan)}
	s.pid, _ = strconv.Atoi(h.Get(fieldPid))
	if h.Get("Upgrade") != protocol || s.address == "" || len(s.address) > 512 ||
		!isWord(s.instance) || s.plan != "" && !isWord(s.plan) || s.pid <= 0 {
		return nil
	}
	return s
}

// isWord accepts what an instance or the hash of a plan looks like.
func isWord(text string) bool {
	return text != "" && len(text) <= 64 && strings.Trim(text, "0123456789abcdefghijklmnopqrstuvwxyz") == ""
}

// siblings takes in a process that has been started with our address.
func (h *handler) siblings(w http.ResponseWriter, r *http.Request) {
	s := readSibling(r.Header)
	if s == nil {
		Fail(w, http.StatusBadRequest, "not_a_sibling", "this path is for programs that share an address", "GET /version lists them")
		return
	}
	if !h.isRelated(r, s) {
		Fail(w, http.StatusForbidden, "not_a_sibling", "the process is not known to be of this user", "give it an address of its own: GOAT_ADDR, GOAT_PORT")
		return
	}
	hijacker, ok := w.(http.Hijacker)
	if !ok || !h.family.add(s) {
		Fail(w, http.StatusServiceUnavailable, "too_many", "there are too many siblings", "give the process an address of its own: GOAT_ADDR, GOAT_PORT")
		return
	}
	defer h.family.remove(s)
	conn, _, err := hijacker.Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(handshake))
	answer := "HTTP/1.1 101 Switching Protocols\r\n" + myself(goatrt.Address()).header()
	if _, err := conn.Write([]byte(answer)); err == nil {
		untilClosed(conn)
	}
	removeStale(s.address)
}

// isRelated verifies that the process which asks, and what listens at the address that
// it gives, are of our user, as the kernel or the file system has it.
func (h *handler) isRelated(r *http.Request, s *sibling) bool {
	if path, ok := cutUnix(s.address); h.unix || ok {
		return h.unix && ok && socketIsOurs(path)
	}
	listens, err := net.ResolveTCPAddr("tcp", s.address)
	if err != nil || listens.IP == nil {
		return false
	}
	from, err := net.ResolveTCPAddr("tcp", r.RemoteAddr)
	to, isTCP := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return err == nil && isTCP && connectionIsOurs(from, to) && listenerIsOurs(listens)
}

// untilClosed waits for the other process to end. What it sends means nothing.
func untilClosed(conn net.Conn) {
	_ = conn.SetDeadline(time.Time{})
	var nothing [64]byte
	for {
		if _, err := conn.Read(nothing[:]); err != nil {
			return
		}
	}
}

// cutUnix is the path of a Unix socket's address.
func cutUnix(address string) (path string, ok bool) {
	path = strings.TrimPrefix(address, "unix:")
	return path, path != address
}

// introduce tells the holder of an address about us and returns who it is, and the
// connection to be kept.
func introduce(at endpoint, me *sibling) (*sibling, net.Conn, error) {
	conn, err := net.DialTimeout(at.network, at.dialled(), handshake)
	if err != nil {
		return nil, nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(handshake))
	holder, err := exchange(conn, me)
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	return holder, conn, nil
}

func exchange(conn net.Conn, me *sibling) (*sibling, error) {
	request := "GET " + siblingsPath + " HTTP/1.1\r\nHost: localhost\r\n" + me.header()
	if _, err := conn.Write([]byte(request)); err != nil {
		return nil, err
	}
	answer := textproto.NewReader(bufio.NewReader(conn))
	status, err := answer.ReadLine()
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(status, "HTTP/1.1 101 ") {
		return nil, errNotGoat
	}
	header, err := answer.ReadMIMEHeader()
	if err != nil {
		return nil, err
	}
	if holder := readSibling(http.Header(header)); holder != nil {
		return holder, nil
	}
	return nil, errNotGoat
}
