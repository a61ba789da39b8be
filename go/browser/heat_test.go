package browser_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/render/html"
)

// heatPage is the page of a build of so many packages, each compiled and assembled for two
// platforms by five processes; every tenth has points.
func heatPage(t *testing.T, packages int) (path string, size int64) {
	t.Helper()
	found := &goat.HeatResult{Baselines: make([]goat.HeatBaseline, 2)}
	for _, arch := range []string{"amd64", "arm64"} {
		build := goat.HeatBuild{GOOS: "linux", GOARCH: arch, CriticalPath: &goat.HeatPath{Workers: 4}}
		for i := range packages {
			name := fmt.Sprintf("example.com/organisation/repository/internal/package%04d", i)
			cost := goat.HeatCost{Tools: 5, WallMs: float64(i) * 1.1, UserMs: float64(i), SysMs: 3, MaxRSS: 1 << 26}
			assembled := cost
			assembled.UserMs = float64(packages - i)
			build.Packages = append(build.Packages, goat.HeatPackage{
				Package: name, HeatCost: cost, Points: i%10 == 0,
				Cells: []goat.HeatCell{{Stage: "compile", HeatCost: cost}, {Stage: "asm", HeatCost: assembled}},
			})
			for run := range 5 {
				build.Processes = append(build.Processes, goat.HeatProcess{Package: name, Stage: "compile", Slot: run % 4, StartMs: float64(i * 2), WallMs: 1 + float64(run)})
			}
		}
		found.Builds = append(found.Builds, build)
	}
	sheet, err := html.Heat(found)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "heat.html")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := sheet.Write(file); err != nil {
		t.Fatal(err)
	}
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return fileURL(path), info.Size()
}

// The heat map of 2,000 packages and 20,000 processes is a file to send around that
// answers at once: by keys alone, searched, filtered, sorted, and without a word to the
// network or the console (openTo watches both).
func TestTheHeatPage(t *testing.T) {
	address, size := heatPage(t, 2000)
	b := openTo(t, address, "table.map tbody tr")
	b.until(`document.getElementById('found').textContent === '2000 of 2000'`)
	if size > 1<<20 {
		t.Errorf("%d bytes", size)
	}
	drawn := eval[float64](b, `performance.now()`)

	const first = `document.querySelector('.map tbody tr:not([hidden]) bdi').textContent.slice(-4)`
	const here = `(document.querySelector('.here bdi') || {textContent: 'none'}).textContent.slice(-4)`
	if got := eval[string](b, first); got != "1999" {
		t.Errorf("the dearest package is %q", got)
	}
	b.press("j", "j", "j", "k")
	if got := eval[string](b, here); got != "1998" {
		t.Errorf("j j j k leads to %q", got)
	}
	b.press("c")
	b.until(`document.getElementById('found').textContent === '200 of 2000'`)
	b.press("j")
	if got := eval[string](b, here); got != "1990" {
		t.Errorf("among those with points j leads to %q", got)
	}
	b.press("c", "/")
	if got := eval[string](b, `document.activeElement.id`); got != "find" {
		t.Errorf("/ leads to %q", got)
	}
	// The driver sends a key and its character apart; a keyboard does not.
	b.run(chromedp.Evaluate(`document.getElementById('find').value = ''`, nil))
	b.press("0", "0", "1", "7")
	b.until(`document.getElementById('found').textContent === '1 of 2000'`)
	b.press(kb.Escape)
	if got := eval[string](b, first+` + document.activeElement.tagName`); got != "0017BODY" {
		t.Errorf("found: %q", got)
	}
	const search = `(text) => { const e = document.getElementById('find'); e.value = text; e.dispatchEvent(new Event('input')); document.body.offsetHeight; }`
	took := eval[float64](b, `(() => { const find = `+search+`, t0 = performance.now(); find('9'); find(''); return (performance.now() - t0) / 2; })()`)

	// The head of a column sorts by it: the second stage falls where the first one rises.
	column := `[...document.querySelectorAll('.map [data-sort]')].find((e) => e.textContent === 'asm')`
	sorting := eval[float64](b, `(() => { const t0 = performance.now(); `+column+`.click(); document.body.offsetHeight; return performance.now() - t0; })()`)
	if got := eval[string](b, first); got != "0000" {
		t.Errorf("by asm the dearest is %q", got)
	}
	if got := eval[int](b, `document.querySelectorAll('.lane svg').length`); got != 2 {
		t.Errorf("%d lanes", got)
	}
	nameless := eval[int](b, `[...document.querySelectorAll('button, input, [role]')].filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() || e.title || e.id === 'found')).length`)
	if nameless > 0 {
		t.Errorf("%d without a name", nameless)
	}
	t.Logf("%d KiB, drawn %.0f ms after the start of loading, search %.0f ms, sort %.0f ms", size>>10, drawn, took, sorting)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.requests) != 1 {
		t.Errorf("requests: %q", b.requests)
	}
}
