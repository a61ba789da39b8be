package text

import (
	"fmt"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/render"
	"github.com/goat-trace/goat/go/internal/report"
)

// besideRows is how many panics or clusters a terminal shows.
const besideRows = 10

// beside are panics and goroutines near the change, those in changed functions first.
func (v *reportView) beside(b *strings.Builder) {
	v.panics(b)
	v.waiting(b)
	if v.document.BesideMissing != "" {
		fmt.Fprintf(b, "panics and goroutines are not shown: %s\n", v.document.BesideMissing)
	}
}

func (v *reportView) panics(b *strings.Builder) {
	var defects []*report.Panic
	for i := range v.document.Panics {
		if p := &v.document.Panics[i]; p.Class == goat.PanicDefect {
			defects = append(defects, p)
		}
	}
	if len(defects) == 0 {
		return
	}
	t := v.table([]string{"PANIC", "TIMES", "END", "IN", "CHANGE"})
	t.shrink, t.right = []int{0, 3}, map[int]bool{1: true}
	shown, rest := v.cut(len(defects), besideRows)
	for _, p := range defects[:shown] {
		row := plainCells(p.Headline(), fmt.Sprint(p.Count), render.PanicEnd(&p.Panic), render.PanicPlace(&p.Panic), render.NearWords(p.Near))
		v.paintNear(row, p.Near)
		t.add(row...)
	}
	v.finishBeside(b, t, rest, "root cause")
}

func (v *reportView) waiting(b *strings.Builder) {
	if v.document.Dump == nil {
		return
	}
	var near []*report.Cluster
	for i := range v.document.Dump.Clusters {
		if c := &v.document.Dump.Clusters[i]; c.Near != "" && c.Dimension != "running" {
			near = append(near, c)
		}
	}
	if len(near) == 0 {
		return
	}
	t := v.table([]string{"WAITING", "GOROUTINES", "IN", "STARTED BY", "CHANGE"})
	t.shrink, t.right = []int{2, 3}, map[int]bool{1: true}
	shown, rest := v.cut(len(near), besideRows)
	for _, c := range near[:shown] {
		row := plainCells(render.WaitWords(&c.DumpCluster), fmt.Sprint(c.Count), render.FramesPlace(c.Frames), c.Creator, render.NearWords(c.Near))
		v.paintNear(row, c.Near)
		t.add(row...)
	}
	v.finishBeside(b, t, rest, "cluster")
}

func (v *reportView) paintNear(row []cell, near string) {
	if near == report.NearFunction {
		row[0].paint, row[len(row)-1].paint = v.style.bad, v.style.warn
	}
}

func (v *reportView) finishBeside(b *strings.Builder, t *table, rest int, noun string) {
	t.write(b, "")
	if rest > 0 {
		fmt.Fprintf(b, "and %s (--verbose lists all)\n", render.Plural(rest, "more "+noun))
	}
	b.WriteByte('\n')
}
