package text

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/printable"
	"github.com/goat-trace/goat/go/internal/render"
)

// heatRows is how many packages are listed where nobody says how many.
const heatRows = 20

// Heat is builds for people: what each took, its stages and phases, the packages that cost
// most, the critical path, and its place in the history. top cuts the list of packages.
func Heat(found *goat.HeatResult, top int, looks Looks) string {
	v := heatView{found: printable.Copy(found), Looks: looks, style: style{looks.Colour}, top: cmp.Or(top, heatRows)}
	if looks.Verbose && top == 0 {
		v.top = 0
	}
	var b strings.Builder
	for i := range v.found.Builds {
		if i > 0 {
			b.WriteByte('\n')
		}
		v.build(&b, &v.found.Builds[i], &v.found.Baselines[i])
	}
	if len(v.found.Builds) > 1 {
		v.lanes(&b)
	}
	return b.String()
}

type heatView struct {
	found *goat.HeatResult
	Looks
	style style
	top   int
}

func (v *heatView) build(b *strings.Builder, build *goat.HeatBuild, base *goat.HeatBaseline) {
	if !v.Quiet {
		v.head(b, build)
	}
	v.stages(b, build)
	v.packages(b, build)
	v.path(b, build)
	v.baseline(b, base)
}

func (v *heatView) head(b *strings.Builder, build *goat.HeatBuild) {
	var t table
	what := render.BuildName(build)
	t.add(plainCells(what, render.Platform(build), build.GoVersion, time.UnixMilli(build.StartUnixMs).UTC().Format("2006-01-02 15:04:05Z"))...)
	t.write(b, "")
	fmt.Fprintf(b, "%s wall, %s user, %s sys, at most %s, %s\n",
		seconds(build.WallMs), seconds(build.Sum.UserMs), seconds(build.Sum.SysMs), size(build.Sum.MaxRSS), render.Plural(int(build.Sum.Tools), "tool run"))
	cache := render.Plural(build.Cache.Misses, "package") + " built"
	if build.Cache.Hits != nil {
		cache += fmt.Sprintf(", %d from the cache", *build.Cache.Hits)
	}
	fmt.Fprintf(b, "%s (%s)\n", cache, build.Cache.Class)
	v.own(b, build)
	switch {
	case build.Exit == nil && !build.Complete:
		fmt.Fprintln(b, v.style.warn("the log has no end: the build was interrupted, or still runs"))
	case build.Exit != nil && *build.Exit != 0:
		fmt.Fprintln(b, v.style.bad(fmt.Sprintf("the build failed (go's exit code %d)", *build.Exit)))
	}
	b.WriteByte('\n')
}

// own says what of it is goat's, and how much of the kernel's account the log has.
func (v *heatView) own(b *strings.Builder, build *goat.HeatBuild) {
	own := &build.Goat
	fmt.Fprintf(b, "goat's own part: %s CPU, %.1f %%", seconds(own.HelperMs+own.ToolsMs), own.Share*100)
	if own.Packages > 0 {
		fmt.Fprintf(b, ", %s with points", render.Plural(own.Packages, "package"))
	}
	b.WriteByte('\n')
	if k := build.Kernel; k != nil && k.Recorded != nil && v.Verbose {
		fmt.Fprintf(b, "%.1f %% of the CPU of go's children is in the log\n", *k.Recorded*100)
	}
	if build.LoadMs != nil {
		fmt.Fprintf(b, "%s until the first action, %s waited for a worker\n", seconds(*build.LoadMs), seconds(*build.QueuedMs))
	}
}

func (v *heatView) stages(b *strings.Builder, build *goat.HeatBuild) {
	t := table{right: map[int]bool{1: true, 2: true, 3: true, 4: true, 5: true}}
	t.add(plainCells("stage", "runs", "wall", "user", "sys", "max rss")...)
	for i := range build.Stages {
		s := &build.Stages[i]
		t.add(
			cell{text: s.Stage, paint: v.style.bold}, cell{text: strconv.FormatUint(s.Tools, 10)}, cell{text: seconds(s.WallMs)},
			cell{text: seconds(s.UserMs)}, cell{text: seconds(s.SysMs)}, cell{text: size(s.MaxRSS)},
		)
		for _, p := range s.Phases {
			if v.Verbose || p.Ms*20 >= s.WallMs {
				t.add(cell{text: "  " + p.Name, paint: v.style.faint}, cell{}, cell{text: seconds(p.Ms), paint: v.style.faint})
			}
		}
	}
	t.write(b, "")
	b.WriteByte('\n')
}

