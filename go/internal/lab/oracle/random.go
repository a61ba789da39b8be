package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// randomPair makes a repository with two commits, v1 and v2, of a module of random
// functions, the second an edit of the first. The same seed makes the same module.
func randomPair(ctx context.Context, tree, seed string) error {
	number, err := strconv.ParseUint(seed, 10, 64)
	if err != nil {
		return fmt.Errorf("random:%s: a number is wanted", seed)
	}
	g := &generator{rand: rand.New(rand.NewPCG(number, 1))}
	program := g.program(12)
	if err := os.MkdirAll(tree, 0o777); err != nil {
		return err
	}
	for _, args := range [][]string{{"init", "-q"}, {"config", "user.name", "t"}, {"config", "user.email", "t@example.com"}} {
		if _, err := output(ctx, tree, nil, "git", args...); err != nil {
			return err
		}
	}
	for _, version := range []string{"v1", "v2"} {
		files := map[string]string{
			"go.mod": "module example.com/random\n\ngo 1.23\n", "help.go": helpText,
			"random.go": program.text(), "random_test.go": program.test(),
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(tree, name), []byte(text), 0o666); err != nil {
				return err
			}
		}
		for _, args := range [][]string{{"add", "-A"}, {"commit", "-q", "-m", version}, {"tag", version}} {
			if _, err := output(ctx, tree, nil, "git", args...); err != nil {
				return err
			}
		}
		program.edit(g)
	}
	return nil
}

// node is a statement: texts around statement lists, of which there is one less.
type node struct {
	texts []string
	lists [][]*node
	// void says that the lists are of a function without a result.
	void bool
	// swap is a part of the texts and what may take its place.
	swap [2]string
	// hidden says how the statement is put into a comment, 0 for not at all.
	hidden int
}

// exchange puts one part into the place of the other, wherever it stands.
func (n *node) exchange() {
	for i, text := range n.texts {
		n.texts[i] = strings.ReplaceAll(text, n.swap[0], n.swap[1])
	}
	n.swap[0], n.swap[1] = n.swap[1], n.swap[0]
}

// function is a declaration around a statement list.
type function struct {
	head, tail string
	body       []*node
	called     string
	// fixed functions stay as they are: their variables are of another type.
	fixed bool
	void  bool
	// swap is a part of the head and what an edit may put there.
	swap [2]string
}

type program struct{ functions []*function }

func (p *program) text() string {
	var out strings.Builder
	out.WriteString("package random\n")
	for _, f := range p.functions {
		out.WriteString("\n" + f.head + "\n")
		write(&out, f.body, 1)
		out.WriteString(f.tail + "\n")
	}
	return out.String()
}

func write(out *strings.Builder, list []*node, depth int) {
	for _, n := range list {
		if n.hidden == 0 {
			writeNode(out, n, depth)
			continue
		}
		// Comments do not nest: what is hidden inside stands as it is.
		var text strings.Builder
		writeNode(&text, n.shown(), depth)
		hide(out, n.hidden, text.String())
	}
}

func writeNode(out *strings.Builder, n *node, depth int) {
	for i, text := range n.texts {
		for _, line := range strings.Split(text, "\n") {
			out.WriteString(strings.Repeat("\t", depth) + line + "\n")
		}
		if i < len(n.lists) {
			write(out, n.lists[i], depth+1)
		}
	}
}

// shown is the statement with nothing hidden in it.
func (n *node) shown() *node {
	shown := &node{texts: n.texts}
	for _, list := range n.lists {
		var all []*node
		for _, inner := range list {
			all = append(all, inner.shown())
		}
		shown.lists = append(shown.lists, all)
	}
	return shown
}

// The ways to put code into a comment.
const (
	marksApart = 1 + iota
	marksBeside
	everyLine
	ways
)

func hide(out *strings.Builder, how int, text string) {
	switch how {
	case marksApart:
		out.WriteString("\t/*\n" + text + "\t*/\n")
	case marksBeside:
		out.WriteString("/* " + strings.TrimSuffix(text, "\n") + " */\n")
	default:
		for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
			out.WriteString("//" + line + "\n")
		}
	}
}

// test calls every function with a few arguments each, so that some branches run.
func (p *program) test() string {
	var out strings.Builder
	out.WriteString("package random\n\nimport \"testing\"\n\nfunc TestAll(t *testing.T) {\n\tsum := 0\n\tfor n := 0; n < 3; n++ {\n")
	for _, f := range p.functions {
		if f.called != "" {
			fmt.Fprintf(&out, "\t\tfuel = 40\n\t\tsum += call(%s, n, n*3+1, 2-n)\n", f.called)
		}
	}
	out.WriteString("\t}\n\tt.Log(sum)\n}\n")
	return out.String()
}

// edit changes some statements.
func (p *program) edit(g *generator) {
	for i, f := range p.functions {
		if f.swap[0] != "" && g.rand.IntN(2) == 0 {
			f.head = strings.ReplaceAll(f.head, f.swap[0], f.swap[1])
		}
		if !f.fixed && g.rand.IntN(4) > 0 {
			g.limit, g.void = i, f.void
			f.body = g.edited(f.body, 2)
		}
	}
}

