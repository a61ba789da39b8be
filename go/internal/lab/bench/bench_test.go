package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		in   series
		want float64
	}{{nil, 0}, {series{3}, 3}, {series{9, 1, 2}, 2}, {series{4, 1, 2, 9}, 3}} {
		if got := c.in.median(); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.in, got, c.want)
		}
	}
}

// A ratio is taken round by round: a slow round is slow for both.
func TestRow(t *testing.T) {
	var out bytes.Buffer
	b := &bench{out: &out}
	b.row("cold build: goat", "s", series{1, 10, 2}, series{1.02, 10.4, 2.06}, 1.05)
	if got := out.String(); !strings.Contains(got, "1.03x  (1.02..1.04)  ok, at most 1.05") {
		t.Error(got)
	}
	out.Reset()
	b.row("cold build: goat", "s", series{1}, series{1.2}, 1.05)
	if got := out.String(); !strings.Contains(got, "MISSED, at most 1.05") {
		t.Error(got)
	}
}

// A bar that is missed by more than the slack fails the run, with the row's name.
func TestRatioFailsTheRun(t *testing.T) {
	for _, c := range []struct {
		plain  series
		bar    float64
		missed []string
	}{
		{series{1, 1, 1}, 0, nil},
		{series{1, 1, 1}, 2, nil},
		{series{1, 1, 1}, 1.9, nil},
		{series{1, 1, 1}, 1.8, []string{"x is 2.00x, at most 1.8"}},
		{series{1}, 1.8, nil},
	} {
		b := &bench{out: &bytes.Buffer{}}
		b.row("x", "s", c.plain, series{2, 2, 2}, c.bar)
		if !slices.Equal(b.missed, c.missed) {
			t.Errorf("bar %v: %q, want %q", c.bar, b.missed, c.missed)
		}
	}
}

func TestLargeShapesAreGo(t *testing.T) {
	for _, shape := range shapes {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, shape.name, largeSource(shape.body(3), 1), 0)
		if err == nil {
			_, err = new(types.Config).Check("main", files, []*ast.File{file}, nil)
		}
		if err != nil {
			t.Errorf("%s: %v", shape.name, err)
		}
	}
}

func TestCountCompiles(t *testing.T) {
	std, all := countCompiles("compile -V=full\ncompile net/http\ncompile example.com/m\ncompile example.com/m [example.com/m.test]\nlink example.com/m\ncompile command-line-arguments\n")
	if std != 1 || all != 4 {
		t.Errorf("%d of %d", std, all)
	}
}

func TestDecisions(t *testing.T) {
	plain := parseDecisions([]byte("# example.com/m\n./a.go:3:6: can inline F\n./a.go:5:6: can inline G\nb/b.go:7:12: inlining call to m.F\n./a.go:3:8: x does not escape\n"))
	goat := parseDecisions([]byte("# example.com/m\n./a.go:3:6: can inline F\n./goat_main.go:9:6: can inline init.0\nb/b.go:7:12: inlining call to m.F\nb/b.go:7:12: inlining call to m.goat_s_2f3a\n"))
	if len(plain) != 3 {
		t.Errorf("%q", plain)
	}
	if got := differences(plain, goat); !slices.Equal(got, []string{"- a.go:5:6: can inline G"}) {
		t.Errorf("%q", got)
	}
	if got := differences(nil, plain[:1]); !slices.Equal(got, []string{"+ a.go:3:6: can inline F"}) {
		t.Errorf("%q", got)
	}
}

// What takes long is measured where somebody names it, and only then.
func TestChoose(t *testing.T) {
	all := []subject{{module: "a"}, {module: "b", slow: true}, {module: "c"}}
	modules := func(names ...string) (modules []string) {
		chosen, err := choose(all, names)
		if err != nil {
			return []string{err.Error()}
		}
		for _, s := range chosen {
			modules = append(modules, s.module)
		}
		return modules
	}
	for _, c := range []struct{ names, want []string }{
		{nil, []string{"a", "c"}},
		{[]string{"b", "a"}, []string{"b", "a"}},
		{[]string{"d"}, []string{"no subject d"}},
	} {
		if got := modules(c.names...); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.names, got, c.want)
		}
	}
}
