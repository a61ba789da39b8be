//go:build unix

package reload_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/checks/reload"
	"github.com/goat-trace/goat/go/internal/gate/settings/settingstest"
)

// What is in memory, as programs tell it, against the file.
func TestSnapshot(t *testing.T) {
	text := "limit: 10\nServer:\n  port: 8080\n"
	sum := sha256.Sum256([]byte(text))
	for _, c := range []struct {
		name, answer, path string
		status             int
		want               gate.Verdict
		says               string
	}{
		{"hash", fmt.Sprintf("%x\n", sum), "", 200, gate.Pass, "what is in memory is what is on disk"},
		{"hash with its name", fmt.Sprintf("sha256:%X", sum), "", 200, gate.Pass, ""},
		{"base64", base64.StdEncoding.EncodeToString(sum[:]), "", 200, gate.Pass, ""},
		{"hash in JSON", fmt.Sprintf(`{"config": {"hash": "%x"}}`, sum), "config.hash", 200, gate.Pass, ""},
		{"another hash", strings.Repeat("0", 64), "", 200, gate.Fail, "what is in memory is not what is on disk"},
		{"one digit off", fmt.Sprintf("%x", append([]byte{sum[0] ^ 1}, sum[1:]...)), "", 200, gate.Fail, ""},
		{"the configuration, with defaults", `{"limit": 10, "server": {"port": 8080, "tls": false}}`, "", 200, gate.Pass, "the 2 keys of the file"},
		{"another value", `{"in": {"limit": 11, "server": {"port": 8080}}}`, "in", 200, gate.Fail, "not in memory as on disk: limit"},
		{"HTML", "<html>", "", 200, gate.Error, "neither a hash"},
		{"nothing there", `{}`, "config.hash", 200, gate.Error, "nothing stands at config.hash"},
		{"refused", "no", "", 403, gate.Error, "403"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.answer))
			}))
			defer server.Close()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "app.yaml"), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
			s, err := settingstest.Decode[reload.Settings](t, fmt.Sprintf("{file: app.yaml, snapshot: {url: %q, path: %q}}", server.URL, c.path))
			if err != nil {
				t.Fatal(err)
			}
			f := (&reload.Check{Settings: s, Dir: dir}).Look(context.Background())
			if f.Verdict() != c.want || !strings.Contains(all(f), c.says) {
				t.Errorf("want %s %q, got %s", c.want, c.says, all(f))
			}
		})
	}
	s, err := settingstest.Decode[reload.Settings](t, "{file: gone.yaml, snapshot: {url: 'http://127.0.0.1:1'}}")
	if err != nil {
		t.Fatal(err)
	}
	if f := (&reload.Check{Settings: s, Dir: t.TempDir()}).Look(context.Background()); f.Misconfigured == nil {
		t.Error(all(f))
	}
}
