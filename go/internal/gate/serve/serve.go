// Package serve answers judges over HTTP: Argo Rollouts, Flagger, Spinnaker, and whoever
// polls. Each answer is JSON, error pages included, because a judge may take what is not
// for a yes. Many who ask at once cost one look.
package serve

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/goat-trace/goat/go/internal/gate"
)

// Judge makes a verdict, with thresholds other than the configured ones. An error is a
// question that is wrong, or the end of the context.
type Judge func(ctx context.Context, thresholds map[string]string) (*gate.Document, error)

// Options say how to serve.
type Options struct {
	Judge Judge
	// Token is wanted as a bearer token of all but /healthz; "" wants none.
	Token string
	// Fresh is how long a verdict answers further questions.
	Fresh time.Duration
}

// Server is the gate's HTTP server.
type Server struct {
	Options
	looks  looks
	jobs   jobs
	counts counts
	life   context.Context
}

// New makes a server whose looks end with the context.
func New(ctx context.Context, o Options) *Server {
	s := &Server{Options: o, life: ctx}
	s.looks.judge, s.looks.fresh, s.looks.life = o.Judge, o.Fresh, ctx
	return s
}

// maxBody bounds what a request may send.
const maxBody = 64 << 10

// Handler answers all paths.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /healthz":              s.health,
		"GET /metrics":              s.metrics,
		"GET /v1/verdict":           s.verdict,
		"POST /v1/flagger/gate":     s.flaggerGate,
		"POST /v1/flagger/rollback": s.flaggerRollback,
		"POST /v1/checks":           s.startJob,
		"GET /v1/checks/{id}":       s.showJob,
	} {
		mux.HandleFunc(pattern, handle)
	}
	return s.count(mux, s.guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The mux would redirect what is not clean, with a page that is no JSON.
		if _, pattern := mux.Handler(r); pattern == "" || path.Clean(r.URL.Path) != r.URL.Path {
			unknown(mux, w, r)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		mux.ServeHTTP(w, r)
	})))
}

// guard wants the token, and keeps browsers from guessing what an answer is.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if s.Token != "" && r.URL.Path != "/healthz" && (!bearer || subtle.ConstantTimeCompare([]byte(given), []byte(s.Token)) != 1) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			fail(w, http.StatusUnauthorized, "unauthorized", "this server wants a token", "send the header Authorization: Bearer TOKEN")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// paths are those that there are, for who asks for another.
const paths = "GET /v1/verdict, POST /v1/flagger/gate, POST /v1/flagger/rollback, POST /v1/checks, GET /v1/checks/ID, GET /healthz, GET /metrics"

// unknown is what the mux does not know: a path, or the method of one.
func unknown(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if path.Clean(r.URL.Path) != r.URL.Path {
			break
		}
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "" {
			w.Header().Set("Allow", method)
			fail(w, http.StatusMethodNotAllowed, "method_not_allowed", r.Method+" is not possible here", "use "+method)
			return
		}
	}
	fail(w, http.StatusNotFound, "not_found", "there is no "+r.URL.Path, "the paths are "+paths)
}

func fail(w http.ResponseWriter, status int, code, message, hint string) {
	answer(w, status, map[string]any{"error": map[string]string{"code": code, "message": message, "hint": hint}})
}

func answer(w http.ResponseWriter, status int, document any) {
	text, err := json.Marshal(document)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"error":{"code":"internal","message":"the answer cannot be written","hint":""}}`)
	}
	write(w, status, text)
}

func write(w http.ResponseWriter, status int, text []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

func (s *Server) verdict(w http.ResponseWriter, r *http.Request) {
	l, err := s.looks.get(r.Context(), nil)
	if err != nil {
		s.undecided(w, err)
		return
	}
	write(w, http.StatusOK, l.text)
}

// undecided is the answer without a verdict: who asked went away, or the server stops.
func (s *Server) undecided(w http.ResponseWriter, err error) {
	message := "there is no verdict: " + err.Error()
	if s.life.Err() != nil {
		message = "there is no verdict: the server stops"
	}
	d := Failed(message)
	text, _ := json.Marshal(d)
	write(w, http.StatusOK, text)
}

// Failed is the verdict that nobody could make.
func Failed(message string) *gate.Document {
	return &gate.Document{
		Format: gate.Format, Verdict: gate.Error, Inconclusive: gate.Keep, GeneratedAt: time.Now().UTC(),
		Checks: []gate.Result{{Check: "gate", Name: "gate", Verdict: gate.Error, Reasons: []gate.Reason{{Verdict: gate.Error, Message: message}}}},
	}
}

// Serve serves until the context ends; requests under way get a moment to end.
func (s *Server) Serve(listener net.Listener) error {
	server := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 10 * time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, BaseContext: func(net.Listener) context.Context { return s.life },
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-s.life.Done():
	}
	moment, cancel := context.WithTimeout(context.Background(), 900*time.Millisecond)
	defer cancel()
	if server.Shutdown(moment) != nil {
		_ = server.Close()
	}
	<-ended
	return nil
}

// looks makes verdicts, one at a time for the same question, and keeps each for a moment.
type looks struct {
	judge Judge
	fresh time.Duration
	life  context.Context

	mu    sync.Mutex
	known map[string]*flight
	last  *verdict
}

// verdict is a document with its JSON.
type verdict struct {
	document *gate.Document
	text     []byte
	at       time.Time
}

// flight is a look that is under way, or its result.
type flight struct {
	done chan struct{}
	*verdict
	err error
}

// most is how many different questions are kept.
const most = 64

// get is the verdict on a question: a fresh one that is known, or that of the one look
// that all wait for who ask now. The look is not the asker's: that one goes away does not
// end it for the others.
func (l *looks) get(ctx context.Context, thresholds map[string]string) (*verdict, error) {
	key := fmt.Sprint(thresholds) // sorted by key
	l.mu.Lock()
	f := l.known[key]
	if f == nil || f.stale(l.fresh) {
		f = &flight{done: make(chan struct{})}
		l.forget()
		if l.known == nil {
			l.known = map[string]*flight{}
		}
		l.known[key] = f
		go l.fly(f, key, thresholds)
	}
	l.mu.Unlock()
	select {
	case <-f.done:
		return f.verdict, f.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (f *flight) stale(fresh time.Duration) bool {
	select {
	case <-f.done:
		return f.err != nil || time.Since(f.at) >= fresh
	default:
		return false
	}
}

// forget makes room; the mutex is held.
func (l *looks) forget() {
	for key, f := range l.known {
		if len(l.known) >= most || f.stale(l.fresh) {
			delete(l.known, key)
		}
	}
}

func (l *looks) fly(f *flight, key string, thresholds map[string]string) {
	document, err := l.judge(l.life, thresholds)
	if err == nil {
		f.verdict = &verdict{document: document, at: time.Now()}
		f.text, err = json.Marshal(document)
	}
	f.err = err
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil && len(thresholds) == 0 {
		l.last = f.verdict
	}
	if err != nil && l.known[key] == f {
		delete(l.known, key)
	}
	close(f.done)
}

// newest is the newest verdict on the configured question; nil before the first.
func (l *looks) newest() *verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}
