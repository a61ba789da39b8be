package promsource

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// joined is what prometheus.BuildFQName does.
func joined(namespace, subsystem, name string) string {
	parts := slices.DeleteFunc([]string{namespace, subsystem, name}, func(s string) bool { return s == "" })
	if name == "" {
		return ""
	}
	return strings.Join(parts, "_")
}

// seen keeps evaluation out of circles.
type seen map[*types.Var]bool

func (s seen) with(v *types.Var) seen {
	further := seen{v: true}
	for k := range s {
		further[k] = true
	}
	return further
}

// one follows variables that are assigned once to what they are assigned.
func (a *analysis) one(e ast.Expr, passed seen) ast.Expr {
	e = ast.Unparen(e)
	v := a.variable(e)
	if v == nil || passed[v] {
		return e
	}
	s := a.assigned[v]
	if s == nil || s.open || s.changed || len(s.exprs) != 1 || !a.closed(v) {
		return e
	}
	return a.one(s.exprs[0], passed.with(v))
}

// closed tells whether all assignments to a variable can be seen: nobody elsewhere can
// make one. For the value of an exported variable that is near enough; a field of a struct
// may have no value at all.
func (a *analysis) closed(v *types.Var) bool { return !a.unsure[v.Name()] || !v.IsField() }

// text evaluates a string.
func (a *analysis) text(e ast.Expr, passed seen) text {
	e = ast.Unparen(e)
	if value := a.info.Types[e].Value; value != nil && value.Kind() == constant.String {
		return text{constant.StringVal(value), true}
	}
	if v := a.variable(e); v != nil {
		if v.IsField() || passed[v] {
			return text{} // one of several values may be meant
		}
		if from := a.one(e, passed); from != e {
			return a.text(from, passed.with(v))
		}
		return text{}
	}
	switch e := e.(type) {
	case *ast.BinaryExpr:
		x, y := a.text(e.X, passed), a.text(e.Y, passed)
		if e.Op == token.ADD && x.known && y.known {
			return text{x.value + y.value, true}
		}
	case *ast.CallExpr:
		if f := a.callee(e); in(f, library) && f.Name() == "BuildFQName" && len(e.Args) == 3 {
			n, s, m := a.text(e.Args[0], passed), a.text(e.Args[1], passed), a.text(e.Args[2], passed)
			return text{joined(n.value, s.value, m.value), n.known && s.known && m.known}
		}
	}
	return text{}
}

// texts evaluates a list of strings; false where not even their number is known.
func (a *analysis) texts(e ast.Expr, passed seen) ([]text, bool) {
	e = ast.Unparen(e)
	if a.info.Types[e].IsNil() {
		return nil, true
	}
	if v := a.variable(e); v != nil {
		if v.IsField() || passed[v] {
			return nil, false
		}
		if from := a.one(e, passed); from != e {
			return a.texts(from, passed.with(v))
		}
		return nil, false
	}
	switch e := e.(type) {
	case *ast.CompositeLit:
		return a.elements(e, passed)
	case *ast.CallExpr:
		return a.appended(e, passed)
	}
	return nil, false
}

func (a *analysis) elements(l *ast.CompositeLit, passed seen) ([]text, bool) {
	if t := a.info.Types[l].Type; t == nil || !isList(t) {
		return nil, false
	}
	list := make([]text, 0, len(l.Elts))
	for _, elt := range l.Elts {
		if _, keyed := elt.(*ast.KeyValueExpr); keyed {
			return nil, false
		}
		list = append(list, a.text(elt, passed))
	}
	return list, true
}

func isList(t types.Type) bool {
	switch t := t.Underlying().(type) {
	case *types.Slice:
		return true
	case *types.Array:
		return t != nil
	}
	return false
}

