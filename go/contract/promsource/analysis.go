package promsource

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

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
