//go:build go1.21

package server

import (
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	goatrt "github.com/goat-trace/goat/go/goatrt"
)

// handler answers all requests. Nothing but the family changes.
type handler struct {
	token        string
	current      string // GOAT_CURRENT_COMPONENT
	pointMetrics bool
	unix         bool
	loopback     bool   // listens on a loopback address only
	host         string // the host part of where it listens
	busy         chan struct{}
	family       family
}

// maxBusy bounds how many answers are being made at once.
const maxBusy = 4

func newHandler(at endpoint, getenv func(string) string) *handler {
	h := &handler{
		token:        getenv("GOAT_TOKEN"),
		current:      getenv("GOAT_CURRENT_COMPONENT"),
		pointMetrics: isOn(getenv("GOAT_POINT_METRICS")),
		unix:         at.network == "unix",
		busy:         make(chan struct{}, maxBusy),
	}
	if !h.unix {
		h.host, _, _ = net.SplitHostPort(at.address)
	}
	return h
}

func isOn(value string) bool { return value != "" && value != "0" && value != "false" }

// route is one path: how it may be asked, who answers, and whether the answer
// is so light that it need not wait for others: a probe must not fail because
// somebody reads slowly.
type route struct {
	method string
	answer func(*handler, http.ResponseWriter, *http.Request)
	light  bool
}

var routes = map[string]route{
	"/track":          {http.MethodGet, (*handler).track, false},
	"/metrics":        {http.MethodGet, (*handler).metrics, false},
	"/metrics/points": {http.MethodGet, (*handler).metricsPoints, false},
	"/healthz":        {http.MethodGet, (*handler).healthz, true},
	"/version":        {http.MethodGet, (*handler).version, true},
	"/coverprofile":   {http.MethodGet, (*handler).coverprofile, false},
	"/ready":          {http.MethodPost, (*handler).ready, true},
	"/reset":          {http.MethodPost, (*handler).reset, false},
	siblingsPath:      {http.MethodGet, (*handler).siblings, true},
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if recover() != nil {
			// The connection is dropped: an answer cut short must not look whole.
			panic(http.ErrAbortHandler)
		}
	}()
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if s := section.Load(); s != nil && strings.HasPrefix(r.URL.Path, s.Prefix) && s.Answer(w, r, h.hasToken(r)) {
		return
	}
	to, known := routeOf(r.URL.Path)
	if !known {
		Fail(w, http.StatusNotFound, "not_found", "no such path: "+r.URL.Path,
			"try /track, /metrics, /metrics/points, /version, /healthz or /coverprofile")
		return
	}
	if r.Method != to.method && !(to.method == http.MethodGet && r.Method == http.MethodHead) {
		allow := to.method
		if allow == http.MethodGet {
			allow = "GET, HEAD"
		}
		header.Set("Allow", allow)
		Fail(w, http.StatusMethodNotAllowed, "method_not_allowed", r.Method+" "+r.URL.Path, "allowed: "+allow)
		return
	}
	if !h.admit(w, r, to.method) {
		return
	}
	if !to.light && !h.enter(w) {
		return
	}
	if !to.light {
		defer func() { <-h.busy }()
	}
	to.answer(h, w, r)
}

// A Section answers what lies below a path, in a package that is linked in on request
// only. trusted says that the request has the token. It reports false where nothing is to
// be seen of it.
type Section struct {
	Prefix string
	Answer func(w http.ResponseWriter, r *http.Request, trusted bool) bool
}

var section atomic.Pointer[Section]

// Handle adds the section.
func Handle(s *Section) { section.Store(s) }

// routeOf finds a path among ours and those of what else is linked in.
func routeOf(path string) (route, bool) {
	if to, known := routes[path]; known {
		return to, true
	}
	for _, e := range goatrt.Extensions() {
		if e.Path == path {
			answer := e.Answer
			return route{http.MethodGet, func(_ *handler, w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json; charset=utf-8")
				_, _ = w.Write(answer())
			}, false}, true
		}
	}
	return route{}, false
}

// enter waits a moment for one of the few places for heavy answers.
func (h *handler) enter(w http.ResponseWriter) bool {
	select {
	case h.busy <- struct{}{}:
		return true
	default:
	}
	patience := time.NewTimer(5 * time.Second)
	defer patience.Stop()
	select {
	case h.busy <- struct{}{}:
		return true
	case <-patience.C:
		w.Header().Set("Retry-After", "5")
		Fail(w, http.StatusServiceUnavailable, "busy", "too many requests at once", "try again in some seconds")
		return false
	}
}

// healthz says that the process answers.
func (h *handler) healthz(w http.ResponseWriter, _ *http.Request) {
	plain(w, "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

// ready ends the startup phase.
func (h *handler) ready(w http.ResponseWriter, _ *http.Request) {
	goatrt.Ready()
	j := begin(w, http.StatusOK)
	j.open('{').key("phase").str(goatrt.Phase()).close('}').flush()
}

// reset forgets all hits.
func (h *handler) reset(w http.ResponseWriter, _ *http.Request) {
	goatrt.Reset()
	j := begin(w, http.StatusOK)
	j.open('{').key("reset").boolean(true).close('}').flush()
}

// plain starts an answer that is not JSON.
func plain(w http.ResponseWriter, contentType string) {
	w.Header().Set("Content-Type", contentType)
}

// Fail answers with goat's error object.
func Fail(w http.ResponseWriter, status int, code, message, hint string) {
	j := begin(w, status)
	j.open('{').key("error").open('{')
	j.key("code").str(code).key("message").str(message).key("hint").str(hint)
	j.close('}').close('}').flush()
}

// selection is a list of components chosen by ids or names.
func selection(all []*goatrt.Component, wanted string) (chosen []*goatrt.Component, unknown string) {
	seen := map[*goatrt.Component]bool{}
	for _, name := range strings.Split(wanted, ",") {
		c := named(all, strings.TrimSpace(name))
		if c == nil {
			return nil, name
		}
		if !seen[c] {
			seen[c] = true
			chosen = append(chosen, c)
		}
	}
	return chosen, ""
}
