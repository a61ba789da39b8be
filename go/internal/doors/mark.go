package doors

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go/internal/gocmd"
	"github.com/goat-trace/goat/go/internal/toolexec"
)

// stampPattern matches no package: no module has a directory with a colon. Its value
// stands last, because the build information of a binary shows the last -gcflags only,
// and is compiled in: a marker there would link programs anew that do not hold the
// package.
const stampPattern = "./goat:build"

// limit, set by tests, is a lower limit than the system's.
var limit int

// argumentLimit is how many bytes of -gcflags go and its tools can be given: the
// system's limit for all arguments and variables, with room for the user's.
func argumentLimit() int {
	if limit > 0 {
		return limit
	}
	if runtime.GOOS == "windows" {
		return 16 << 10
	}
	return 512 << 10
}

// environmentLimit is the same for GOFLAGS: one variable may take 128 KB on Linux.
func environmentLimit() int {
	if runtime.GOOS == "windows" {
		return 8 << 10
	}
	return 96 << 10
}

// marked is a planned package with the user's flags that it would get.
type marked struct {
	// pattern is the package as -gcflags names it: its import path, or its directory.
	pattern string
	marker  string
	module  string
	flags   string
	// dir is the package's directory, and root that of its module.
	dir, root string
}

// markers returns the values of -gcflags that mark the planned packages and keep
// the user's own flags for them. Beyond limit bytes the markers of a module become
// one, which is the plan's hash.
//
// From the directory from, go can be told directories in place of import paths. For an
// import path, go 1.26 compiles a regular expression per package that it loads, and for
// a directory it compares two texts: with many markers that is most of a build in which
// nothing has changed. from is empty where the values serve more than one directory.
func (d *door) markers(limit int, from string) ([]string, error) {
	list, err := d.markedPackages()
	if err != nil {
		return nil, err
	}
	d.byDirectory(list, from)
	var values []string
	size := 0
	for _, m := range list {
		value := m.pattern + "=" + m.flags + d.lost() + "-goatmark=" + m.marker
		values = append(values, value)
		size += len(value) + len("'-gcflags='  ")
	}
	if size > limit {
		values = d.grouped(list)
	}
	if d.Settings.Panics {
		value, err := d.panicsMarker()
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	identity, err := d.identity()
	return append(values, stampPattern+"="+identity), err
}

// panicsMarker marks package runtime, with the user's own flags for it.
func (d *door) panicsMarker() (string, error) {
	words, err := d.args.Effective(gocmd.Package{ImportPath: "runtime", Standard: true})
	if err != nil {
		return "", err
	}
	flags, err := gocmd.Join(words)
	return "runtime=" + spaced(flags) + d.lost() + "-goatmark=" + toolexec.PanicsMarker, err
}

// byDirectory names packages by their directories where it is sure how go spells them:
// in the module around from, and in the modules that its workspace uses.
func (d *door) byDirectory(list []marked, from string) {
	if from == "" {
		return
	}
	for i := range list {
		m := &list[i]
		if !slices.Contains(d.work, m.root) || m.pattern == toolexec.FileList {
			continue
		}
		rel, err := filepath.Rel(from, m.dir)
		if err != nil {
			continue
		}
		pattern := filepath.ToSlash(rel)
		if pattern != "." && pattern != ".." && !strings.HasPrefix(pattern, "../") {
			pattern = "./" + pattern
		}
		if strings.Contains(pattern, "...") || strings.Contains(pattern, "=") || strings.TrimSpace(pattern) != pattern {
			continue
		}
		m.pattern = pattern
	}
}

func (d *door) markedPackages() ([]marked, error) {
	var list []marked
	files := d.fileDir()
	for _, ref := range d.index.Packages {
		p := d.pkg(ref.ImportPath, ref.Dir)
		words, err := d.args.Effective(p)
		if err != nil {
			return nil, err
		}
		flags, err := gocmd.Join(words)
		if err != nil {
			return nil, err
		}
		m := marked{pattern: ref.ImportPath, marker: ref.Marker + d.kind(), flags: spaced(flags), dir: p.Dir, root: p.ModuleDir}
		if dep, _, _ := d.depOf(ref.Dir); dep != nil {
			m.module = dep.Path
		} else if module := d.moduleOf(ref.Dir); module != nil {
			m.module = module.Path
		}
		list = append(list, m)
		if files != "" && sameDir(p.Dir, files) {
			m.pattern = toolexec.FileList
			if m.flags, err = d.fileFlags(); err != nil {
				return nil, err
			}
			list = append(list, m)
		}
	}
	return list, nil
}

// kind is what the marker says of the build besides the plan.
func (d *door) kind() string {
	if d.args.Value("buildmode") == "pie" {
		return toolexec.PIE
	}
	return ""
}

// lost is a flag that only a compiler without goat's helper reads, and says that it does
// not know it: after `goat env`, another -toolexec may stand on the command line.
func (d *door) lost() string {
	if d.Verb == "env" {
		return toolexec.Lost + " "
	}
	return ""
}

func spaced(flags string) string {
	if flags == "" {
		return ""
	}
	return flags + " "
}

// fileDir is the directory of the Go files on the command line, if there are any:
// they make a package of the name command-line-arguments.
func (d *door) fileDir() string {
	files := d.args.Files()
	if len(files) == 0 {
		return ""
	}
	return filepath.Dir(d.absolute(files[0]))
}

func (d *door) absolute(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(d.args.Dir, path)
}

// fileFlags are the user's flags for the package of the files on the command line.
func (d *door) fileFlags() (string, error) {
	asked := *d.args
	asked.Packages = []string{toolexec.FileList}
	words, err := asked.Effective(gocmd.Package{ImportPath: toolexec.FileList, Dir: d.fileDir()})
	if err != nil {
		return "", err
	}
	flags, err := gocmd.Join(words)
	return spaced(flags), err
}

// grouped marks whole modules with the plan's hash. The user's own values follow once
// more, with the marker: they are for packages without points too, and go takes the last
// one that matches.
func (d *door) grouped(list []marked) []string {
	marker := d.lost() + "-goatmark=" + d.index.PlanHash + d.kind()
	var modules, values, files []string
	for _, m := range list {
		if m.pattern == toolexec.FileList {
			files = append(files, toolexec.FileList+"="+m.flags+marker)
		} else if !slices.Contains(modules, m.module) {
			modules = append(modules, m.module)
		}
	}
	slices.Sort(modules)
	for _, module := range modules {
		values = append(values, module+"/...="+marker)
	}
	for _, value := range d.args.Gcflags {
		value = strings.TrimSpace(value)
		pattern, flags, ok := strings.Cut(value, "=")
		switch pattern = strings.TrimSpace(pattern); {
		case value == "":
			values = append(values, marker)
		case !ok || strings.HasPrefix(value, "-"):
			values = append(values, value+" "+marker)
		case pattern == "all": // without a marker for the standard library
			for _, module := range modules {
				values = append(values, module+"/...="+spaced(flags)+marker)
			}
		case gocmd.Reaches(pattern, modules):
			values = append(values, pattern+"="+spaced(flags)+marker)
		}
	}
	return append(values, files...)
}
