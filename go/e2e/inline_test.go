package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestInlining makes a module out of those packages of the standard library that can
// stand in one, all of it changed, and compares what the compiler inlines there with
// a point at every run of statements and without.
func TestInlining(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles much of the standard library twice")
	}
	m := look(t)
	c := copies{machine: m, dir: t.TempDir(), plans: t.TempDir()}
	c.fill(t)
	plain := c.run(t, "go", "build", "-gcflags=example.com/copies/...=-m", "./...")
	goat := c.run(t, m.goat, "-q", "--base=base", "build", "-gcflags=example.com/copies/...=-m", "./...")
	without, with := decisions(plain), decisions(goat)
	if len(without) < 1000 {
		t.Fatalf("only %d decisions in\n%.2000s", len(without), plain)
	}
	if strings.Contains(string(goat), "goat_") {
		t.Errorf("the compiler's output names what is goat's own:\n%s", linesWith(goat, "goat_"))
	}
	points := c.points(t)
	changed := differ(without, with)
	t.Logf("%d points, %d decisions, %d changed", len(points), len(without), len(changed))
	if len(changed)*1000 > len(points) {
		t.Errorf("%d of %d inlining decisions changed by %d points:\n%s", len(changed), len(without), len(points), strings.Join(changed, "\n"))
	}
	c.checkForms(t, points, without)
}

// TestInliningNearTheLimits compares functions on both sides of the inliner's two limits:
// those that cost about 80, and callers of about 5,000 nodes. Only in functions that the
// plan calls large may a call be inlined no more, and a function can be inlined as before.
func TestInliningNearTheLimits(t *testing.T) {
	m := look(t)
	c := copies{machine: m, dir: t.TempDir(), plans: t.TempDir()}
	c.begin(t, "1.21")
	c.write(t, "limits.go", limits())
	build := []string{"build", "-gcflags=example.com/copies=-m", "-o", os.DevNull, "."}
	without := decisions(c.run(t, append([]string{"go"}, build...)...))
	for _, granularity := range []string{"patch", "line"} {
		flags := []string{"-q", "--base=base", "--granularity=" + granularity}
		with := decisions(c.run(t, append(append([]string{m.goat}, flags...), build...)...))
		large := map[string]bool{}
		for _, p := range c.points(t, "--granularity="+granularity) {
			large[p.Func] = large[p.Func] || p.Large
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, filepath.Join(c.dir, "limits.go"), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		changed := differ(without, with)
		for _, line := range changed {
			number, _ := strconv.Atoi(strings.Split(line, ":")[1])
			if caller := functionAt(set, file, number); !strings.Contains(line, ": inlining call to ") || !large[caller] {
				t.Errorf("granularity %s: in %s, which the plan does not call large: %s", granularity, caller, line)
			}
		}
		if large["leaf9"] || large["big0"] || !large["big5"] {
			t.Errorf("granularity %s: large are %v", granularity, large)
		}
		t.Logf("granularity %s: %d decisions, %d changed", granularity, len(without), len(changed))
	}
}

// limits is a program of functions that cost more and more, and of callers of all of
// them that are larger and larger.
func limits() []byte {
	var b bytes.Buffer
	b.WriteString("package main\n\nvar a, b [64]int\n")
	var names []string
	for n := 1; n < 24; n++ {
		fmt.Fprintf(&b, "\nfunc leaf%d(n int) int {\n", n)
		for i := range n {
			fmt.Fprintf(&b, "\tn += a[%d] ^ n\n", i)
		}
		fmt.Fprintf(&b, "\treturn n\n}\n\nfunc cond%d(n int) int {\n", n)
		for i := range n {
			fmt.Fprintf(&b, "\tif n > %d {\n\t\tn++\n\t}\n", i)
		}
		b.WriteString("\treturn n\n}\n")
		names = append(names, fmt.Sprintf("leaf%d", n), fmt.Sprintf("cond%d", n))
	}
	const callers = 8
	for k := range callers {
		fmt.Fprintf(&b, "\nfunc big%d(n int) int {\n", k)
		for i := range 80 * (k + 1) {
			fmt.Fprintf(&b, "\tb[%d] = a[%d] + n*%d\n", i%64, i*7%64, i)
		}
		for _, name := range names {
			fmt.Fprintf(&b, "\tn += %s(n)\n", name)
		}
		b.WriteString("\treturn n\n}\n")
	}
	b.WriteString("\nfunc main() {\n")
	for k := range callers {
		fmt.Fprintf(&b, "\tprintln(big%d(1))\n", k)
	}
	b.WriteString("}\n")
	return b.Bytes()
}

// functionAt names the function around a line.
func functionAt(set *token.FileSet, file *ast.File, line int) string {
	name := ""
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && set.Position(f.Pos()).Line <= line {
			name = f.Name.Name
		}
	}
	return name
}

// copies is the module.
type copies struct {
	machine
	dir, plans string
}

func (c *copies) run(t *testing.T, line ...string) []byte {
	t.Helper()
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOWORK=off", "GOENV=off", "GOTOOLCHAIN=local", "GOAT_CACHE="+c.plans,
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%.4000s", line, err, out)
	}
	return out
}

