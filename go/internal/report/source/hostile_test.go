package source_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/goat-trace/goat/go/internal/report"
)

// oneError reads a source of which nothing can be believed.
func oneError(t *testing.T, url string) string {
	t.Helper()
	r := request(t, url)
	r.Timeout = 5 * time.Minute // the answers end by their size, on the slowest machine
	d := makeReport(t, r)
	if d.Outcome() != report.Nothing || len(d.Instances) != 1 {
		t.Fatalf("outcome %d, %+v", d.Outcome(), d.Instances)
	}
	return *d.Instances[0].Error
}

// serving answers /version well and /track with what is written.
func serving(t *testing.T, track func(http.ResponseWriter)) string {
	good := &process{plan: "p", instance: "1", started: early}
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/track" {
			track(w)
			return
		}
		good.ServeHTTP(w, r)
	}))
}

// repeat writes text until the reader hangs up.
func repeat(w io.Writer, text string) {
	block := strings.Repeat(text, 1+(64<<10)/len(text))
	for n := 0; n < 1<<30; n += len(block) {
		if _, err := io.WriteString(w, block); err != nil {
			return
		}
	}
}

// What a source answers cannot make the reader hold much more than it sent.
func TestHostileAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		track func(http.ResponseWriter)
		want  string
	}{
		"compressed": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, `{"results":[{"metrics":{"items":[`)
			_, _ = io.WriteString(z, strings.Repeat("{},", 1<<20))
			_ = z.Close()
		}, `the answer is compressed ("gzip"), which was not asked for`},
		"empty items": {func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"results":[{"metrics":{"items":[`)
			repeat(w, "{},")
		}, "something answers there, but not an instrumented program"},
		"endless items": {func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"results":[{"metrics":{"items":[`)
			repeat(w, `{"point":"x"},`)
		}, "the answer is too large"},
		"endless components": {func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"results":[`)
			repeat(w, `{},`)
		}, "the answer is too large"},
		"wrong types": {func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"results":{"a":1}}`) }, "something answers there, but not an instrumented program"},
		"wrong item": {func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"results":[{"metrics":{"items":[{"point":7}]}}]}`)
		}, "something answers there, but not an instrumented program"},
		"cut": {func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"results":[{"metrics":{"items":[`) }, "something answers there, but not an instrumented program"},
	} {
		t.Run(name, func(t *testing.T) {
			url := serving(t, c.track)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if got := oneError(t, url); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			runtime.ReadMemStats(&after)
			if held := int64(after.HeapSys) - int64(before.HeapSys); held > 1<<30 {
				t.Errorf("the heap grew by %d MB", held>>20)
			}
		})
	}
}

func TestEndlessVersion(t *testing.T) {
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { repeat(w, " ") }))
	if got := oneError(t, url); got != "the answer is too large" {
		t.Error(got)
	}
}

// A redirect leads to another process, which is not what was asked, and the token is
// not for it.
func TestRedirectsAreNotFollowed(t *testing.T) {
	var asked []string
	other := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = append(asked, r.Header.Get("Authorization")) }))
	r := request(t, serve(t, http.RedirectHandler(other+"/version", http.StatusTemporaryRedirect)))
	r.Token = "s3cret"
	d := makeReport(t, r)
	if want := fmt.Sprintf("a redirect to %q, which is not followed: name the program's own address", other+"/version"); *d.Instances[0].Error != want || len(asked) != 0 {
		t.Errorf("%s; asked %q", *d.Instances[0].Error, asked)
	}
}

// The token goes through no proxy to this machine, whatever name it is called by.
func TestNoProxyToThisMachine(t *testing.T) {
	name, err := os.Hostname()
	if err != nil || !loopbackOnly(name) {
		name = "localhost"
	}
	asked := 0
	proxy := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	t.Setenv("HTTP_PROXY", proxy) // net/http reads it once; no other test of this package has a proxy
	url := serve(t, &process{plan: "p", instance: "1", started: early, items: []string{item("x", 1, "traffic", 1)}})
	d := makeReport(t, request(t, strings.Replace(url, "127.0.0.1", name, 1)))
	if d.Outcome() != report.Complete || asked != 0 {
		t.Errorf("outcome %d, the proxy was asked %d times: %+v", d.Outcome(), asked, d.Instances)
	}
}
