package promsource

import (
	"embed"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// Import paths of the library.
const (
	library = "github.com/prometheus/client_golang/prometheus"
	auto    = library + "/promauto"
	http    = library + "/promhttp"
)

//go:embed stub/*.txt
var stubs embed.FS

var stubbed = map[string]string{library: "stub/prometheus.go.txt", auto: "stub/promauto.go.txt"}

// program is the Go code of one side. It is type-checked as far as its own sources and the
// stub of the library go: what comes from elsewhere is of an invalid type and decides
// nothing.
type program struct {
	fset     *token.FileSet
	info     *types.Info
	packages map[string]*pkg // by import path
	parents  map[ast.Node]ast.Node
	// unsure are names that stand where nobody knows what they mean: in files that this
	// platform does not compile, and in expressions of unknown type.
	unsure map[string]bool
	// broken are files that do not parse.
	broken int
}

type pkg struct {
	path    string
	name    string
	files   []*ast.File
	types   *types.Package
	started bool
	broken  bool
}

// skipped tells directories that the go command passes over, and code of others.
func skipped(file string) bool {
	if strings.HasSuffix(file, "_test.go") {
		return true
	}
	elems := strings.Split(path.Dir(file), "/")
	return slices.ContainsFunc(elems, func(elem string) bool {
		return elem == "vendor" || elem == "testdata" || elem != "." && (strings.HasPrefix(elem, ".") || strings.HasPrefix(elem, "_"))
	})
}

func load(files map[string]string) *program {
	p := &program{
		fset: token.NewFileSet(), packages: map[string]*pkg{}, parents: map[ast.Node]ast.Node{}, unsure: map[string]bool{},
		info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{}},
	}
	modules := modulesOf(files)
	names := make([]string, 0, len(files))
	for name := range files {
		if strings.HasSuffix(name, ".go") && !skipped(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		p.add(name, files[name], importPath(modules, path.Dir(name)), files)
	}
	paths := p.paths()
	for _, name := range paths {
		p.settle(p.packages[name])
	}
	for _, name := range paths {
		p.check(p.packages[name])
	}
	for _, name := range paths {
		for _, f := range p.packages[name].files {
			p.note(f)
		}
	}
	return p
}

func (p *program) paths() []string {
	paths := make([]string, 0, len(p.packages))
	for name := range p.packages {
		paths = append(paths, name)
	}
	slices.Sort(paths)
	return paths
}

// modulesOf are the module paths by directory.
func modulesOf(files map[string]string) map[string]string {
	modules := map[string]string{}
	for name, text := range files {
		if path.Base(name) == "go.mod" && !skipped(name) {
			modules[path.Dir(name)] = modfile.ModulePath([]byte(text))
		}
	}
	return modules
}

func importPath(modules map[string]string, dir string) string {
	for at, below := dir, ""; ; at, below = path.Dir(at), path.Join(path.Base(at), below) {
		if module := modules[at]; module != "" {
			return path.Join(module, below)
		}
		if at == "." || at == "/" {
			return path.Join("_", dir)
		}
	}
}

// add parses a file. One that this platform does not compile is only looked at for names.
func (p *program) add(name, text, importPath string, files map[string]string) {
	f, err := parser.ParseFile(p.fset, name, text, parser.SkipObjectResolution)
	if err != nil {
		p.broken++
	}
	if f == nil || f.Name == nil {
		return
	}
	own := p.packages[importPath]
	if own == nil {
		own = &pkg{path: importPath}
		p.packages[importPath] = own
	}
	own.broken = own.broken || err != nil
	if err != nil || !compiled(name, files) {
		p.doubt(f)
		return
	}
	own.files = append(own.files, f)
}

// compiled tells whether a common platform compiles a file.
func compiled(name string, files map[string]string) bool {
	context := build.Default
	context.GOOS, context.GOARCH, context.CgoEnabled = "linux", "amd64", true
	context.OpenFile = func(file string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(files[name])), nil
	}
	is, err := context.MatchFile(path.Dir(name), path.Base(name))
	return is && err == nil
}

