package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/goat-trace/goat/go/browser"
)

// patience is how long a test waits for what must come.
const patience = 60 * time.Second

// tab is a page in the browser and what it must not do.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	requests []string
}

// open starts a browser with the network off and opens an address in it.
func open(t *testing.T, address string, actions ...chromedp.Action) *tab {
	t.Helper()
	return openTo(t, address, "html[data-drawn]", actions...)
}

// openTo waits for an element that shows that the page is there.
func openTo(t *testing.T, address, sign string, actions ...chromedp.Action) *tab {
	t.Helper()
	if browser.Find() == "" {
		if os.Getenv("GOAT_CHROMIUM_OPTIONAL") != "" {
			t.Skip("no Chromium here")
		}
		t.Fatal("no Chromium here: scripts/tools --install, or set GOAT_CHROMIUM")
	}
	b := &tab{t: t}
	ctx, cancel := browser.Start(context.Background(), 1280, 900, func(text string) { t.Errorf("the page complains: %s", text) })
	t.Cleanup(cancel)
	ctx, end := context.WithTimeout(ctx, 3*patience)
	t.Cleanup(end)
	b.ctx = ctx
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			b.mu.Lock()
			b.requests = append(b.requests, e.Request.URL)
			b.mu.Unlock()
		case *page.EventJavascriptDialogOpening:
			t.Errorf("a dialog opened: %s", e.Message)
		}
	})
	b.run(network.Enable())
	b.run(actions...)
	b.run(chromedp.Navigate(address), chromedp.WaitReady(sign, chromedp.ByQuery))
	return b
}

