package browser_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/report"
)

// waitingDump is of the shop: three goroutines of a changed function wait for ever, one is
// of nobody's.
const waitingDump = `goroutine 1 [select, 3 minutes]:
main.main()
	/src/shop/main.go:20 +0x1d

goroutine 21 [chan send, 7 minutes]:
example.com/shop/orders.(*handler).invoice(0xc000010000, {0x1, 0x2}, 0xc000020000)
	/src/shop/orders/handler.go:71 +0x1d
created by net/http.(*Server).Serve in goroutine 1
	/usr/local/go/src/net/http/server.go:3464 +0x4c

goroutine 22 [chan send, 5 minutes]:
example.com/shop/orders.(*handler).invoice(0xc000010000, {0x1, 0x2}, 0xc000020000)
	/src/shop/orders/handler.go:71 +0x1d
created by net/http.(*Server).Serve in goroutine 1
	/usr/local/go/src/net/http/server.go:3464 +0x4c
`

// In the live page the goroutines of a dump stand beside the points of their function, and
// a link leads from them there.
func TestGoroutinesBesidePointsLive(t *testing.T) {
	s := theSession(t)
	dump := filepath.Join(t.TempDir(), "waiting.txt")
	if err := os.WriteFile(dump, []byte(waitingDump), 0o644); err != nil {
		t.Fatal(err)
	}
	u := s.ui(t, "--dump", dump)
	b := open(t, u.address)
	const card = `document.querySelector('.card.beside.waiting')`
	b.until(card + ` !== null && ` + card + `.open`)
	if got := eval[string](b, card+`.querySelector('tbody tr[data-near=function]').textContent`); !strings.Contains(got, "channel send2") || !strings.Contains(got, "orders.(*handler).invoice") {
		t.Errorf("the card says %q", got)
	}
	b.run(chromedp.Evaluate(card+`.querySelector('tbody tr[data-near=function] a').click()`, nil))
	place := eval[string](b, card+`.querySelector('tbody tr[data-near=function] a').textContent`)
	file, line, _ := strings.Cut(place, ":")
	row := fmt.Sprintf(`p[data-file=%q][data-line=%q]`, file, line)
	b.until(`document.querySelector('` + row + `.here .n') !== null`)
	if got := eval[string](b, `document.querySelector('`+row+` .n').textContent`); !strings.Contains(got, "2 goroutines wait here") {
		t.Errorf("beside %s stands %q", place, got)
	}
	b.run(chromedp.Click(row+` .g`, chromedp.ByQuery))
	if got := eval[string](b, `document.querySelector('`+row+` + .details').textContent`); !strings.Contains(got, "channel send") {
		t.Errorf("the details say %q", got)
	}
	u.stop(t)
}

// A panic's message is whatever a program was sent.
func TestPanicsBesidePoints(t *testing.T) {
	const message = `</script><img src=x onerror=alert(1)>`
	d := document("app")
	change(d, "a/a.go", "F", 7, report.StateTraffic)
	change(d, "a/a.go", "G", 17, report.StateTraffic)
	frames := []goat.DumpFrame{{Func: "example.com/m/a.F", File: "/src/m/a/a.go", Line: 7, Changed: true, Own: true}}
	d.Panics = []report.Panic{
		{Panic: goat.Panic{Key: "p1a", Kind: "panic", Message: message, Class: "defect", Recovered: "yes", Count: 3, Place: &frames[0], Frames: frames}, Points: []string{d.Points[0].ID}, Near: "function"},
		{Panic: goat.Panic{Key: "p1b", Kind: "panic", Message: "of a parser", Class: "flow", Recovered: "yes", Count: 9, Frames: frames}, Points: []string{d.Points[1].ID}, Near: "function"},
	}
	path, _ := write(t, d, nil, nil)
	b := open(t, fileURL(path))
	const rows = `[...document.querySelectorAll('.card.beside.panics tbody tr')]`
	if got := eval[string](b, rows+`.map((e) => e.dataset.id + ' ' + e.cells[0].textContent).join()`); got != "p1a panic: "+message {
		t.Errorf("the card says %q", got)
	}
	if got := eval[string](b, `[7, 17].map((n) => document.querySelector('p[data-line="' + n + '"] .n').textContent).join('|')`); !strings.HasSuffix(got, "panicked 3×|traffic · 03:04:05") {
		t.Errorf("beside the lines stands %q", got)
	}
	b.run(chromedp.Click(`p[data-line="7"] .g`, chromedp.ByQuery))
	if got := eval[string](b, `document.querySelector('p[data-line="7"] + .details').textContent`); !strings.Contains(got, message) || !strings.Contains(got, "3×, recovered") {
		t.Errorf("the details say %q", got)
	}
	if n := eval[int](b, `document.querySelectorAll('img').length`); n != 0 {
		t.Errorf("%d elements of a message", n)
	}
}