// generator makes statements. All of them work on the variables a, b and c and declare
// nothing that another one needs, so that any may be put anywhere or taken away.
type generator struct {
	rand   *rand.Rand
	labels int
	// limit is how many of the functions may be called.
	limit int
	// void says that a statement may not return a value here.
	void bool
}

func (g *generator) edited(list []*node, depth int) []*node {
	var out []*node
	for _, n := range list {
		outside := g.void
		g.void = g.void || n.void
		for i := range n.lists {
			n.lists[i] = g.edited(n.lists[i], depth-1)
		}
		g.void = outside
		switch g.rand.IntN(18) {
		case 0:
		case 4, 5:
			// Code becomes comment, and comment code.
			n.hidden = (n.hidden + g.rand.IntN(ways)) % ways
			out = append(out, n)
		case 6, 7:
			n.exchange()
			out = append(out, n)
		case 1:
			out = append(out, g.statement(max(depth, 0)))
		case 2:
			out = append(out, n, g.statement(max(depth, 0)))
		case 3:
			out = append(out, &node{texts: []string{"// words"}}, n)
		default:
			out = append(out, n)
		}
	}
	return out
}

func (g *generator) program(count int) *program {
	p := &program{}
	for i := range count {
		g.limit = i
		f := &function{body: g.list(3), called: fmt.Sprintf("f%d", i)}
		f.head, f.tail = fmt.Sprintf("func f%d(a, b, c int) int {", i), "\treturn a + b - c\n}"
		switch i % 6 {
		case 1:
			f.head, f.called = fmt.Sprintf("func (t *box) f%d(a, b, c int) int {", i), fmt.Sprintf("(&box{n: 1}).f%d", i)
		case 2:
			f.head, f.called = fmt.Sprintf("func g%d[T ~int](a, b, c T) T {", i), fmt.Sprintf("g%d[int]", i)
			f.body = []*node{{texts: []string{"if a > b { return b }\nreturn func() T { return a - c }()"}}}
			f.tail, f.fixed = "}", true
		case 3:
			f.head, f.tail = fmt.Sprintf("var f%d = func(a, b, c int) int {", i), "\treturn a + b + c\n}"
		case 4:
			f.head, f.tail = fmt.Sprintf("func f%d(a, b, c int) (out int) {\n\tdefer func() { out += a }()", i), "\treturn b * c\n}"
		}
		p.functions = append(p.functions, f)
	}
	g.void = true
	p.functions = append(p.functions, &function{
		void: true,
		head: "func one(a, b, c int) int { return a + mix(b, c) }\n\nvar early = mix(3, one(1, 2, 3))\n\n" + initialisers + "\nfunc init() {",
		swap: [2]string{"/* 1 */", "+ 0"},
		body: g.list(2), tail: "\tearly += a + b + c\n}", called: "one",
	})
	last := p.functions[len(p.functions)-1]
	last.body = append([]*node{{texts: []string{"a, b, c := 1, 2, 3"}}}, last.body...)
	return p
}

func (g *generator) list(depth int) []*node {
	out := make([]*node, 1+g.rand.IntN(3))
	for i := range out {
		out[i] = g.statement(depth)
		if g.rand.IntN(9) == 0 {
			out[i].hidden = g.rand.IntN(ways)
		}
	}
	return out
}

func (g *generator) variable() string { return string("abc"[g.rand.IntN(3)]) }

func (g *generator) condition() string {
	c := fmt.Sprintf("%s%%%d == %d", g.variable(), 2+g.rand.IntN(3), g.rand.IntN(3))
	switch g.rand.IntN(5) {
	case 0:
		return c + " &&\n\t" + g.variable() + " > " + g.variable()
	case 1:
		return c + " || " + g.variable() + " < 2"
	case 2:
		return "func() bool { return " + c + " }()"
	}
	return c
}

func (g *generator) value() string {
	switch g.rand.IntN(9) {
	case 0:
		return "mix(" + g.variable() + ", " + g.variable() + ")"
	case 1:
		return "mix(\n\t" + g.variable() + ",\n\tfunc() int { return " + g.variable() + " }(),\n)"
	case 2:
		return "[]int{1, 2, " + g.variable() + "}[func() int { return " + g.variable() + " & 1 }()]"
	case 3:
		return "larger[int](" + g.variable() + ", " + g.variable() + ")"
	case 4:
		return "(box{n: " + g.variable() + "}).get()"
	case 5:
		return "(&box{n: 2}).\n\tadd(" + g.variable() + ").\n\tget()"
	case 6:
		return "map[string]func(int) int{\n\t\"x\": func(n int) int { return n + 1 },\n\t\"y\": func(n int) int {\n\t\treturn n - 1\n\t},\n}[\"x\"](" + g.variable() + ")"
	}
	return g.variable() + " + " + strconv.Itoa(g.rand.IntN(9))
}