func (b *tab) run(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// eval is the value of a script.
func eval[T any](b *tab, script string) T {
	b.t.Helper()
	var value T
	b.run(chromedp.Evaluate(script, &value, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	return value
}

// until waits for a script to be true.
func (b *tab) until(script string) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, chromedp.Poll(script, nil, chromedp.WithPollingTimeout(patience))); err != nil {
		b.t.Fatalf("%s: %v; status %q", script, err, eval[string](b, `document.getElementById('found').textContent`))
	}
}

func (b *tab) press(keys ...string) {
	b.t.Helper()
	for _, k := range keys {
		b.run(chromedp.KeyEvent(k))
	}
}

func fileURL(path string) string { return "file://" + filepath.ToSlash(path) }

// shownStates are the states of the rows that can be seen.
const shownStates = `[...new Set([...document.querySelectorAll('p[data-file]')].filter((e) => !e.hidden && !e.closest('[hidden]') && !e.classList.contains('dim')).map((e) => e.dataset.state))].sort().join()`

// The file opens without a server and without a network, asks for nothing, and its rows
// say of each line what the JSON report says.
func TestOneFileAgreesWithTheReport(t *testing.T) {
	s := theSession(t)
	b := open(t, fileURL(s.page), network.EmulateNetworkConditions(true, 0, 0, 0))
	type row struct {
		File                string
		Line, After, Whole  int
		State, Reason, Text string
	}
	rows := eval[[]row](b, `[...document.querySelectorAll('[data-state]')].map((e) => ({
		File: e.dataset.file, Line: +e.dataset.line || 0, After: e.dataset.deletedAfter === undefined ? -1 : +e.dataset.deletedAfter,
		Whole: +e.dataset.whole || 0, State: e.dataset.state, Reason: e.dataset.reason || '', Text: e.textContent}))`)
	got := map[string]string{}
	for _, r := range rows {
		key := fmt.Sprintf("%s:%d:%d", r.File, r.Line, r.After)
		if _, twice := got[key]; twice {
			t.Errorf("%s stands twice", key)
		}
		got[key] = r.State + " " + r.Reason
	}
	want := map[string]string{}
	for _, l := range s.report.Account {
		after := -1
		if l.DeletedAfter != nil {
			after = *l.DeletedAfter
		}
		want[fmt.Sprintf("%s:%d:%d", l.File, l.Line, after)] = l.State + " " + l.Reason
	}
	for _, f := range s.report.Files {
		want[fmt.Sprintf("%s:0:-1", f.File)] = f.Class + " " + f.Reason
	}
	if len(want) < 30 {
		t.Errorf("the report has %d changed lines", len(want))
	}
	for key, state := range want {
		if got[key] != state {
			t.Errorf("%s: the page says %q, the report %q", key, got[key], state)
		}
	}
	for key := range got {
		if _, there := want[key]; !there {
			t.Errorf("%s stands on the page only", key)
		}
	}
	if inside := eval[string](b, `document.getElementById('goat-report').textContent`); !sameJSON(t, inside, s.json) {
		t.Error("the document in the page is not the report")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, request := range b.requests {
		if plain, err := url.PathUnescape(request); err != nil || plain != fileURL(s.page) && !strings.HasPrefix(request, "data:") {
			t.Errorf("the page asks for %s", request)
		}
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal([]byte(a), &x); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(b), &y); err != nil {
		t.Fatal(err)
	}
	for _, document := range []any{x, y} {
		for _, line := range document.(map[string]any)["account"].([]any) {
			delete(line.(map[string]any), "evidence") // the granularity gives it
		}
		for _, point := range document.(map[string]any)["points"].([]any) {
			for _, leftOut := range []string{"lanes", "phases", "formReason", "inlineCost"} {
				delete(point.(map[string]any), leftOut)
			}
		}
	}
	return fmt.Sprint(x) == fmt.Sprint(y)
}

// The rows stand in the file as it is, before any script.
func TestRowsAreStatic(t *testing.T) {
	s := theSession(t)
	text, err := os.ReadFile(s.page)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Count(string(text), ` data-state="`), len(s.report.Account)+len(s.report.Files); got != want {
		t.Errorf("%d rows in the file, %d lines in the report", got, want)
	}
}

func TestFiltersAndTheAddress(t *testing.T) {
	s := theSession(t)
	b := open(t, fileURL(s.page))
	all := eval[string](b, shownStates)
	b.run(chromedp.Click(`.chip.is-none`, chromedp.ByQuery))
	if got := eval[string](b, shownStates); got != "none" || !strings.Contains(all, "traffic") {
		t.Errorf("of %s the filter shows %q", all, got)
	}
	if got := eval[string](b, `location.hash`); got != "#state=none" {
		t.Errorf("the address is %q", got)
	}
	b.run(chromedp.Click(`.chip.is-startup`, chromedp.ByQuery))
	if got := eval[string](b, shownStates); got != "none,startup" {
		t.Errorf("two states show %q", got)
	}
	b.run(chromedp.Click(`#clear`, chromedp.ByQuery))
	if got := eval[string](b, shownStates); got != all {
		t.Errorf("after clearing: %q", got)
	}
	b.press("/")
	b.run(chromedp.KeyEvent("coupon.go"))
	b.until(`[...document.querySelectorAll('section.file')].filter((e) => !e.hidden).length === 1`)
	b.press(kb.Escape)
	b.until(`document.getElementById('clear').hidden`)
	b.run(chromedp.SetValue(`#package`, "example.com/shop/cart", chromedp.ByQuery),
		chromedp.Evaluate(`document.getElementById('package').dispatchEvent(new Event('change'))`, nil))
	b.until(`[...document.querySelectorAll('section.file:not([hidden]) h2')].every((e) => e.textContent.startsWith('cart/'))`)
	// A link opens the same view.
	other := open(t, fileURL(s.page)+"#state=none&q=invoice&lang=zh")
	if got := eval[string](other, shownStates); got != "none" {
		t.Errorf("a link shows %q", got)
	}
	if got := eval[string](other, `document.documentElement.lang + ' ' + document.querySelector('.chip.is-none').textContent`); !strings.Contains(got, "zh-CN") || !strings.Contains(got, "未执行") {
		t.Errorf("a Chinese link shows %q", got)
	}
}

func TestKeysAndTheirButtons(t *testing.T) {
	s := theSession(t)
	b := open(t, fileURL(s.page))
	here := `(document.querySelector('.here') || {dataset: {}}).dataset.file + ':' + (document.querySelector('.here') || {dataset: {}}).dataset.line`
	b.press("j")
	first := eval[string](b, here)
	b.press("j")
	second := eval[string](b, here)
	b.press("k")
	if back := eval[string](b, here); first == second || back != first || strings.Contains(first, "undefined") {
		t.Errorf("j %q, j %q, k %q", first, second, back)
	}
	if hash := eval[string](b, `decodeURIComponent(location.hash)`); hash != "#at="+first {
		t.Errorf("the address is %q, the place %q", hash, first)
	}
	if on := eval[string](b, `document.activeElement.className`); on != "g" {
		t.Errorf("the focus is on %q", on)
	}
	b.press(kb.Enter)
	b.until(`document.querySelector('.details') !== null`)
	b.press("]")
	current := `(document.querySelector('#tree a[aria-current]') || {}).title`
	file := eval[string](b, current)
	b.press("]")
	next := eval[string](b, current)
	b.press("[")
	if back := eval[string](b, current); file == next || back != file {
		t.Errorf("] %q, ] %q, [ %q", file, next, back)
	}
	b.press("u")
	if got := eval[string](b, `document.activeElement.id + ' ' + scrollY`); got != "overview 0" {
		t.Errorf("u leads to %q", got)
	}
	b.press("?")
	b.until(`document.getElementById('help').open`)
	b.press(kb.Escape)
	b.until(`!document.getElementById('help').open`)
	for _, k := range []string{"j", "k", "[", "]", "u", "/", "?"} {
		seen := eval[bool](b, fmt.Sprintf(`[...document.querySelectorAll('button[data-key]')].some((e) => e.dataset.key === %q && e.checkVisibility())`, k))
		if !seen {
			t.Errorf("no button for %s", k)
		}
	}
	b.run(chromedp.Click(`button[data-key="j"]`, chromedp.ByQuery))
	if got := eval[string](b, here); strings.Contains(got, "undefined") {
		t.Errorf("the button of j leads to %q", got)
	}
}

func TestTheWholeFileAndColours(t *testing.T) {
	s := theSession(t)
	b := open(t, fileURL(s.page))
	b.run(chromedp.Click(`section.file .facts button`, chromedp.ByQuery))
	text := eval[string](b, `[...document.querySelectorAll('section.file')[0].querySelectorAll('p:not([data-deleted-after]) > .c, .ctx > .c')].map((e) => e.textContent).join('\n')`)
	name := eval[string](b, `document.querySelector('section.file p[data-file]').dataset.file`)
	source, err := os.ReadFile(filepath.Join(s.repo, name))
	if err != nil {
		t.Fatal(err)
	}
	if text != strings.TrimSuffix(string(source), "\n") {
		t.Errorf("%s, widened, is not the file:\n%s", name, text)
	}
	if n := eval[int](b, `document.querySelectorAll('.kw').length`); n < 5 {
		t.Errorf("%d keywords are coloured", n)
	}
}

// What is drawn dark is dark, and what is drawn at 200 % needs no scrolling sideways.
func TestDarkAndLarge(t *testing.T) {
	s := theSession(t)
	dark := emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}})
	b := open(t, fileURL(s.page), dark)
	paper := `getComputedStyle(document.body).backgroundColor`
	if got := eval[string](b, paper); got != "rgb(14, 17, 22)" {
		t.Errorf("dark paper is %s", got)
	}
	for range 2 { // auto, dark, light
		b.run(chromedp.Click(`#theme`, chromedp.ByQuery))
	}
	if got := eval[string](b, paper); got != "rgb(246, 247, 248)" {
		t.Errorf("light paper is %s", got)
	}
	b.run(emulation.SetDeviceMetricsOverride(640, 450, 2, false))
	b.until(`innerWidth === 640 && document.documentElement.scrollWidth <= 640`)
}

