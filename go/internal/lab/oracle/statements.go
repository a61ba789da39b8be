package main

import "fmt"

// statement makes one statement with lists down to a depth.
func (g *generator) statement(depth int) *node {
	if depth <= 0 || g.rand.IntN(3) == 0 {
		return g.simple()
	}
	forms := []func(int) *node{
		g.branch, g.loop, g.cases, g.labelled, g.closure, g.jump,
	}
	return forms[g.rand.IntN(len(forms))](depth - 1)
}

func one(format string, args ...any) *node {
	return &node{texts: []string{fmt.Sprintf(format, args...)}}
}

// simple makes a statement without a list.
func (g *generator) simple() *node {
	v, w := g.variable(), g.variable()
	switch g.rand.IntN(14) {
	case 0:
		return one("%s, %s = %s, %s+1", "a", "b", "b", v)
	case 1:
		return one("if %s%%2 == 0 { %s++; %s-- }", v, v, w)
	case 2:
		return one("func() { %s++ }()", v)
	case 3:
		return one("{\n\tvar x, y = %s, %s\n\t_, _ = x, y\n}", v, w)
	case 4:
		return one("{\n\tconst k = 3\n\ttype local struct{ n int }\n\t%s += local{n: k}.n\n}", v)
	case 5:
		return one("{\n\tdone := make(chan int)\n\tgo func(n int) {\n\t\tdone <- n\n\t}(%s)\n\t%s = <-done\n}", v, w)
	case 6:
		return one("{\n\tget := box{n: %s}.get\n\t%s = get()\n}", v, w)
	case 7:
		if g.void {
			return one("%s += 2", v)
		}
		return one("if %s {\n\treturn %s\n}", g.condition(), v)
	case 8:
		if g.limit > 1 {
			return one("%s += call(f0, %s, 1, 2)", v, w)
		}
		return one("%s--", v)
	case 9:
		return one("switch x := any(%s).(type) {\ncase int: %s += x\ncase string, []byte:\n\t%s--\n}", v, v, w)
	}
	return one("%s = %s", v, g.value())
}

func (g *generator) branch(depth int) *node {
	switch g.rand.IntN(4) {
	case 0:
		return &node{
			texts: []string{"if " + g.condition() + " {", "} else if x := " + g.variable() + "; x > 1 {", "} else {", "}"},
			lists: [][]*node{g.list(depth), g.list(depth), g.list(depth)},
		}
	case 1:
		return &node{
			texts: []string{"if x := " + g.value() + "; x > 2 {", "}"}, lists: [][]*node{g.list(depth)},
		}
	case 2:
		return &node{
			texts: []string{"if " + g.condition() + " {", "} else if " + g.condition() + " {", "}"},
			lists: [][]*node{g.list(depth), g.list(depth)},
		}
	}
	return &node{texts: []string{"if " + g.condition() + " {", "} else {", "}"}, lists: [][]*node{g.list(depth), g.list(depth)}}
}

func (g *generator) loop(depth int) *node {
	v := g.variable()
	heads := []string{
		"for i := 0; i < 2; i++ {", "for i := range 3 {\n\t" + v + " += i", "for range 2 {",
		"for _, x := range []int{1, " + g.variable() + "} {\n\t" + v + " += x",
		"for x := range count(3) {\n\tif x == " + g.variable() + " {\n\t\tbreak\n\t}",
		"for i := 0; ; i++ {\n\tif i > 1 || " + g.condition() + " { break }",
	}
	if g.rand.IntN(3) == 0 {
		return g.posted(depth)
	}
	return &node{texts: []string{heads[g.rand.IntN(len(heads))], "}"}, lists: [][]*node{g.list(depth)}}
}

