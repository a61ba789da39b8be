package report_test

import (
	"slices"
	"testing"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/report"
)

// A file of the same name nearer to the root is another file.
func TestAFrameIsInTheFileWhosePathIsLongest(t *testing.T) {
	d := &report.Document{}
	for _, p := range []goat.Point{
		{ID: "root", Package: "example.com/m", File: "main.go"},
		{ID: "cmd", Package: "example.com/m/cmd/a", File: "cmd/a/main.go"},
		{ID: "other", Package: "example.com/m/a", File: "a/main.go"},
	} {
		d.Points = append(d.Points, report.Point{Point: p})
	}
	for file, want := range map[string][]string{
		"/src/main.go":          {"root"},
		"/src/cmd/a/main.go":    {"cmd"},
		`C:\src\cmd\a\main.go`:  {"cmd"},
		"/src/cmd/a/notmain.go": {},
	} {
		for range 20 { // in whatever order the files are looked at
			d.Panics = nil
			d.Join(report.Beside{Panics: []goat.Panic{{Frames: []goat.DumpFrame{{Func: "main.run", File: file}}}}}, nil)
			if got := d.Panics[0].Points; !slices.Equal(got, want) {
				t.Fatalf("%s: %v, want %v", file, got, want)
			}
		}
	}
}
