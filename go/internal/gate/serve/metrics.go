package serve

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/goat-trace/goat/go/internal/gate"
)

// counts are requests by path and status.
type counts struct {
	mu  sync.Mutex
	all map[[2]string]int
}

// count counts what next answers; paths that there are not count as one.
func (s *Server) count(mux *http.ServeMux, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &recorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		_, pattern := mux.Handler(r)
		_, path, _ := strings.Cut(pattern, " ")
		if path == "" {
			path = "other"
		}
		s.counts.mu.Lock()
		defer s.counts.mu.Unlock()
		if s.counts.all == nil {
			s.counts.all = map[[2]string]int{}
		}
		s.counts.all[[2]string{path, strconv.Itoa(seen.status)}]++
	})
}

type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// code is how a verdict is written as a number.
func code(v gate.Verdict) int {
	return slices.Index([]gate.Verdict{gate.Pass, gate.Fail, gate.Inconclusive, gate.Error}, v)
}

// metrics shows the newest verdict; only the first scrape before any makes one.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	l := s.looks.newest()
	if l == nil {
		l, _ = s.looks.get(r.Context(), nil)
	}
	var b strings.Builder
	if l != nil {
		writeVerdict(&b, l)
	}
	b.WriteString("# HELP goat_check_requests_total Requests answered.\n# TYPE goat_check_requests_total counter\n")
	s.counts.mu.Lock()
	var lines []string
	for key, n := range s.counts.all {
		lines = append(lines, fmt.Sprintf("goat_check_requests_total{path=%q,status=%q} %d\n", key[0], key[1], n))
	}
	s.counts.mu.Unlock()
	slices.Sort(lines)
	b.WriteString(strings.Join(lines, ""))
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write([]byte(b.String()))
}

func writeVerdict(b *strings.Builder, l *verdict) {
	d := l.document
	b.WriteString("# HELP goat_check_verdict Verdict of a check: 0 pass, 1 fail, 2 inconclusive, 3 error.\n# TYPE goat_check_verdict gauge\n")
	for i := range d.Checks {
		fmt.Fprintf(b, "goat_check_verdict{check=%s} %d\n", label(&d.Checks[i]), code(d.Checks[i].Verdict))
	}
	b.WriteString("# HELP goat_check_duration_seconds How long the check took.\n# TYPE goat_check_duration_seconds gauge\n")
	for i := range d.Checks {
		fmt.Fprintf(b, "goat_check_duration_seconds{check=%s} %g\n", label(&d.Checks[i]), float64(d.Checks[i].DurationMS)/1000)
	}
	fmt.Fprintf(b, "# HELP goat_check_overall_verdict The whole: 0 pass, 1 fail, 2 inconclusive, 3 error.\n# TYPE goat_check_overall_verdict gauge\ngoat_check_overall_verdict %d\n", code(d.Verdict))
	fmt.Fprintf(b, "# HELP goat_check_timestamp_seconds When the checks looked last.\n# TYPE goat_check_timestamp_seconds gauge\ngoat_check_timestamp_seconds %d\n", l.at.Unix())
}

// label is a check's name as a label's value.
func label(r *gate.Result) string {
	name := r.Check
	if r.Name != "" && r.Name != r.Check {
		name += " " + r.Name
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(name) + `"`
}
