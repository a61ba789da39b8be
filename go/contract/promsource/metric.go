package promsource

import (
	"go/ast"
	"slices"
	"strings"
)

// metric is one place that makes a metric, or the description of one.
type metric struct {
	call *ast.CallExpr
	pkg  *pkg
	// kind is counter, gauge, histogram, summary, untyped or desc.
	kind string
	vec  bool
	// name is the full name; named is false where it is not known.
	name  string
	named bool
	help  text
	// labels are the variable ones; labelled is false where not even their number is known.
	labels   []text
	labelled bool
	// constant are the constant labels.
	constant      map[string]text
	constantKnown bool
	// auto says that promauto registers it, with the default registry or another.
	auto         bool
	autoRegistry string
}

// text is a string that may not be known.
type text struct {
	value string
	known bool
}

// labelNames are the variable labels in order; false where one is not known.
func (m *metric) labelNames() ([]string, bool) {
	if !m.labelled {
		return nil, false
	}
	names := make([]string, len(m.labels))
	for i, l := range m.labels {
		if !l.known {
			return nil, false
		}
		names[i] = l.value
	}
	return names, true
}

var kinds = []string{"Counter", "Gauge", "Histogram", "Summary", "Untyped"}

// made is the metric that a call makes; nil where it makes none.
func (a *analysis) made(call *ast.CallExpr, own *pkg) *metric {
	f := a.callee(call)
	if !in(f, library, auto) || len(call.Args) == 0 {
		return nil
	}
	of := receiver(f)
	if of != "" && of != "Factory" && !strings.EqualFold(of, "v2") {
		return nil
	}
	if f.Name() == "NewDesc" && of == "" {
		return a.described(call, own)
	}
	shape, is := strings.CutPrefix(f.Name(), "New")
	if !is {
		return nil
	}
	m := &metric{call: call, pkg: own, auto: in(f, auto)}
	if m.auto {
		m.autoRegistry = a.factory(call, of)
	}
	shape, m.vec = strings.CutSuffix(shape, "Vec")
	shape = strings.TrimSuffix(shape, "Func")
	if !slices.Contains(kinds, shape) {
		return nil
	}
	m.kind = strings.ToLower(shape)
	if strings.EqualFold(of, "v2") {
		return m // its options are of another shape: nothing of it is known
	}
	a.options(m, call.Args[0])
	if !m.vec {
		m.labelled = true
	} else if len(call.Args) > 1 {
		m.labels, m.labelled = a.texts(call.Args[1], nil)
	}
	return m
}

// factory is the registry of promauto.With(registry).NewX.
func (a *analysis) factory(call *ast.CallExpr, of string) string {
	if of == "" {
		return byDefault
	}
	selector, is := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !is {
		return ""
	}
	from := ast.Unparen(selector.X)
	if v := a.variable(from); v != nil {
		s := a.assigned[v]
		if s == nil || s.open || len(s.exprs) != 1 {
			return ""
		}
		from = ast.Unparen(s.exprs[0])
	}
	with, is := from.(*ast.CallExpr)
	if !is || len(with.Args) != 1 || !in(a.callee(with), auto) {
		return ""
	}
	return a.registry(with.Args[0])
}

func (a *analysis) described(call *ast.CallExpr, own *pkg) *metric {
	m := &metric{call: call, pkg: own, kind: "desc", vec: true}
	if len(call.Args) != 4 {
		return m
	}
	name := a.text(call.Args[0], nil)
	m.name, m.named = name.value, name.known && name.value != ""
	m.help = a.text(call.Args[1], nil)
	m.labels, m.labelled = a.texts(call.Args[2], nil)
	m.constant, m.constantKnown = a.pairs(call.Args[3], nil)
	return m
}

// options reads CounterOpts{…} and its like.
func (a *analysis) options(m *metric, e ast.Expr) {
	l := a.one(e, nil)
	if call, is := l.(*ast.CallExpr); is && len(call.Args) == 1 && a.info.Types[call.Fun].IsType() {
		l = a.one(call.Args[0], nil)
	}
	literal, is := l.(*ast.CompositeLit)
	if !is {
		return
	}
	parts := map[string]text{"Namespace": {known: true}, "Subsystem": {known: true}, "Name": {known: true}, "Help": {known: true}}
	m.constant, m.constantKnown = map[string]text{}, true
	for _, elt := range literal.Elts {
		pair, is := elt.(*ast.KeyValueExpr)
		if !is {
			return
		}
		key, is := pair.Key.(*ast.Ident)
		if !is {
			return
		}
		if _, wanted := parts[key.Name]; wanted {
			parts[key.Name] = a.text(pair.Value, nil)
		}
		if key.Name == "ConstLabels" {
			m.constant, m.constantKnown = a.pairs(pair.Value, nil)
		}
	}
	m.help = parts["Help"]
	if name := parts["Name"]; parts["Namespace"].known && parts["Subsystem"].known && name.known && name.value != "" {
		m.name, m.named = joined(parts["Namespace"].value, parts["Subsystem"].value, name.value), true
	}
}
