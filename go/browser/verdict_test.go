package browser_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// hostile is a name that would run as a script, end the element it stands in, or turn the
// line around, if it were not a text.
const hostile = `"><img src=x onerror="window.hit=1"></details><script>window.hit=1</script> {{.}} $x`

// verdict is `goat check --format json`.
type verdict struct {
	Verdict string
	Checks  []struct {
		Check, Name, Verdict string
		Reasons              []struct{ Verdict, Message, Query string }
	}
}

// checked asks goat for a verdict, and for the page of the same look.
func (s *session) checked(t *testing.T, settings string) (d verdict, page string) {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "goat.yaml")
	page = filepath.Join(dir, "verdict.html")
	if err := os.WriteFile(config, []byte(settings), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(s.goat, "--config", config, "check", "--retry", "0", "--format", "json", "--output", "html="+page)
	cmd.Dir, cmd.Env, cmd.Stderr = s.repo, environment(), os.Stderr
	text, err := cmd.Output()
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return d, page
}

// The page's verdict is that of the JSON, check by check and reason by reason; it can be
// opened by keys, and names from elsewhere stay texts.
func TestVerdict(t *testing.T) {
	s := theSession(t)
	odd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer, _ := json.Marshal(map[string]string{"status": hostile, "tag": "\u202e" + hostile})
		_, _ = w.Write(answer)
	}))
	defer odd.Close()
	name, _ := json.Marshal(hostile)
	d, file := s.checked(t, fmt.Sprintf(`check:
  coverage: {sources: [%q], points: 1}
  health:
    - {name: well, url: %q}
    - {name: %s, url: %q, expect: {json: {status: UP}}, echo: {json: tag}, header: X-Gray, value: v2}
  metrics: {canary: %q, stable: "http://127.0.0.1:1/"}
`, s.track, s.serving+"/orders", name, odd.URL, odd.URL))
	if d.Verdict != "error" || len(d.Checks) != 4 {
		t.Fatalf("%+v", d)
	}
	b := open(t, fileURL(file))
	if got := eval[string](b, `document.getElementById('verdict').dataset.verdict`); got != d.Verdict {
		t.Errorf("the page says %q, the verdict is %q", got, d.Verdict)
	}
	if got := eval[string](b, `document.querySelector('#verdict .verdict-sum').textContent`); !strings.HasPrefix(got, d.Verdict+": ") {
		t.Errorf("the sum is %q", got)
	}
	type check struct {
		Name, State string
		Open        bool
		Reasons     []struct{ State, Text, Query string }
	}
	shown := eval[[]check](b, `[...document.querySelectorAll('#verdict > details')].map((e) => ({
		Name: e.querySelector('summary > b').textContent, State: e.dataset.verdict, Open: e.open,
		Reasons: [...e.querySelectorAll('li')].map((r) => ({State: r.dataset.verdict, Text: r.querySelector('bdi').textContent, Query: (r.querySelector('code') || {textContent: ''}).textContent}))}))`)
	if len(shown) != len(d.Checks) {
		t.Fatalf("%d checks on the page, %d in the verdict: %+v", len(shown), len(d.Checks), shown)
	}
	for i, c := range d.Checks {
		on := shown[i]
		if !strings.Contains(on.Name, c.Name) || on.State != c.Verdict || on.Open != (c.Verdict != "pass") || len(on.Reasons) != len(c.Reasons) {
			t.Errorf("%s: the page has %+v, the verdict %+v", c.Name, on, c)
			continue
		}
		for j, r := range c.Reasons {
			if on.Reasons[j].State != r.Verdict || !strings.Contains(on.Reasons[j].Text, printed(r.Message)) || on.Reasons[j].Query != printed(r.Query) {
				t.Errorf("%s: the page says %+v, the verdict %+v", c.Name, on.Reasons[j], r)
			}
		}
	}
	if hit := eval[string](b, `String(window.hit) + document.querySelectorAll('#verdict img, #verdict script').length`); hit != "undefined0" {
		t.Errorf("a name from elsewhere is no text: %s", hit)
	}
	// The evidence that was judged is below.
	if rows := eval[int](b, `document.querySelectorAll('p[data-file]').length`); rows < 30 {
		t.Errorf("%d lines below the verdict", rows)
	}
	b.byKeys()
	other := open(t, fileURL(file)+"#lang=zh")
	if got := eval[string](other, `document.getElementById('verdict-title').textContent`); got != "结论" {
		t.Errorf("in Chinese the heading is %q", got)
	}
}

// printed is a text as every output of goat shows it.
func printed(text string) string { return strings.ReplaceAll(text, "\u202e", `\u202e`) }

// byKeys goes through the checks by Tab, closes one and opens it again.
func (b *tab) byKeys() {
	b.t.Helper()
	here := `document.activeElement.closest('#verdict > details') ? [...document.querySelectorAll('#verdict > details')].indexOf(document.activeElement.parentElement) : -1`
	b.run(chromedp.Evaluate(`document.querySelector('#verdict summary').focus()`, nil))
	for want := range 4 {
		if got := eval[int](b, here); got != want {
			b.t.Fatalf("Tab leads to check %d, not %d", got, want)
		}
		is := `document.activeElement.parentElement.open`
		before := eval[bool](b, is)
		b.press(kb.Enter)
		if eval[bool](b, is) == before {
			b.t.Errorf("Enter does nothing for check %d", want)
		}
		b.press(" ")
		if eval[bool](b, is) != before {
			b.t.Errorf("Space does nothing for check %d", want)
		}
		b.press(kb.Tab)
	}
	if got := eval[int](b, here); got != -1 {
		b.t.Errorf("Tab does not leave the verdict: check %d", got)
	}
}
