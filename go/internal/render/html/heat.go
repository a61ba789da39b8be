package html

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/page"
	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/render"
)

const (
	// laneWidth is that of the time line, barHeight that of a track in it, in pixels.
	laneWidth, barHeight = 1200, 14
	// barsShown bounds the time line of a build; the shortest processes go first.
	barsShown = 1500
	// heatRows bounds the table.
	heatRows = 20000
)

// stageOrder is the order of columns; others follow by name.
var stageOrder = []string{"cgo", "cc", "cover", "compile", "asm", "link", "vet", "goat"}

// Heat makes the page of builds: package by stage by platform.
func Heat(found *goat.HeatResult) (*page.Heat, error) {
	document, err := heatDocument(found)
	if err != nil {
		return nil, err
	}
	found = printable.Copy(found)
	v := &heatPage{found: found, page: &page.Heat{Title: "build heat – goat", Document: document}}
	v.longest()
	v.head()
	for i := range found.Builds {
		v.lane(&found.Builds[i])
		v.path(&found.Builds[i])
	}
	v.table()
	return v.page, nil
}

// heatDocument is what stands in the page: without the processes and the packages' cells,
// which are drawn and would be most of the file.
func heatDocument(found *goat.HeatResult) ([]byte, error) {
	short := *found
	short.Builds = slices.Clone(found.Builds)
	for i := range short.Builds {
		b := &short.Builds[i]
		b.Processes, b.Packages = []goat.HeatProcess{}, []goat.HeatPackage{}
	}
	return json.Marshal(short)
}

type heatPage struct {
	found *goat.HeatResult
	page  *page.Heat
	// span is the longest build in milliseconds: lanes have one scale.
	span float64
}

func (v *heatPage) longest() {
	v.span = 1
	for i := range v.found.Builds {
		b := &v.found.Builds[i]
		for j := range b.Processes {
			v.span = max(v.span, b.Processes[j].StartMs+b.Processes[j].WallMs)
		}
	}
}

func (v *heatPage) head() {
	p := v.page
	var wall, cpu, own float64
	misses := 0
	for i := range v.found.Builds {
		b, base := &v.found.Builds[i], &v.found.Baselines[i]
		wall, cpu, own = max(wall, b.WallMs), cpu+b.Sum.UserMs+b.Sum.SysMs, own+b.Goat.HelperMs+b.Goat.ToolsMs
		misses += b.Cache.Misses
		p.Lines = append(p.Lines, strings.TrimSpace(fmt.Sprintf("%s  %s %s  %s", render.BuildName(b), render.Platform(b), b.GoVersion, time.UnixMilli(b.StartUnixMs).UTC().Format("2006-01-02 15:04:05Z"))))
		p.Notes = append(p.Notes, heatNotes(b, base)...)
	}
	p.Figures = []page.Figure{
		{Value: took(wall), Name: "wall"}, {Value: took(cpu), Name: "CPU"}, {Value: fmt.Sprint(misses), Name: "packages built"},
		{Value: took(own), Name: "CPU of goat's own"},
	}
}

func heatNotes(b *goat.HeatBuild, base *goat.HeatBaseline) []string {
	var notes []string
	switch {
	case b.Exit == nil && !b.Complete:
		notes = append(notes, "The log has no end: the build was interrupted, or still runs.")
	case b.Exit != nil && *b.Exit != 0:
		notes = append(notes, fmt.Sprintf("The build failed (go's exit code %d).", *b.Exit))
	}
	if base.Verdict == "alarm" {
		notes = append(notes, fmt.Sprintf("%s: %s (%s).", render.Platform(b), base.Rules[0].Reason, base.Rules[0].Rule))
		for _, g := range base.Grown {
			notes = append(notes, fmt.Sprintf("%s took %.2f s of user CPU, %.2f s before.", g.Package, g.UserSeconds, g.MedianSeconds))
		}
	}
	return notes
}

func (v *heatPage) lane(b *goat.HeatBuild) {
	list := slices.Clone(b.Processes)
	slices.SortStableFunc(list, func(x, y goat.HeatProcess) int { return cmp.Compare(y.WallMs, x.WallMs) })
	note := render.Plural(len(list), "process")
	if len(list) > barsShown {
		list = list[:barsShown]
		note += fmt.Sprintf(", the %d longest drawn", barsShown)
	}
	lane := page.HeatLane{Name: render.Platform(b), Note: note, Width: laneWidth, Height: barHeight}
	critical := map[string]bool{}
	if b.CriticalPath != nil {
		for _, s := range b.CriticalPath.Steps {
			critical[s.Package] = true
		}
	}
	for i := range list {
		p := &list[i]
		lane.Height = max(lane.Height, (p.Slot+1)*barHeight)
		lane.Bars = append(lane.Bars, page.HeatBar{
			X: int(p.StartMs / v.span * laneWidth), Y: p.Slot * barHeight, Width: max(int(p.WallMs/v.span*laneWidth), 1),
			Kind: word(p.Stage), Title: strings.TrimSpace(p.Stage+" "+p.Package) + " " + took(p.WallMs), Critical: critical[p.Package] && p.Stage != "version",
		})
	}
	v.page.Lanes = append(v.page.Lanes, lane)
}

