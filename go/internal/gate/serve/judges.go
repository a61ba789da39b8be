package serve

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/printable"
)

// webhook is what Flagger sends, and what of it matters to POST /v1/checks.
type webhook struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	Phase     string            `json:"phase"`
	Metadata  map[string]string `json:"metadata"`
}

// ask reads the request and makes the verdict; false means that it has been answered.
func (s *Server) ask(w http.ResponseWriter, r *http.Request) (*verdict, bool) {
	var hook webhook
	if !decode(w, r, &hook) {
		return nil, false
	}
	l, err := s.looks.get(r.Context(), hook.Metadata)
	var wrong *BadThreshold
	switch {
	case errors.As(err, &wrong):
		fail(w, http.StatusBadRequest, "bad_request", err.Error(), "metadata takes thresholds of goat help check, as check.coverage.points")
		return nil, false
	case err != nil:
		line(w, http.StatusServiceUnavailable, "error: there is no verdict: "+err.Error())
		return nil, false
	}
	return l, true
}

// BadThreshold is a threshold of a request that means nothing.
type BadThreshold struct{ Err error }

func (b *BadThreshold) Error() string { return b.Err.Error() }
func (b *BadThreshold) Unwrap() error { return b.Err }

func decode(w http.ResponseWriter, r *http.Request, into any) bool {
	text, err := io.ReadAll(r.Body)
	if err == nil && len(text) > 0 {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		fail(w, http.StatusBadRequest, "bad_request", "the body is not the JSON that is expected: "+printable.Mismatch(err).Error(), `send {"metadata": {"check.coverage.points": "0.8"}}, or nothing`)
		return false
	}
	return true
}

// line is the short answer that judges put into their events.
func line(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]string{"message": message})
}

// summary is a verdict in one short line: the first reason of what decided it.
func summary(d *gate.Document) string {
	text := string(d.Verdict)
	for i := range d.Checks {
		r := &d.Checks[i]
		if r.Verdict == gate.Pass {
			continue
		}
		for j := range r.Reasons {
			if r.Reasons[j].Verdict == r.Verdict {
				return shorten(fmt.Sprintf("%s: %s: %s", text, r.Check, r.Reasons[j].Message))
			}
		}
	}
	if d.Coverage != nil {
		text += fmt.Sprintf(": %d of %d points ran", d.Coverage.Hit, d.Coverage.Points)
	}
	return text
}

func shorten(text string) string {
	runes := []rune(text)
	if len(runes) > 200 {
		return string(runes[:199]) + "…"
	}
	return text
}

// flaggerGate: Flagger takes up to 202 for yes, retries 5xx, and takes another 4xx for a
// definite no.
func (s *Server) flaggerGate(w http.ResponseWriter, r *http.Request) {
	l, ok := s.ask(w, r)
	if !ok {
		return
	}
	status := http.StatusServiceUnavailable
	switch l.document.Verdict {
	case gate.Pass:
		status = http.StatusOK
	case gate.Fail:
		status = http.StatusPreconditionFailed
	}
	line(w, status, summary(l.document))
}

// flaggerRollback: here yes means to roll back.
func (s *Server) flaggerRollback(w http.ResponseWriter, r *http.Request) {
	l, ok := s.ask(w, r)
	if !ok {
		return
	}
	status := http.StatusPreconditionFailed
	if l.document.Verdict == gate.Fail {
		status = http.StatusOK
	}
	line(w, status, summary(l.document))
}

// jobs are looks whose answers are fetched later.
type jobs struct {
	mu    sync.Mutex
	all   map[string]*job
	order []string
}

type job struct {
	done  chan struct{}
	text  []byte
	begun time.Time
}

// kept is how many jobs can be fetched, and for how long.
const (
	kept    = 1000
	keptFor = time.Hour
)

func (s *Server) startJob(w http.ResponseWriter, r *http.Request) {
	var hook webhook
	if !decode(w, r, &hook) {
		return
	}
	if err := s.check(r.Context(), hook.Metadata); err != nil {
		fail(w, http.StatusBadRequest, "bad_request", err.Error(), "metadata takes thresholds of goat help check, as check.coverage.points")
		return
	}
	raw := make([]byte, 8)
	_, _ = rand.Read(raw)
	id := hex.EncodeToString(raw)
	j := &job{done: make(chan struct{}), begun: time.Now()}
	s.jobs.add(id, j)
	go func() {
		defer close(j.done)
		var document *gate.Document
		if l, err := s.looks.get(s.life, hook.Metadata); err != nil {
			document = Failed("there is no verdict: " + err.Error())
		} else {
			document = l.document
		}
		j.text = withStatus(document, id)
	}()
	w.Header().Set("Location", address(r)+"/v1/checks/"+id)
	answer(w, http.StatusAccepted, underWay(id))
}

// address is the server as the caller knows it. Spinnaker takes a Location as it stands, so
// that it must be a whole one.
func address(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// check refuses thresholds before a job is made of them.
func (s *Server) check(ctx context.Context, thresholds map[string]string) error {
	if len(thresholds) == 0 {
		return nil
	}
	gone, cancel := context.WithCancel(ctx)
	cancel() // only the settings are looked at
	_, err := s.Judge(gone, thresholds)
	var wrong *BadThreshold
	if errors.As(err, &wrong) {
		return wrong
	}
	return nil
}

// underWay is a job without a verdict. Spinnaker ends a stage in whose answer it does not
// find the path that it watches: result stands in all of them.
func underWay(id string) map[string]any {
	return map[string]any{"format": gate.Format, "id": id, "status": "running", "result": "running"}
}

// withStatus is the verdict with the fields of a job.
func withStatus(document *gate.Document, id string) []byte {
	text, err := json.Marshal(document)
	if err != nil {
		document = Failed("the verdict cannot be written")
		text, _ = json.Marshal(document)
	}
	return append([]byte(fmt.Sprintf(`{"id":%q,"status":"done","result":%q,`, id, document.Verdict)), text[1:]...)
}

func (j *jobs) add(id string, new *job) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.all == nil {
		j.all = map[string]*job{}
	}
	for len(j.order) > 0 && (len(j.order) >= kept || time.Since(j.all[j.order[0]].begun) > keptFor) {
		delete(j.all, j.order[0])
		j.order = j.order[1:]
	}
	j.all[id] = new
	j.order = append(j.order, id)
}

func (j *jobs) get(id string) *job {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.all[id]
}

func (s *Server) showJob(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	j := s.jobs.get(id)
	if j == nil {
		fail(w, http.StatusNotFound, "not_found", "there is no check "+id, "POST /v1/checks begins one")
		return
	}
	select {
	case <-j.done:
		write(w, http.StatusOK, j.text)
	default:
		answer(w, http.StatusOK, underWay(id))
	}
}