// Everything can be reached and has a name without eyes: landmarks, headings, buttons.
func TestNamesForScreenReaders(t *testing.T) {
	s := theSession(t)
	b := open(t, fileURL(s.page))
	nameless := eval[[]string](b, `[...document.querySelectorAll('button, select, input, nav, [role]')]
		.filter((e) => e.getAttribute('role') !== 'presentation' && e.checkVisibility() && !(e.getAttribute('aria-label') || e.textContent.trim() || e.title))
		.map((e) => e.outerHTML.slice(0, 80))`)
	if len(nameless) > 0 {
		t.Errorf("without a name: %q", nameless)
	}
	for _, landmark := range []string{"main", "nav", "header", "footer", "[role=search]", "[aria-live]", "h1", "h2"} {
		if !eval[bool](b, fmt.Sprintf(`document.querySelector(%q) !== null`, landmark)) {
			t.Errorf("no %s", landmark)
		}
	}
	b.until(`document.querySelector('p[data-state=none] .g') !== null`)
	if first := eval[string](b, `document.querySelector('p[data-state=none] .g').getAttribute('aria-label')`); !strings.Contains(first, "not reached") {
		t.Errorf("a line is called %q", first)
	}
}

// Hits show in the open page, which is not loaded again, and the page hears of the end.
func TestLive(t *testing.T) {
	s := theSession(t)
	u := s.ui(t)
	b := open(t, u.address)
	if got := eval[string](b, `location.href`); strings.Contains(got, "token") {
		t.Errorf("the token stays in the address: %s", got)
	}
	if got := eval[string](b, `document.cookie`); got != "" {
		t.Errorf("a script can read the cookie: %s", got)
	}
	row := `[...document.querySelectorAll('p[data-file="orders/handler.go"]')].find((e) => e.textContent.includes('range order.Items'))`
	if got := eval[string](b, row+`.dataset.state`); got != "none" {
		t.Fatalf("before the request: %s", got)
	}
	b.run(chromedp.Evaluate(`window.stayed = true`, nil))
	s.get(t, "/orders/2/invoice")
	b.until(row + `.dataset.state === 'traffic'`)
	if !eval[bool](b, `window.stayed === true`) {
		t.Error("the page was loaded again")
	}
	b.until(`document.getElementById('say').textContent !== ''`)
	u.stop(t)
	b.until(`document.getElementById('status').dataset.status === 'gone'`)
}