// fill copies the packages that import nothing which only the standard library may.
func (c *copies) fill(t *testing.T) {
	t.Helper()
	version := strings.TrimPrefix(strings.TrimSpace(string(c.run(t, "go", "env", "GOVERSION"))), "go")
	language := strings.Join(strings.SplitN(version, ".", 3)[:2], ".")
	c.begin(t, language)
	list := json.NewDecoder(bytes.NewReader(c.run(t, "go", "list", "-json=Dir,ImportPath,Name,GoFiles,SFiles,CgoFiles,EmbedFiles,Imports", "std")))
	for list.More() {
		var p struct {
			Dir, ImportPath, Name                 string
			GoFiles, SFiles, CgoFiles, EmbedFiles []string
			Imports                               []string
		}
		if err := list.Decode(&p); err != nil {
			t.Fatal(err)
		}
		private := func(path string) bool {
			return path == "unsafe" || path == "C" || slices.Contains(strings.Split(path, "/"), "internal") || strings.HasPrefix(path, "vendor/")
		}
		if private(p.ImportPath) || slices.ContainsFunc(p.Imports, private) || len(p.SFiles)+len(p.CgoFiles)+len(p.EmbedFiles) > 0 {
			continue
		}
		for _, name := range p.GoFiles {
			data, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(data, []byte("//go:linkname")) {
				data = regexp.MustCompile(`(?m)^//go:linkname.*$`).ReplaceAll(data, nil)
			}
			c.write(t, filepath.Join(filepath.FromSlash(p.ImportPath), name), data)
		}
	}
}

// begin makes the module's repository; what is written later is changed.
func (c *copies) begin(t *testing.T, language string) {
	t.Helper()
	c.write(t, "go.mod", []byte("module example.com/copies\n\ngo "+language+"\n"))
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=e2e", "-c", "user.email=e2e@example.com", "commit", "-q", "-m", "base"}, {"tag", "base"}} {
		c.run(t, append([]string{"git"}, args...)...)
	}
}

func (c *copies) write(t *testing.T, name string, data []byte) {
	t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

var decisionLine = regexp.MustCompile(`(?m)^(\S+:\d+:\d+: (?:can inline|inlining call to) \S+)$`)

// decisions are what -m says about inlining, sorted.
func decisions(output []byte) []string {
	var found []string
	for _, m := range decisionLine.FindAllSubmatch(output, -1) {
		found = append(found, strings.TrimPrefix(string(m[1]), "./"))
	}
	slices.Sort(found)
	return found
}

// differ lists what only one of two sorted lists holds.
func differ(a, b []string) []string {
	var out []string
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0] < b[0]:
			out, a = append(out, "- "+a[0]), a[1:]
		case len(a) == 0 || b[0] < a[0]:
			out, b = append(out, "+ "+b[0]), b[1:]
		default:
			a, b = a[1:], b[1:]
		}
	}
	return out
}

func linesWith(text []byte, what string) string {
	var out []string
	for _, line := range strings.Split(string(text), "\n") {
		if strings.Contains(line, what) {
			out = append(out, line)
		}
	}
	return strings.Join(out[:min(len(out), 20)], "\n")
}

type plannedPoint struct {
	File, Form, FormReason, Func string
	InlineCost                   int
	Large                        bool
	Start                        struct{ Line, Column int }
}

func (c *copies) points(t *testing.T, flags ...string) []plannedPoint {
	t.Helper()
	cmd := exec.Command(c.goat, append(flags, "--base=base", "plan", "--format=json")...)
	cmd.Dir, cmd.Env = c.dir, append(os.Environ(), "GOAT_CACHE="+c.plans, "GOFLAGS=", "GOWORK=off")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var plan struct{ Points []plannedPoint }
	if err := json.Unmarshal(out, &plan); err != nil {
		t.Fatal(err)
	}
	return plan.Points
}

// checkForms holds the core's estimate against the compiler: no function that can be
// inlined has a point that calls. Functions with literals are left out, because a
// point's place does not say in which of them it stands.
func (c *copies) checkForms(t *testing.T, points []plannedPoint, decided []string) {
	t.Helper()
	inlined := map[string]bool{}
	for _, line := range decided {
		if place, _, ok := strings.Cut(line, ": can inline "); ok {
			file, rest, _ := strings.Cut(place, ":")
			number, _, _ := strings.Cut(rest, ":")
			inlined[file+":"+number] = true
		}
	}
	functions := map[string]map[int]string{}
	exact, store, needless := 0, 0, 0
	for _, p := range points {
		if functions[p.File] == nil {
			functions[p.File] = c.functions(t, p.File)
		}
		place := functions[p.File][p.Start.Line]
		switch {
		case place == "":
		case p.FormReason == "starter":
			// init may count as inlinable, but nothing can call it.
		case p.Form == "exact" && inlined[place]:
			t.Errorf("%s:%d: %s can be inlined, but its point is exact (%s, cost at least %d)", p.File, p.Start.Line, p.Func, p.FormReason, p.InlineCost)
		case p.Form == "exact":
			exact++
		case inlined[place]:
			store++
		default:
			needless++
		}
	}
	t.Logf("points in functions without literals: %d exact, %d store, %d store though never inlined", exact, store, needless)
	if exact == 0 || store == 0 {
		t.Error("nothing was compared")
	}
}

// functions maps the lines of a file's functions without literals to the place where
// the function is named.
func (c *copies) functions(t *testing.T, file string) map[int]string {
	t.Helper()
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, filepath.Join(c.dir, filepath.FromSlash(file)), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	lines := map[int]string{}
	for _, decl := range tree.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		literal := false
		ast.Inspect(f, func(n ast.Node) bool {
			_, found := n.(*ast.FuncLit)
			literal = literal || found
			return !literal
		})
		if literal {
			continue
		}
		place := file + ":" + strings.Split(set.Position(f.Name.Pos()).String(), ":")[1]
		for line := set.Position(f.Body.Lbrace).Line; line <= set.Position(f.Body.Rbrace).Line; line++ {
			lines[line] = place
		}
	}
	return lines
}
