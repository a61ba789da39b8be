package ui

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"github.com/goat-trace/goat/go/internal/page"
	"github.com/goat-trace/goat/go/internal/report"
)

func document(hit bool) *report.Document {
	d := &report.Document{Format: 1, Points: make([]report.Point, 2)}
	d.Points[0].ID, d.Points[1].ID, d.Points[1].Hit = "a", "b", hit
	return d
}

// start serves a document and returns its server and a client with the cookie.
func start(t *testing.T) (*Server, *http.Client, string, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s, err := Listen(ctx, "127.0.0.1:0", func(_ context.Context, d *report.Document) (*page.Page, error) {
		text, err := json.Marshal(d)
		return &page.Page{Title: "the page", Report: text}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Show(document(false)); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("ended with %v", err)
		}
	})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	base, _, _ := strings.Cut(s.URL(), "?")
	return s, &http.Client{Jar: jar}, base, cancel
}

func get(t *testing.T, client *http.Client, url string, header map[string]string) *http.Response {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range header {
		if key == "Host" {
			r.Host = value
		} else {
			r.Header.Set(key, value)
		}
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer
}

func TestOnlyItsOwnPageIsAnswered(t *testing.T) {
	s, client, base, _ := start(t)
	port := strings.TrimSuffix(base[strings.LastIndex(base, ":")+1:], "/")
	if got := get(t, client, base, nil).StatusCode; got != 403 {
		t.Errorf("without the token: %d", got)
	}
	if got := get(t, client, base+"?token=guessed", nil).StatusCode; got != 403 {
		t.Errorf("with another token: %d", got)
	}
	answer := get(t, client, s.URL(), nil)
	if answer.StatusCode != 200 || answer.Request.URL.RawQuery != "" {
		t.Fatalf("with the token: %s at %s", answer.Status, answer.Request.URL)
	}
	for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"} {
		if answer.Header.Get(name) != "" {
			t.Errorf("%s is sent", name)
		}
	}
	if policy := answer.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("the policy is %q", policy)
	}
	for _, c := range []struct {
		header map[string]string
		want   int
	}{
		{nil, 200},
		{map[string]string{"Host": "localhost:" + port}, 200},
		{map[string]string{"Host": "LOCALHOST:" + port}, 200},
		{map[string]string{"Host": "evil.example:" + port}, 421},
		{map[string]string{"Host": "127.0.0.1.evil.example:" + port}, 421},
		{map[string]string{"Host": "127.0.0.2:" + port}, 421},
		{map[string]string{"Host": "127.0.0.1:1"}, 421},
		{map[string]string{"Host": "127.0.0.1"}, 421},
		{map[string]string{"Origin": "http://127.0.0.1:" + port}, 200},
		{map[string]string{"Origin": "https://127.0.0.1:" + port}, 403},
		{map[string]string{"Origin": "http://evil.example"}, 403},
		{map[string]string{"Origin": "null"}, 403},
		{map[string]string{"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, 200},
		{map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}, 403},
		{map[string]string{"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, 403},
		{map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200},
	} {
		header := map[string]string{"Cookie": s.guard.cookie + "=" + s.guard.token}
		for key, value := range c.header {
			header[key] = value
		}
		if got := get(t, http.DefaultClient, base, header).StatusCode; got != c.want {
			t.Errorf("%v: %d, want %d", c.header, got, c.want)
		}
	}
	for _, path := range []string{"etc/passwd", "../go.mod", "debug/pprof/"} {
		if got := get(t, client, base+path, nil).StatusCode; got != 404 {
			t.Errorf("/%s: %d", path, got)
		}
	}
	post, err := client.Post(base, "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	post.Body.Close()
	if post.StatusCode != 405 {
		t.Errorf("POST: %d", post.StatusCode)
	}
}

// next reads one event of a stream.
func next(t *testing.T, lines *bufio.Scanner) (kind, data string) {
	t.Helper()
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "event":
			kind = value
		case "data":
			return kind, value
		}
	}
	t.Fatalf("the stream ends: %v", lines.Err())
	return "", ""
}

func TestWhatChangedIsSent(t *testing.T) {
	s, client, base, cancel := start(t)
	get(t, client, s.URL(), nil)
	stream := bufio.NewScanner(get(t, client, base+"events?since=1.1", nil).Body)
	if err := s.Show(document(true)); err != nil {
		t.Fatal(err)
	}
	kind, data := next(t, stream)
	var update struct {
		Points  []report.Point
		Summary *report.Summary
	}
	if err := json.Unmarshal([]byte(data), &update); err != nil {
		t.Fatal(err)
	}
	if kind != "update" || len(update.Points) != 1 || update.Points[0].ID != "b" || !update.Points[0].Hit || update.Summary == nil {
		t.Errorf("%s %s", kind, data)
	}
	// Who was away gets what was missed; who is at another plan loads again.
	if kind, data := next(t, bufio.NewScanner(get(t, client, base+"events", map[string]string{"Last-Event-ID": "1.1"}).Body)); kind != "update" || !strings.Contains(data, `"id":"b"`) {
		t.Errorf("%s %s", kind, data)
	}
	for _, since := range []string{"", "0.1", "1.99", "x"} {
		if kind, _ := next(t, bufio.NewScanner(get(t, client, base+"events?since="+since, nil).Body)); kind != "reload" {
			t.Errorf("since %q: %s", since, kind)
		}
	}
	other := document(true)
	other.Points = other.Points[:1]
	if err := s.Show(other); err != nil {
		t.Fatal(err)
	}
	if kind, _ := next(t, stream); kind != "reload" {
		t.Errorf("other points: %s", kind)
	}
	last := bufio.NewScanner(get(t, client, base+"events?since=2.3", nil).Body)
	began := time.Now()
	cancel()
	if kind, _ := next(t, last); kind != "end" {
		t.Errorf("at the end: %s", kind)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("the end took %v", took)
	}
}

func TestOtherAddresses(t *testing.T) {
	if _, err := Listen(context.Background(), "127.0.0.1", nil); err == nil {
		t.Error("an address without a port is taken")
	}
	s, err := Listen(context.Background(), "0.0.0.0:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Loopback() || !strings.HasPrefix(s.URL(), "http://127.0.0.1:") {
		t.Errorf("%v %s", s.Loopback(), s.URL())
	}
}
