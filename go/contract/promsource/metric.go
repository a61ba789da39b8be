package promsource

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
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

// sources are all that is assigned to a variable or field; open where that is not all.
type sources struct {
	exprs []ast.Expr
	open  bool
	// changed says that elements may be assigned one by one.
	changed bool
}

// analysis is one side, looked through.
type analysis struct {
	*program
	assigned map[*types.Var]*sources
	metrics  []*metric
	byCall   map[*ast.CallExpr]*metric
	returns  map[*types.Func][]ast.Expr
}

func analyse(files map[string]string) *analysis {
	a := &analysis{program: load(files), assigned: map[*types.Var]*sources{}, byCall: map[*ast.CallExpr]*metric{}, returns: map[*types.Func][]ast.Expr{}}
	a.each(func(_ *pkg, n ast.Node) { a.assignments(n) })
	a.each(func(own *pkg, n ast.Node) {
		if call, is := n.(*ast.CallExpr); is {
			if m := a.made(call, own); m != nil {
				a.metrics = append(a.metrics, m)
				a.byCall[call] = m
			}
		}
	})
	return a
}

// each visits all nodes of the sources, in order.
func (a *analysis) each(visit func(*pkg, ast.Node)) {
	for _, name := range a.paths() {
		own := a.packages[name]
		if stubbed[name] != "" {
			continue
		}
		for _, f := range own.files {
			ast.Inspect(f, func(n ast.Node) bool {
				if n != nil {
					visit(own, n)
				}
				return true
			})
		}
	}
}

// variable is what an expression names: a variable or a field.
func (a *analysis) variable(e ast.Expr) *types.Var {
	var id *ast.Ident
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		id = e
	case *ast.SelectorExpr:
		id = e.Sel
	default:
		return nil
	}
	object := a.info.Uses[id]
	if object == nil {
		object = a.info.Defs[id]
	}
	v, is := object.(*types.Var)
	if !is {
		return nil
	}
	return v.Origin()
}

func (a *analysis) of(v *types.Var) *sources {
	if a.assigned[v] == nil {
		a.assigned[v] = &sources{}
	}
	return a.assigned[v]
}

func (a *analysis) assign(to ast.Expr, from ast.Expr) {
	if index, is := ast.Unparen(to).(*ast.IndexExpr); is {
		if v := a.variable(index.X); v != nil {
			a.of(v).changed = true
		}
		return
	}
	v := a.variable(to)
	switch {
	case v == nil:
	case from == nil:
		a.of(v).open = true
	default:
		s := a.of(v)
		s.exprs = append(s.exprs, from)
	}
}

func (a *analysis) assignments(n ast.Node) {
	switch n := n.(type) {
	case *ast.ValueSpec:
		for i, name := range n.Names {
			switch {
			case len(n.Values) == len(n.Names):
				a.assign(name, n.Values[i])
			case len(n.Values) > 0:
				a.assign(name, nil)
			}
		}
	case *ast.AssignStmt:
		for i, to := range n.Lhs {
			if len(n.Lhs) == len(n.Rhs) && (n.Tok == token.ASSIGN || n.Tok == token.DEFINE) {
				a.assign(to, n.Rhs[i])
			} else {
				a.assign(to, nil)
			}
		}
	case *ast.RangeStmt:
		for _, to := range []ast.Expr{n.Key, n.Value} {
			if to != nil {
				a.assign(to, nil)
			}
		}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			a.assign(n.X, nil)
		}
	case *ast.Field:
		a.parameters(n)
	case *ast.CompositeLit:
		a.literal(n)
	case *ast.FuncDecl:
		a.returned(n)
	case *ast.TypeSwitchStmt:
		// The variable of each clause is another object; none has an assignment here.
	}
}

// parameters come from wherever a function is called. Fields of structs do not.
func (a *analysis) parameters(f *ast.Field) {
	list, is := a.parents[f].(*ast.FieldList)
	if !is {
		return
	}
	if _, isStruct := a.parents[list].(*ast.StructType); isStruct {
		return
	}
	for _, name := range f.Names {
		a.assign(name, nil)
	}
}

func (a *analysis) literal(l *ast.CompositeLit) {
	t := a.info.Types[l].Type
	if t == nil {
		return
	}
	if pointer, is := t.Underlying().(*types.Pointer); is {
		t = pointer.Elem()
	}
	structure, is := t.Underlying().(*types.Struct)
	if !is {
		return
	}
	for i, elt := range l.Elts {
		if pair, keyed := elt.(*ast.KeyValueExpr); keyed {
			a.assign(pair.Key, pair.Value)
		} else if i < structure.NumFields() {
			s := a.of(structure.Field(i).Origin())
			s.exprs = append(s.exprs, elt)
		}
	}
}

// returned notes what a function of one result returns.
func (a *analysis) returned(d *ast.FuncDecl) {
	f, is := a.info.Defs[d.Name].(*types.Func)
	if !is || d.Body == nil || f.Signature().Results().Len() != 1 {
		return
	}
	ast.Inspect(d.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			if len(n.Results) == 1 {
				a.returns[f] = append(a.returns[f], n.Results[0])
			} else {
				a.returns[f] = append(a.returns[f], nil)
			}
		}
		return true
	})
}

// callee is the function that a call names; nil where that is not known.
func (a *analysis) callee(call *ast.CallExpr) *types.Func {
	fun := ast.Unparen(call.Fun)
	switch f := fun.(type) {
	case *ast.Ident:
		found, _ := a.info.Uses[f].(*types.Func)
		return found
	case *ast.SelectorExpr:
		found, _ := a.info.Uses[f.Sel].(*types.Func)
		return found
	}
	return nil
}

func in(f *types.Func, paths ...string) bool {
	return f != nil && f.Pkg() != nil && slices.Contains(paths, f.Pkg().Path())
}

// receiver is the name of the type whose method f is; empty for a function.
func receiver(f *types.Func) string {
	r := f.Signature().Recv()
	if r == nil {
		return ""
	}
	t := r.Type()
	if pointer, is := t.(*types.Pointer); is {
		t = pointer.Elem()
	}
	if named, is := t.(*types.Named); is {
		return named.Obj().Name()
	}
	return "?"
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
