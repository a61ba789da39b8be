//go:build go1.21

// Package pprof serves profiles of a program to who has its token: it is linked only into
// programs that are built with --pprof, and answers only where GOAT_PPROF and GOAT_TOKEN
// are set. What leaves the process tells nothing of its command line, its labels, or where
// files lie. Nothing is registered with net/http's own server.
package pprof

import (
	"context"
	"net/http"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	goatrt "github.com/goat-trace/goat/go/goatrt"
	"github.com/goat-trace/goat/go/goatrt/server"
)

// Prefix is what all paths begin with.
const Prefix = "/debug/pprof/"

// kinds are the profiles, by the last element of their path.
var kinds = []string{"profile", "heap", "allocs", "goroutine", "mutex", "block", "goroutineleak"}

// Install has the server answer, when the program's packages are initialised. tracking is
// false where goat keeps out of the process altogether.
func Install(tracking bool) {
	defer func() { _ = recover() }()
	on := getenv("GOAT_PPROF")
	if !tracking || !goatrt.IsExecutable() || !isTrue(on) {
		return
	}
	if getenv("GOAT_TOKEN") == "" {
		say("not served: GOAT_PPROF needs a GOAT_TOKEN")
		return
	}
	s := &service{desk: newDesk(), rules: newRules(getenv)}
	server.Handle(&server.Section{Prefix: Prefix, Answer: s.answer})
}

// newRules reads what may leave the process.
func newRules(getenv func(string) string) func() *rules {
	keys := map[string]bool{}
	for _, key := range strings.Split(getenv("GOAT_PPROF_LABELS"), ",") {
		if key = strings.TrimSpace(key); key != "" {
			keys[key] = true
		}
	}
	hashed := getenv("GOAT_PPROF_KEY")
	app, component := "", ""
	for _, c := range goatrt.Tracked() {
		app, component = c.Identity().App, c.Identity().Component
		break
	}
	modules := linkedModules()
	return func() *rules {
		// Names remember; that is for one answer only.
		return &rules{names: NewNames(hashed, component, modules), app: app, keys: keys}
	}
}

// linkedModules are the modules in the program.
func linkedModules() []string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	modules := []string{info.Main.Path}
	for _, m := range info.Deps {
		modules = append(modules, m.Path)
	}
	return modules
}

// service answers requests.
type service struct {
	desk  *desk
	rules func() *rules
	// unsaid counts lines about requests that could not be written, refused is when one
	// without the token was last told of.
	unsaid  atomic.Int64
	refused atomic.Int64
}

// answer reports whether there is anything at all below Prefix.
func (s *service) answer(w http.ResponseWriter, r *http.Request, trusted bool) bool {
	name := strings.TrimPrefix(r.URL.Path, Prefix)
	shut := s.desk.isShut()
	if shut && name != "on" {
		return false
	}
	if !trusted {
		s.refuse(w, r, name)
		return true
	}
	method := http.MethodGet
	if name == "on" || name == "off" {
		method = http.MethodPost
	}
	if r.Method != method {
		w.Header().Set("Allow", method)
		server.Fail(w, http.StatusMethodNotAllowed, "method_not_allowed", r.Method+" "+r.URL.Path, "allowed: "+method)
		return true
	}
	switch {
	case name == "on" || name == "off":
		s.desk.set(name == "off")
		s.audit(r, name, http.StatusOK, "")
		s.index(w)
	case name == "":
		s.index(w)
	case isKind(name):
		s.profile(w, r, name)
	default:
		server.Fail(w, http.StatusNotFound, "no_such_profile", "no such profile: "+name, "there are "+strings.Join(kinds, ", "))
	}
	return true
}

func isKind(name string) bool {
	for _, kind := range kinds {
		if kind == name {
			return true
		}
	}
	return false
}

