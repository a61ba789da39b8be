package doors

import (
	"context"
	"fmt"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/golist"
	"github.com/goat-trace/goat/go/internal/plan"
	"github.com/goat-trace/goat/go/internal/printable"
)

// share is what a build takes of the plan, which is for all systems and packages.
type share struct {
	// points and packages hold those of this build.
	points, packages int
	// elsewhere are points in files that constraints leave out of it, outside those in
	// packages that it does not take.
	elsewhere, outside int
}

// wholePlan is the share where nobody knows better.
func wholePlan(x *plan.Index) share { return share{points: x.Points, packages: len(x.Packages)} }

// shareOf counts what a build takes.
func (d *door) shareOf(build *goat.Build) share {
	if build == nil {
		return wholePlan(d.index)
	}
	listed := map[string]*goat.Package{}
	for i := range build.Packages {
		listed[build.Packages[i].ImportPath] = &build.Packages[i]
	}
	var s share
	for _, ref := range d.index.Packages {
		if dep, _, _ := d.depOf(ref.Dir); dep != nil {
			// Of an upgraded module the plan has no other packages than the build's.
			s.points, s.packages = s.points+ref.Counters, s.packages+1
			continue
		}
		s.add(ref, listed[ref.ImportPath])
	}
	return s
}

func (s *share) add(ref plan.PackageRef, p *goat.Package) {
	if p == nil {
		s.outside += ref.Counters
		return
	}
	is := map[string]byte{}
	for _, name := range p.IgnoredGoFiles {
		is[name] = 'i'
	}
	for _, name := range append(p.GoFiles, p.CgoFiles...) {
		is[name] = 'b'
	}
	held := 0
	for name, points := range ref.Files {
		switch is[name] {
		case 'b':
			held += points
		case 'i':
			s.elsewhere += points
		default:
			s.outside += points
		}
	}
	if s.points += held; held > 0 {
		s.packages++
	}
}

// listing asks go what the build takes; nil where it cannot say.
func (d *door) listing(ctx context.Context) *goat.Build {
	if d.Verb == "generate" || d.index.Points == 0 {
		return nil
	}
	query := golist.Query{
		Dir: d.args.Dir, Environ: d.userEnviron(), Cache: d.cache.dir,
		Flags: d.args.Module(), Overlay: d.args.Overlay, Tests: d.Verb == "test",
	}
	if d.Verb != "env" {
		if query.Patterns = d.args.Packages; len(query.Patterns) == 0 {
			query.Patterns = []string{"."}
		}
	}
	if !d.Settings.Quiet {
		query.Say = func(line string) { fmt.Fprintln(d.errOut(), printable.Text(line)) }
	}
	build, err := query.Build(ctx)
	if err != nil {
		return nil // go itself will say what is wrong
	}
	return build
}

// rest names, behind the numbers of a build, what of the plan is not in it.
func (s share) rest() string {
	var more []string
	if s.elsewhere > 0 {
		more = append(more, fmt.Sprintf("%d in files for other systems or tags", s.elsewhere))
	}
	if s.outside > 0 {
		more = append(more, fmt.Sprintf("%d in packages outside this build", s.outside))
	}
	if len(more) == 0 {
		return ""
	}
	return "; besides " + strings.Join(more, ", ")
}