// posted makes a loop whose post statement has a line to itself, and a body that ends, is
// continued or left.
func (g *generator) posted(depth int) *node {
	head := "for i := 0;\n\ti < 3;\n\ti += 1 {"
	tail := []string{
		"}", "\tif " + g.condition() + " {\n\t\tcontinue\n\t}\n\tbreak\n}",
		"\tfor {\n\t\tif " + g.condition() + " { break }\n\t\tbreak\n\t}\n}",
		"\tswitch {\n\tcase " + g.condition() + ":\n\t\tcontinue\n\tdefault:\n\t\tbreak\n\t}; " + g.variable() + "++ }",
	}
	start := "if " + g.condition() + " { continue }"
	return &node{
		texts: []string{head + "\n\t" + start, tail[g.rand.IntN(len(tail))]}, lists: [][]*node{g.list(depth)},
		swap: [2]string{"i += 1 {", "i += 2 {"},
	}
}

func (g *generator) cases(depth int) *node {
	v := g.variable()
	lists := [][]*node{g.list(depth), g.list(depth), g.list(depth)}
	switch g.rand.IntN(4) {
	case 0:
		return &node{
			texts: []string{
				"switch " + v + " % 3 {\ncase 0,\n\tfunc() int { return 5 }():", "\tfallthrough\ncase mix(1, 1):", "default:", "}",
			}, lists: lists,
		}
	case 1:
		return &node{
			texts: []string{"switch {\ncase " + g.condition() + ":", "case " + g.condition() + ":", "default:", "}"}, lists: lists,
		}
	case 2:
		return &node{
			texts: []string{
				"switch x := pick(" + v + ").(type) {\ncase int:\n\t" + v + " += x", "case string, []byte:", "default:", "}",
			}, lists: lists,
		}
	}
	if g.rand.IntN(2) == 0 {
		return &node{
			texts: []string{
				"select {\ncase full <- mix(" + v + ", 1):", "case []int{1, 2}[mix(" + v + ", 3)&1] = <-ready(mix(" + v + ",\n\t1)):", "default:", "}",
			}, lists: lists, swap: [2]string{", 1)", ", 2)"},
		}
	}
	return &node{
		texts: []string{
			"select {\ncase full <- " + v + ":", "case x := <-ready(" + v + "):\n\t" + v + " += x", "default:", "}",
		}, lists: lists,
	}
}

func (g *generator) labelled(depth int) *node {
	g.labels++
	label := fmt.Sprintf("again%d", g.labels)
	v := g.variable()
	if g.rand.IntN(2) == 0 {
		return g.gone(label, depth)
	}
	if g.rand.IntN(2) == 0 {
		return &node{
			texts: []string{
				fmt.Sprintf("%s:\nfor i := 0; i < 3; i++ {\n\tswitch {\n\tcase i == 1: continue %s\n\tcase %s > 5: break %s\n\t}", label, label, v, label),
				"}",
			}, lists: [][]*node{g.list(depth)},
		}
	}
	return &node{
		texts: []string{
			fmt.Sprintf("{\n\trounds := 0\n%s:\n\trounds++\n\t{", label),
			fmt.Sprintf("\t}\n\tif rounds < 2 && %s%%2 == 0 {\n\t\tgoto %s\n\t}\n}", v, label),
		}, lists: [][]*node{g.list(depth)},
	}
}

// gone makes a loop, switch or select that a goto leads to, with and without other jumps.
func (g *generator) gone(label string, depth int) *node {
	lists := [][]*node{g.list(depth), g.list(depth)}
	again := fmt.Sprintf("\tif rounds < 2 {\n\t\trounds++\n\t\tgoto %s\n\t}", label)
	other := []string{"", fmt.Sprintf("\n\tif %s {\n\t\tbreak %s\n\t}", g.condition(), label)}[g.rand.IntN(2)]
	first := []string{"", "goto " + label, "if " + g.condition() + " { goto " + label + " }\n" + g.variable() + "++"}[g.rand.IntN(3)]
	head := fmt.Sprintf("{\n\trounds := 0\n%s\n%s:\n", first, label)
	swap := [2]string{"rounds < 9", "rounds < 8"}
	switch g.rand.IntN(3) {
	case 0:
		return &node{texts: []string{
			head + "for rounds < 9 {\n\trounds++" + other, again, "}\n}",
		}, lists: lists, swap: swap}
	case 1:
		return &node{texts: []string{
			head + "switch {\ncase rounds < 9:" + other, again + "\ndefault:", "}\n}",
		}, lists: lists, swap: swap}
	}
	return &node{texts: []string{
		head + "select {\ncase <-ready(mix(rounds)):" + other, again + "\ndefault:", again + "\n}\n}",
	}, lists: lists, swap: [2]string{"mix(rounds)", "mix(rounds, 2)"}}
}