// refuse is for who has no token. Of many such requests in a second one is told of.
func (s *service) refuse(w http.ResponseWriter, r *http.Request, name string) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="goat"`)
	server.Fail(w, http.StatusUnauthorized, "token_needed", "profiles need the token, from this machine too",
		"send Authorization: Bearer TOKEN")
	now := time.Now().Unix()
	if last := s.refused.Load(); last != now && s.refused.CompareAndSwap(last, now) {
		if !isKind(name) && name != "on" && name != "off" {
			name = "index"
		}
		s.audit(r, name, http.StatusUnauthorized, "")
	}
}

// profile answers with a profile.
func (s *service) profile(w http.ResponseWriter, r *http.Request, kind string) {
	begun := time.Now()
	q, a := asked(kind, r.URL.Query().Get)
	if a == nil {
		// The server's limits are for answers that are made at once.
		limit := begun.Add(patience + time.Duration(q.seconds+waitSeconds)*time.Second + time.Minute)
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(limit)
		_ = control.SetWriteDeadline(limit)
		a = s.desk.serve(r.Context(), q, byWhom(r), func(ctx context.Context, q *request) *answer {
			if q.seconds > 0 {
				// Should it do harm, this is what is left to read.
				s.say(r, kind, "begun, "+strconv.Itoa(q.seconds)+"s")
			}
			return s.rules().collect(ctx, q)
		})
	}
	took := " in " + strconv.FormatFloat(time.Since(begun).Seconds(), 'f', 1, 64) + "s"
	switch {
	case a == nil:
		s.audit(r, kind, 0, took)
		panic(http.ErrAbortHandler)
	case a.status != http.StatusOK:
		if a.retry > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(a.retry))
		}
		server.Fail(w, a.status, a.code, a.message, a.hint)
		s.audit(r, kind, a.status, took)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "application/octet-stream")
	header.Set("Content-Disposition", `attachment; filename="`+kind+`.pb.gz"`)
	if a.text {
		header.Set("Content-Type", "text/plain; charset=utf-8")
		header.Set("Content-Disposition", "inline")
	}
	header.Set("Content-Length", strconv.Itoa(len(a.body)))
	_, _ = w.Write(a.body)
	s.audit(r, kind, a.status, ", "+strconv.Itoa(len(a.body))+" bytes"+took)
}

// index says what there is, and what goes on.
func (s *service) index(w http.ResponseWriter) {
	now, waiting := s.desk.state()
	b := []byte(`{"format":1,"on":`)
	b = strconv.AppendBool(b, !s.desk.isShut())
	b = append(b, `,"profiles":[`...)
	comma := ""
	for _, kind := range kinds {
		if kind != "profile" && pprof.Lookup(kind) == nil {
			continue
		}
		b = goatrt.Quote(append(b, comma...), kind)
		comma = ","
	}
	b = append(b, `],"running":`...)
	if now.kind == "" {
		b = append(b, "null"...)
	} else {
		b = goatrt.Quote(append(b, `{"profile":`...), now.kind)
		b = goatrt.Quote(append(b, `,"for":`...), now.who)
		b = goatrt.Quote(append(b, `,"since":`...), goatrt.RFC3339(now.since.UnixMicro()))
		b = goatrt.Quote(append(b, `,"until":`...), goatrt.RFC3339(now.until.UnixMicro()))
		b = append(b, '}')
	}
	b = strconv.AppendInt(append(b, `,"waiting":`...), int64(waiting), 10)
	b = strconv.AppendInt(append(b, `,"unsaid":`...), s.unsaid.Load(), 10)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(append(b, "}\n"...))
}

// audit tells on standard error who has asked for what, when, and with which success;
// status 0 is for who has gone.
func (s *service) audit(r *http.Request, what string, status int, more string) {
	result := strconv.Itoa(status)
	if status == 0 {
		result = "gone"
	}
	s.say(r, what, result+more)
}

func (s *service) say(r *http.Request, what, more string) {
	if !say(goatrt.RFC3339(goatrt.Now()) + " " + what + " for " + byWhom(r) + ": " + more) {
		s.unsaid.Add(1)
	}
}

func byWhom(r *http.Request) string {
	if r.RemoteAddr == "" || r.RemoteAddr == "@" {
		return "the Unix socket"
	}
	return r.RemoteAddr
}

func say(text string) bool { return goatrt.Remark("goat: pprof: " + text) }

func getenv(name string) string {
	value, _ := syscall.Getenv(name)
	return value
}
