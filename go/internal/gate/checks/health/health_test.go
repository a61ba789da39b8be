package health_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/checks/health"
	"github.com/goat-trace/goat/go/internal/gate/settings/settingstest"
)

func TestHealth(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ok":
			w.Header().Set("X-Tag", r.Header.Get("X-Gray"))
			fmt.Fprintf(w, `{"status": "up", "tag": %q, "db": {"status": "up", "open": 7}, "parts": [{"ok": true}, {"ok": true}]}`, r.Header.Get("X-Gray"))
		case "/half":
			fmt.Fprint(w, `{"parts": [{"ok": true}, {"ok": false}]}`)
		case "/html":
			fmt.Fprint(w, `<html>`)
		case "/slow":
			time.Sleep(20 * time.Millisecond)
		case "/token":
			if r.Header.Get("Authorization") != "Bearer abc" {
				w.WriteHeader(http.StatusUnauthorized)
			}
		case "/away":
			http.Redirect(w, r, "/ok", http.StatusFound)
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	for _, c := range []struct {
		settings string
		want     gate.Verdict
		says     string
	}{
		{"{url: S/ok}", gate.Pass, "status is 200"},
		{"{url: S/down}", gate.Fail, "status is 503"},
		{"{url: S/down, expect: {status: 503}}", gate.Pass, "status is 503"},
		{"{url: S/away}", gate.Fail, "status is 302 to /ok, which is not followed"},
		{"{url: S/ok, expect: {json: {status: up, db.status: up, 'db.open': '<8'}}}", gate.Pass, `db.open is 7`},
		{"{url: S/ok, expect: {json: {'db.open': '<7'}}}", gate.Fail, `db.open is 7, expected "<7"`},
		{"{url: S/ok, expect: {json: {cache: up}}}", gate.Fail, `cache is missing, expected "up"`},
		{"{url: S/ok, expect: {json: {'parts[*].ok': true}}}", gate.Pass, "parts[*].ok is"},
		{"{url: S/half, expect: {json: {'parts[*].ok': true}}}", gate.Fail, `parts[*].ok is "false"`},
		{"{url: S/html, expect: {json: {status: up}}}", gate.Fail, "status of a body that is no JSON"},
		{"{url: S/ok, header: X-Gray, value: v2, echo: {header: X-Tag}}", gate.Pass, `header X-Tag repeats the tag "v2"`},
		{"{url: S/ok, header: X-Gray, value: v2, echo: {json: tag}}", gate.Pass, "tag repeats"},
		{"{url: S/ok, header: X-Other, value: v2, echo: {json: tag}}", gate.Fail, `tag is "", not the tag "v2"`},
		{"{url: S/slow, latency: 10s}", gate.Pass, "median time of 5 answers"},
		{"{url: S/slow, latency: 1ms}", gate.Fail, "median time"},
		{"{url: S/token, headers: {Authorization: Bearer abc}}", gate.Pass, "200"},
		{"{url: S/token}", gate.Fail, "401"},
		{"{url: 'http://127.0.0.1:1'}", gate.Error, "connection refused"},
	} {
		s, err := settingstest.Decode[health.Settings](t, strings.ReplaceAll(c.settings, "S/", server.URL+"/"))
		if err != nil {
			t.Fatal(c.settings, err)
		}
		f := (&health.Check{Settings: s}).Look(context.Background())
		if text := fmt.Sprint(f.Reasons); f.Verdict() != c.want || !strings.Contains(text, c.says) {
			t.Errorf("%s: %s, want %s with %q: %s", c.settings, f.Verdict(), c.want, c.says, text)
		}
	}
}

func TestImpossibleSettings(t *testing.T) {
	for settings, says := range map[string]string{
		"{}":                                     "url is missing",
		"{url: 'ftp://h'}":                       "is not a URL",
		"{url: 'http://h', echo: {json: a}}":     "no value that could be echoed",
		"{url: 'http://h', latency: x}":          "must be a duration",
		"{url: 'http://h', expect: {status: 7}}": "7 is too little: at least 100",
	} {
		if _, err := settingstest.Decode[health.Settings](t, settings); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", settings, err, says)
		}
	}
}
