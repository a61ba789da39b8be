package html

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/goat-trace/goat/go"
)

// The page of a build of 2,000 packages is a file to send around.
func TestHeatPageIsSmall(t *testing.T) {
	build := goat.HeatBuild{GOOS: "linux", GOARCH: "amd64", CriticalPath: &goat.HeatPath{Workers: 2}}
	for i := range 2000 {
		name := fmt.Sprintf("example.com/organisation/repository/internal/package%d", i)
		cost := goat.HeatCost{Tools: 2, WallMs: float64(i) * 1.1, UserMs: float64(i), SysMs: 3, MaxRSS: 1 << 26}
		build.Packages = append(build.Packages, goat.HeatPackage{
			Package: name, HeatCost: cost, Points: i%10 == 0,
			Cells: []goat.HeatCell{{Stage: "compile", HeatCost: cost}, {Stage: "asm", HeatCost: cost}},
		})
		build.Processes = append(build.Processes, goat.HeatProcess{Package: name, Stage: "compile", Slot: i % 2, StartMs: float64(i), WallMs: 1})
	}
	sheet, err := Heat(&goat.HeatResult{Builds: []goat.HeatBuild{build}, Baselines: make([]goat.HeatBaseline, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := sheet.Write(&b); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 1<<20 {
		t.Errorf("%d bytes", b.Len())
	}
	if n := strings.Count(b.String(), "<th><bdi>"); n != 2000 {
		t.Errorf("%d rows", n)
	}
}

// Names come from other people's modules.
func TestHeatPageIsInert(t *testing.T) {
	build := goat.HeatBuild{GOOS: "linux", GOARCH: `<script>alert(1)</script>`}
	build.Packages = []goat.HeatPackage{{Package: `</table><img src=x onerror=alert(1)>`, Cells: []goat.HeatCell{{Stage: `"><script>`, HeatCost: goat.HeatCost{UserMs: 1}}}}}
	build.Processes = []goat.HeatProcess{{Stage: `"><script>`, WallMs: 1}}
	sheet, err := Heat(&goat.HeatResult{Builds: []goat.HeatBuild{build}, Baselines: make([]goat.HeatBaseline, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := sheet.Write(&b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "<img") || strings.Contains(b.String(), "<script>alert") || strings.Count(b.String(), "<script") != 2 {
		t.Error(b.String())
	}
}