// word makes a stage a class.
func word(stage string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, stage)
}

func (v *heatPage) path(b *goat.HeatBuild) {
	if b.CriticalPath == nil {
		return
	}
	points := map[string]bool{}
	for i := range b.Packages {
		points[b.Packages[i].Package] = points[b.Packages[i].Package] || b.Packages[i].Points
	}
	path := page.HeatPath{Title: fmt.Sprintf("critical path of %s: %s with any number of workers; savings with %d", render.Platform(b), took(b.CriticalPath.Ms), b.CriticalPath.Workers)}
	for _, s := range render.LongSteps(b.CriticalPath) {
		step := page.HeatStep{Took: took(s.Ms), What: strings.TrimSpace(s.Mode + " " + s.Package), Save: took(s.SaveMs), Points: points[s.Package]}
		if s.QueuedMs >= 10 {
			step.Waited = "waited " + took(s.QueuedMs)
		}
		path.Steps = append(path.Steps, step)
	}
	v.page.Paths = append(v.page.Paths, path)
}

// heatColumn is one stage of one build.
type heatColumn struct {
	build int
	stage string
}

// table is the map itself.
func (v *heatPage) table() {
	columns := v.columns()
	type row struct {
		page.HeatRow
		cpu   float64
		cells []float64
	}
	rows := map[string]*row{}
	dearest := 1.0
	for i := range v.found.Builds {
		for j := range v.found.Builds[i].Packages {
			p := &v.found.Builds[i].Packages[j]
			name := p.Package
			if p.Variant != "" {
				name += " [" + p.Variant + "]"
			}
			r := rows[name]
			if r == nil {
				r = &row{HeatRow: page.HeatRow{Package: name}, cells: make([]float64, len(columns))}
				rows[name] = r
			}
			r.Points = r.Points || p.Points
			r.cpu += p.UserMs + p.SysMs
			for k := range p.Cells {
				c := &p.Cells[k]
				at := slices.Index(columns, heatColumn{i, c.Stage})
				r.cells[at] += c.UserMs + c.SysMs
				dearest = max(dearest, r.cells[at])
			}
		}
	}
	list := make([]*row, 0, len(rows))
	for _, r := range rows {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b *row) int {
		return cmp.Or(cmp.Compare(b.cpu, a.cpu), strings.Compare(a.Package, b.Package))
	})
	if cut := len(list) - heatRows; cut > 0 {
		list = list[:heatRows]
		v.page.Notes = append(v.page.Notes, fmt.Sprintf("%s more are not in the table; --format json has them.", render.Plural(cut, "package")))
	}
	for _, r := range list {
		r.Total = took(r.cpu)
		for _, value := range r.cells {
			r.Cells = append(r.Cells, heatCell(value, dearest))
		}
		v.page.Rows = append(v.page.Rows, r.HeatRow)
	}
}

func heatCell(value, dearest float64) page.HeatCell {
	if value <= 0 {
		return page.HeatCell{}
	}
	return page.HeatCell{Level: max(int(math.Ceil(math.Sqrt(value/dearest)*9)), 1), Value: int64(value * 1000), Text: took(value)}
}

// columns are the stages of each build that have packages.
func (v *heatPage) columns() []heatColumn {
	var columns []heatColumn
	for i := range v.found.Builds {
		var stages []string
		for j := range v.found.Builds[i].Packages {
			for _, c := range v.found.Builds[i].Packages[j].Cells {
				if !slices.Contains(stages, c.Stage) {
					stages = append(stages, c.Stage)
				}
			}
		}
		slices.SortFunc(stages, func(a, b string) int {
			return cmp.Or(cmp.Compare(place(a), place(b)), strings.Compare(a, b))
		})
		for _, stage := range stages {
			columns = append(columns, heatColumn{i, stage})
			v.page.Columns = append(v.page.Columns, stage)
		}
		if len(stages) > 0 {
			v.page.Platforms = append(v.page.Platforms, page.HeatPlatform{Name: render.Platform(&v.found.Builds[i]), Span: len(stages)})
		}
	}
	return columns
}

func place(stage string) int {
	if at := slices.Index(stageOrder, stage); at >= 0 {
		return at
	}
	return len(stageOrder)
}

func took(ms float64) string { return render.Milliseconds(ms) }
