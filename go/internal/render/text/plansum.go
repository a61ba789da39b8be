package text

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/render"
)

// PlanKeys are what a plan can be summed up by.
var PlanKeys = []string{"package", "file", "func"}

// planSum is what a plan holds of one package, file or function.
type planSum struct {
	name                               string
	points, tracked, silent, untracked int
	// files are those of a package.
	files []*planSum
}

// row is the sum as cells of a table.
func (s *planSum) row(indent string) []cell {
	return plainCells(indent+s.name, strconv.Itoa(s.points), strconv.Itoa(s.tracked), strconv.Itoa(s.silent), strconv.Itoa(s.untracked))
}

// add counts changed lines of a class.
func (s *planSum) add(class goat.Class, lines int) {
	switch class {
	case goat.ClassTracked:
		s.tracked += lines
	case goat.ClassNotExecutable:
		s.silent += lines
	default:
		s.untracked += lines
	}
}

// planSums are sums by name, in the order in which they came up.
type planSums struct {
	list  []*planSum
	index map[string]*planSum
}

func (p *planSums) of(name string) *planSum {
	if p.index[name] == nil {
		if p.index == nil {
			p.index = map[string]*planSum{}
		}
		p.index[name] = &planSum{name: name}
		p.list = append(p.list, p.index[name])
	}
	return p.index[name]
}

// sorted has the most points first, then the names in order.
func (p *planSums) sorted() []*planSum {
	slices.SortStableFunc(p.list, func(a, b *planSum) int {
		return cmp.Or(cmp.Compare(b.points, a.points), strings.Compare(a.name, b.name))
	})
	return p.list
}

// byFile sums up the points and lines of each file.
func (v *planView) byFile() *planSums {
	files := &planSums{}
	for i := range v.result.Points {
		files.of(v.result.Points[i].File).points++
	}
	for i := range v.result.Account {
		if line := &v.result.Account[i]; line.DeletedAfter == nil {
			files.of(line.File).add(line.Class, 1)
		}
	}
	for i := range v.result.Files {
		f := &v.result.Files[i]
		files.of(f.File).add(f.Class, f.Added)
	}
	return files
}

// byPackage gathers the files of each package. Where no point tells the import path, the
// directory stands for it.
func (v *planView) byPackage() *planSums {
	names := map[string]string{}
	for i := range v.result.Points {
		p := &v.result.Points[i]
		names[path.Dir(p.File)] = p.Package
	}
	packages := &planSums{}
	for _, file := range v.byFile().sorted() {
		dir := path.Dir(file.name)
		p := packages.of(cmp.Or(names[dir], dir))
		p.points += file.points
		p.tracked += file.tracked
		p.silent += file.silent
		p.untracked += file.untracked
		p.files = append(p.files, file)
	}
	return packages
}

// byFunc sums up the functions that have points; a line belongs to that of its first.
func (v *planView) byFunc() *planSums {
	functions, owner := &planSums{}, map[string]*planSum{}
	for i := range v.result.Points {
		p := &v.result.Points[i]
		owner[p.ID] = functions.of(p.Package + "." + cmp.Or(p.Func, "(package)"))
		owner[p.ID].points++
	}
	for i := range v.result.Account {
		line := &v.result.Account[i]
		if line.DeletedAfter == nil && len(line.Points) > 0 && owner[line.Points[0]] != nil {
			owner[line.Points[0]].add(line.Class, 1)
		}
	}
	return functions
}

// sums is the table by one key, or the packages with their files.
func (v *planView) sums(b *strings.Builder) {
	sums, label := v.byPackage(), "PACKAGE, FILE"
	switch v.by {
	case "package":
		label = "PACKAGE"
	case "file":
		sums, label = v.byFile(), "FILE"
	case "func":
		sums, label = v.byFunc(), "FUNCTION"
	}
	t := table{width: v.width, shrink: []int{0}, right: map[int]bool{1: true, 2: true, 3: true, 4: true}}
	t.add(v.headCells([]string{label, "POINTS", "TRACKED", "NOT EXECUTABLE", "UNTRACKED"})...)
	for _, s := range sums.sorted() {
		row := s.row("")
		if v.by == "" {
			row[0].paint = v.style.bold
		}
		t.add(row...)
		if v.by == "" {
			for _, file := range s.files {
				t.add(file.row("  ")...)
			}
		}
	}
	rest := 0
	if v.width > 0 && !v.verbose && len(t.rows) > rowsShown+1 {
		rest = len(t.rows) - rowsShown - 1
		t.rows = t.rows[:rowsShown+1]
	}
	t.write(b, "")
	if rest > 0 {
		fmt.Fprintf(b, "and %s (--verbose lists them)\n", render.Plural(rest, "more row"))
	}
}

// Bounds of what a terminal shows of a plan without --verbose.
const (
	rowsShown       = 30
	planPointsShown = 40
)

// listed says whether the table of points is shown: on request, or where a terminal has
// the room.
func (v *planView) listed() bool {
	switch {
	case v.quiet || len(v.result.Points) == 0:
		return false
	case v.verbose || v.explain:
		return true
	}
	return v.by == "" && v.width > 0 && len(v.result.Points) <= planPointsShown
}