// appended is append(list, "x", …) and append(list, more...).
func (a *analysis) appended(call *ast.CallExpr, passed seen) ([]text, bool) {
	id, is := ast.Unparen(call.Fun).(*ast.Ident)
	if !is || id.Name != "append" || len(call.Args) == 0 {
		return nil, false
	}
	if _, builtin := a.info.Uses[id].(*types.Builtin); !builtin {
		return nil, false
	}
	list, known := a.texts(call.Args[0], passed)
	if !known {
		return nil, false
	}
	list = slices.Clone(list)
	if call.Ellipsis.IsValid() {
		more, known := a.texts(call.Args[1], passed)
		return append(list, more...), known
	}
	for _, arg := range call.Args[1:] {
		list = append(list, a.text(arg, passed))
	}
	return list, true
}

// pairs evaluates prometheus.Labels{…}: the keys must be known, values may be not.
func (a *analysis) pairs(e ast.Expr, passed seen) (map[string]text, bool) {
	if a.info.Types[ast.Unparen(e)].IsNil() {
		return map[string]text{}, true
	}
	literal, is := a.one(e, passed).(*ast.CompositeLit)
	if !is {
		return nil, false
	}
	pairs := map[string]text{}
	for _, elt := range literal.Elts {
		pair, is := elt.(*ast.KeyValueExpr)
		if !is {
			return nil, false
		}
		key := a.text(pair.Key, passed)
		if !key.known {
			return nil, false
		}
		pairs[key.value] = a.text(pair.Value, passed)
	}
	return pairs, true
}

// resolve are the metrics that an expression may be; false where there may be others.
func (a *analysis) resolve(e ast.Expr, passed seen) ([]*metric, bool) {
	e = ast.Unparen(e)
	if call, is := e.(*ast.CallExpr); is {
		return a.resolveCall(call, passed)
	}
	v := a.variable(e)
	if v == nil || passed[v] {
		return nil, false
	}
	s := a.assigned[v]
	if s == nil || s.open || len(s.exprs) == 0 || a.unsure[v.Name()] {
		return nil, false
	}
	var all []*metric
	for _, from := range s.exprs {
		if a.info.Types[from].IsNil() {
			continue
		}
		found, known := a.resolve(from, passed.with(v))
		if !known {
			return nil, false
		}
		all = append(all, found...)
	}
	return all, len(all) > 0
}

func (a *analysis) resolveCall(call *ast.CallExpr, passed seen) ([]*metric, bool) {
	if m := a.byCall[call]; m != nil {
		return []*metric{m}, true
	}
	f := a.callee(call)
	if f == nil {
		return nil, false
	}
	if in(f, library) && f.Name() == "MustCurryWith" && len(call.Args) == 1 {
		return a.curried(call, passed)
	}
	results := a.returns[f.Origin()]
	if len(results) == 0 || len(passed) > 20 {
		return nil, false
	}
	var all []*metric
	for _, r := range results {
		if r == nil {
			return nil, false
		}
		if a.info.Types[r].IsNil() {
			continue
		}
		found, known := a.resolve(r, passed.with(types.NewVar(f.Pos(), f.Pkg(), f.Name(), nil)))
		if !known {
			return nil, false
		}
		all = append(all, found...)
	}
	return all, len(all) > 0
}

// curried are the metrics with labels that MustCurryWith settles taken out.
func (a *analysis) curried(call *ast.CallExpr, passed seen) ([]*metric, bool) {
	selector, is := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !is {
		return nil, false
	}
	of, known := a.resolve(selector.X, passed)
	settled, keys := a.pairs(call.Args[0], nil)
	if !known || !keys {
		return nil, false
	}
	var all []*metric
	for _, m := range of {
		names, known := m.labelNames()
		if !known {
			return nil, false
		}
		rest := *m
		rest.labels = nil
		for _, name := range names {
			if _, gone := settled[name]; !gone {
				rest.labels = append(rest.labels, text{name, true})
			}
		}
		all = append(all, &rest)
	}
	return all, true
}