func (v *heatView) packages(b *strings.Builder, build *goat.HeatBuild) {
	if len(build.Packages) == 0 {
		return
	}
	t := table{width: v.Width, shrink: []int{4}, right: map[int]bool{0: true, 1: true, 2: true, 3: true}}
	t.add(plainCells("user", "sys", "wall", "max rss", "package")...)
	shown := build.Packages
	if v.top > 0 && len(shown) > v.top {
		shown = shown[:v.top]
	}
	for i := range shown {
		p := &shown[i]
		name := p.Package
		if p.Variant != "" {
			name += " [" + p.Variant + "]"
		}
		note := ""
		if p.Points {
			note = "points, goat " + seconds(p.GoatMs)
		}
		t.add(
			cell{text: seconds(p.UserMs), paint: v.style.bold}, cell{text: seconds(p.SysMs)}, cell{text: seconds(p.WallMs)}, cell{text: size(p.MaxRSS)},
			cell{text: name}, cell{text: note, paint: v.style.warn},
		)
	}
	t.write(b, "")
	if cut := len(build.Packages) - len(shown); cut > 0 {
		fmt.Fprintf(b, "and %s more (--top N)\n", render.Plural(cut, "package"))
	}
	b.WriteByte('\n')
}

func (v *heatView) path(b *strings.Builder, build *goat.HeatBuild) {
	path := build.CriticalPath
	if path == nil {
		if why := build.CriticalPathWhy; why != nil {
			fmt.Fprintf(b, "no critical path: %s\n", *why)
		}
		return
	}
	fmt.Fprintf(b, "critical path: %s with any number of workers; savings with %d\n", seconds(path.Ms), path.Workers)
	t := table{width: v.Width, shrink: []int{1}, right: map[int]bool{0: true}}
	steps := path.Steps
	if !v.Verbose {
		steps = render.LongSteps(path)
	}
	for _, s := range steps {
		queued := ""
		if s.QueuedMs >= 10 {
			queued = "waited " + seconds(s.QueuedMs)
		}
		t.add(
			cell{text: seconds(s.Ms), paint: v.style.bold}, cell{text: strings.TrimSpace(s.Mode + " " + s.Package)},
			cell{text: "if this were free you would save " + seconds(s.SaveMs), paint: v.style.warn}, cell{text: queued, paint: v.style.faint},
		)
	}
	t.write(b, "  ")
}

func (v *heatView) baseline(b *strings.Builder, base *goat.HeatBaseline) {
	for i := range base.Rules {
		r := &base.Rules[i]
		word := r.Verdict
		switch word {
		case "alarm":
			word = v.style.bad(word)
		case "noBaseline":
			word = "no baseline"
		}
		if i == 0 || r.Verdict != "noBaseline" {
			fmt.Fprintf(b, "baseline (%s): %s: %s\n", r.Rule, word, r.Reason)
		}
	}
	for _, g := range base.Grown {
		fmt.Fprintf(b, "  %s took %.2f s of user CPU, %.2f s before\n", g.Package, g.UserSeconds, g.MedianSeconds)
	}
}

// lanes holds the platforms beside each other.
func (v *heatView) lanes(b *strings.Builder) {
	t := table{right: map[int]bool{1: true, 2: true, 3: true, 4: true}}
	t.add(plainCells("lane", "wall", "user", "sys", "built")...)
	for i := range v.found.Builds {
		build := &v.found.Builds[i]
		t.add(
			cell{text: render.Platform(build), paint: v.style.bold}, cell{text: seconds(build.WallMs)}, cell{text: seconds(build.Sum.UserMs)},
			cell{text: seconds(build.Sum.SysMs)}, cell{text: strconv.Itoa(build.Cache.Misses)}, cell{text: bar(build, v.found.Builds)},
		)
	}
	b.WriteByte('\n')
	t.write(b, "")
}

// bar draws a wall time against the longest.
func bar(build *goat.HeatBuild, all []goat.HeatBuild) string {
	longest := 0.0
	for i := range all {
		longest = max(longest, all[i].WallMs)
	}
	if longest == 0 {
		return ""
	}
	return strings.Repeat("#", int(build.WallMs/longest*30+0.5))
}

func seconds(ms float64) string { return render.Milliseconds(ms) }

// size is bytes as people read them.
func size(bytes uint64) string {
	if bytes >= 1<<30 {
		return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
	}
	return fmt.Sprintf("%.0f MiB", float64(bytes)/(1<<20))
}
