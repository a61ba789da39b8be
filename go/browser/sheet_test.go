package browser_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/render/html"
)

// profilePage is the page of a profile in which one function of three is changed.
func profilePage(t *testing.T) string {
	t.Helper()
	share := func(f float64) *float64 { return &f }
	frame := func(name string, changed bool) goat.DumpFrame {
		return goat.DumpFrame{Func: name, File: "example.com/shop/cart/cart.go", Line: 41, Changed: changed, Own: true}
	}
	const hostile = `main.<img src=x onerror=alert(1)>`
	found := &goat.ProfileResult{
		Format: 1, Type: goat.ProfileType{Type: "cpu", Unit: "nanoseconds"}, Total: 10e9,
		Source: goat.ProfileSource{Profiles: 2, Samples: 1000, DurationSeconds: 30},
		Change: &goat.ProfileChange{Value: 6e9, Share: share(0.6), Own: 5e9, OwnShare: share(0.5), Functions: 1},
		Functions: []goat.ProfileFunction{
			{Func: "example.com/shop/cart.total", File: "cart/cart.go", Line: 41, Flat: 5e9, Cum: 6e9, FlatShare: share(0.5), CumShare: share(0.6), Changed: true, Own: true},
			{Func: "runtime.mallocgc", Flat: 3e9, Cum: 3e9, FlatShare: share(0.3), CumShare: share(0.3)},
			{Func: hostile, Flat: 2e9, Cum: 10e9, FlatShare: share(0.2), CumShare: share(1), Own: true},
		},
		Stacks: []goat.ProfileStack{
			{Frames: []goat.DumpFrame{frame("example.com/shop/cart.total", true), frame(hostile, false)}, Value: 6e9},
			{Frames: []goat.DumpFrame{frame("runtime.mallocgc", false), frame(hostile, false)}, Value: 3e9},
			{Frames: []goat.DumpFrame{frame(hostile, false)}, Value: 1e9},
		},
		JSON: []byte(`{"format":1,"note":"</script><script>alert(2)</script>"}`),
	}
	path := filepath.Join(t.TempDir(), "profile.html")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := html.Profile(found, []string{"http://canary:57005"}, "v1 to v2").Write(file); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return fileURL(path)
}

// The page of a profile: by keys alone, searched, filtered, and without a word to the
// network or the console (openTo watches both).
func TestTheProfilePage(t *testing.T) {
	b := openTo(t, profilePage(t), "#list details")
	b.until(`document.getElementById('found').textContent === '6 of 6'`)
	if n := eval[int](b, `document.querySelectorAll('img, object, iframe, body script:not([id])').length`); n != 1 {
		t.Errorf("%d elements that must not be there (one script is the page's own)", n-1)
	}
	if got := eval[string](b, `document.querySelector('.figures').textContent`); !strings.Contains(got, "60.0% share of the change") {
		t.Errorf("figures: %q", got)
	}
	boxes := `[...document.querySelectorAll('.flame svg svg')]`
	if got := eval[int](b, boxes+`.length`); got != 3 {
		t.Errorf("%d boxes", got)
	}
	if got := eval[string](b, boxes+`.filter((e) => 'changed' in e.dataset).map((e) => e.querySelector('title').textContent + '@' + e.getAttribute('width')).join()`); got != "example.com/shop/cart.total: 6s, 60.0%@60.000%" {
		t.Errorf("changed boxes: %q", got)
	}
	here := `(document.querySelector('.here') || {dataset: {}}).dataset.row`
	b.press("j", "j", "k")
	if got := eval[string](b, here+` + ' ' + document.activeElement.parentElement.dataset.row`); got != "f0 f0" {
		t.Errorf("j j k leads to %q", got)
	}
	b.press(kb.Enter)
	if !eval[bool](b, `document.querySelector('.here').open`) {
		t.Error("Enter does not open a row")
	}
	b.press("e")
	if got := eval[int](b, `document.querySelectorAll('details[open]').length`); got != 6 {
		t.Errorf("e opens %d", got)
	}
	b.press("c")
	b.until(`document.getElementById('found').textContent === '2 of 6'`)
	b.press("c", "/")
	if got := eval[string](b, `document.activeElement.id`); got != "find" {
		t.Errorf("/ leads to %q", got)
	}
	// The driver sends a key and its character apart; a keyboard does not.
	b.run(chromedp.Evaluate(`document.getElementById('find').value = ''`, nil))
	b.press("m", "a", "l", "l", "o", "c")
	b.until(`document.getElementById('found').textContent === '2 of 6'`)
	b.press(kb.Escape)
	if got := eval[string](b, `document.activeElement.id + [...document.querySelectorAll('details')].filter((e) => !e.hidden).map((e) => e.dataset.row).join()`); got != "f1,s1" {
		t.Errorf("found: %q", got)
	}
	nameless := eval[int](b, `[...document.querySelectorAll('button, input, [role]')].filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() || e.title)).length`)
	if nameless > 0 {
		t.Errorf("%d without a name", nameless)
	}
	b.run(emulation.SetDeviceMetricsOverride(360, 800, 1, true))
	if wide := eval[int](b, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
		t.Errorf("a telephone scrolls %d pixels sideways", wide)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.requests) != 1 {
		t.Errorf("requests: %q", b.requests)
	}
}