// closure makes literals in statements of their own kinds.
func (g *generator) closure(depth int) *node {
	v := g.variable()
	if g.rand.IntN(5) == 0 {
		outside := g.void
		g.void = true
		lists := [][]*node{g.list(depth)}
		g.void = outside
		return &node{texts: []string{
			fmt.Sprintf("func() {\n\tdefer func() {\n\t\tif r := recover(); r != nil { %s++ }\n\t}()\n\tif %s { panic(\"x\") }", v, g.condition()),
			"}()",
		}, lists: lists, void: true}
	}
	outside := g.void
	g.void = false
	lists := [][]*node{g.list(depth)}
	g.void = outside
	switch g.rand.IntN(4) {
	case 1:
		return &node{texts: []string{fmt.Sprintf("%s += func(a int) int {", v), "\treturn a + 1\n}(b)"}, lists: lists}
	case 2:
		return &node{
			texts: []string{"{\n\tops := []func(int) int{func(n int) int { return n }, func(a int) int {", "\t\treturn a - 1\n\t}}\n\t" + v + " = ops[1](" + v + ")\n}"},
			lists: lists,
		}
	case 3:
		return &node{texts: []string{"each([]int{1, " + v + "}, func(c int) int {", "\treturn c\n})"}, lists: lists}
	}
	return &node{texts: []string{"if apply(func(b int) int {", "\treturn b + 1\n}, " + v + ") > 3 {\n\t" + v + "--\n}"}, lists: lists}
}

func (g *generator) jump(depth int) *node {
	g.labels++
	label := fmt.Sprintf("out%d", g.labels)
	return &node{
		texts: []string{
			fmt.Sprintf("{\n\tif %s {\n\t\tgoto %s\n\t}\n\t{", g.condition(), label),
			fmt.Sprintf("\t}\n%s:\n\t%s++\n}", label, g.variable()),
		}, lists: [][]*node{g.list(depth)},
	}
}

// initialisers are package variables whose values may panic, or cannot.
const initialisers = `var (
	rows   = []int{1, 2, mix(3)}
	second = rows[1] /* 1 */
	few    = rows[:2]
	ratio  = 7 /* 1 */ / len(few)
	same   = any(second) == any(ratio)
	plain  = 3 /* 1 */
	_, _, _ = same, plain, ratio
)
`

// helpText is the part of every random module that does not change.
const helpText = `package random

var (
	a, b, c int
	fuel    int
	full    = make(chan int, 1)
)

func mix(values ...int) int {
	sum := 0
	for _, v := range values {
		sum = sum*3%1000 + v
	}
	return sum
}

func larger[T ~int](a, b T) T {
	if a > b {
		return a
	}
	return b
}

type box struct{ n int }

func (t box) get() int       { return t.n }
func (t *box) add(n int) *box { t.n += n; return t }

func call(f func(a, b, c int) int, a, b, c int) int {
	fuel--
	if fuel < 0 {
		return 0
	}
	return f(a%100, b%100, c%100)
}

func count(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := 0; i < n && yield(i); i++ {
		}
	}
}

func pick(n int) any {
	switch n % 3 {
	case 0:
		return n
	case 1:
		return "x"
	}
	return nil
}

func ready(n int) chan int {
	ch := make(chan int, 1)
	if n%2 == 0 {
		ch <- n
	}
	return ch
}

func each(values []int, f func(int) int) {
	for _, v := range values {
		f(v)
	}
}

func apply(f func(int) int, n int) int { return f(n) }
`