// doubt makes all names of a file unsure.
func (p *program) doubt(f *ast.File) {
	ast.Inspect(f, func(n ast.Node) bool {
		if id, is := n.(*ast.Ident); is {
			p.unsure[id.Name] = true
		}
		return true
	})
}

// settle leaves the files of one package in a directory.
func (p *program) settle(own *pkg) {
	counts := map[string]int{}
	for _, f := range own.files {
		counts[f.Name.Name]++
		if n := counts[f.Name.Name]; n > counts[own.name] || own.name == "" {
			own.name = f.Name.Name
		}
	}
	own.files = slices.DeleteFunc(own.files, func(f *ast.File) bool {
		if f.Name.Name != own.name {
			p.doubt(f)
			return true
		}
		return false
	})
}

// check checks a package; what is wrong in it is the compiler's to say.
func (p *program) check(own *pkg) *types.Package {
	if own.started {
		return own.types // nil within a circle
	}
	own.started = true
	config := types.Config{Importer: p, FakeImportC: true, Error: func(error) {}, IgnoreFuncBodies: false}
	own.types, _ = config.Check(own.path, p.fset, own.files, p.info)
	return own.types
}

// Import gives a package of the sources, the stub of the library, or an empty one.
func (p *program) Import(name string) (*types.Package, error) {
	own := p.packages[name]
	if own == nil && stubbed[name] != "" {
		own = p.stub(name)
	}
	if own != nil {
		if found := p.check(own); found != nil {
			return found, nil
		}
	}
	empty := types.NewPackage(name, guessed(name))
	empty.MarkComplete()
	return empty, nil
}

func (p *program) stub(name string) *pkg {
	text, err := stubs.ReadFile(stubbed[name])
	if err != nil {
		return nil
	}
	f, err := parser.ParseFile(p.fset, "", text, parser.SkipObjectResolution)
	if err != nil {
		return nil
	}
	own := &pkg{path: name, name: f.Name.Name, files: []*ast.File{f}}
	p.packages[name] = own
	return own
}

// guessed is the name of a package whose sources are elsewhere.
func guessed(name string) string {
	base := path.Base(name)
	if len(base) > 1 && base[0] == 'v' && strings.Trim(base[1:], "0123456789") == "" && path.Dir(name) != "." {
		base = path.Base(path.Dir(name))
	}
	base, _, _ = strings.Cut(base, ".v")
	base = strings.TrimSuffix(strings.TrimPrefix(base, "go-"), "-go")
	return strings.ReplaceAll(base, "-", "_")
}

// note notes the parents of nodes, and the names that were not understood.
func (p *program) note(f *ast.File) {
	var stack []ast.Node
	ast.Inspect(f, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		if len(stack) > 0 {
			p.parents[n] = stack[len(stack)-1]
		}
		stack = append(stack, n)
		if id, is := n.(*ast.Ident); is && p.info.Uses[id] == nil && p.info.Defs[id] == nil {
			p.unsure[id.Name] = true
		}
		return true
	})
}

// place is where something stands.
func (p *program) place(pos token.Pos) token.Position { return p.fset.Position(pos) }

// mains are the packages that make programs, and what each imports of these sources.
func (p *program) mains() []map[string]bool {
	var all []map[string]bool
	for _, name := range p.paths() {
		if p.packages[name].name == "main" {
			reached := map[string]bool{}
			p.reach(name, reached)
			all = append(all, reached)
		}
	}
	return all
}

func (p *program) reach(name string, reached map[string]bool) {
	own := p.packages[name]
	if own == nil || reached[name] {
		return
	}
	reached[name] = true
	for _, f := range own.files {
		for _, spec := range f.Imports {
			p.reach(strings.Trim(spec.Path.Value, `"`+"`"), reached)
		}
	}
}
