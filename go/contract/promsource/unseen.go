package promsource

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go/contract/protocol"
)

// Methods that count, and methods by which a metric may be collected without being
// registered itself.
var counting = []string{
	"Inc", "Dec", "Add", "Sub", "Set", "SetToCurrentTime", "Observe", "WithLabelValues", "With", "GetMetricWith",
	"GetMetricWithLabelValues", "DeleteLabelValues", "Delete", "DeletePartialMatch", "Reset",
}

// unregistered finds metrics that are counted and that no registry ever gets: nothing but
// methods that count is done with the variable that holds them.
func (r *review) unregistered() {
	for _, m := range r.metrics {
		if m.auto || m.kind == "desc" || r.nameless(m) || m.pkg.broken {
			continue
		}
		holder := r.holder(m.call)
		if holder == nil || r.seenElsewhere(holder, m.pkg) {
			continue
		}
		counted := token.NoPos
		apart := true
		for _, id := range r.uses[holder] {
			counts, neutral := r.used(id)
			if counts && !counted.IsValid() {
				counted = id.Pos()
			}
			apart = apart && (counts || neutral)
		}
		if apart && counted.IsValid() {
			r.find("metrics.unregistered", protocol.Breaking, r.subject(m, nil), m.call.Pos(),
				fmt.Sprintf("is counted (%s) and registered nowhere: nobody will ever see it", r.spot(counted)))
		}
	}
}

// nameless is a metric that is made to be thrown away.
func (r *review) nameless(m *metric) bool { return m.constantKnown && !m.named && r.empty(m) }

func (r *review) empty(m *metric) bool {
	literal, is := ast.Unparen(m.call.Args[0]).(*ast.CompositeLit)
	return is && !slices.ContainsFunc(literal.Elts, func(e ast.Expr) bool {
		pair, is := e.(*ast.KeyValueExpr)
		if !is {
			return true
		}
		key, is := pair.Key.(*ast.Ident)
		return is && key.Name == "Name"
	})
}

// holder is the one variable that a metric is put into.
func (r *review) holder(call *ast.CallExpr) *types.Var {
	switch parent := r.parents[call].(type) {
	case *ast.ValueSpec:
		if at := slices.IndexFunc(parent.Values, func(e ast.Expr) bool { return e == call }); at >= 0 && len(parent.Names) == len(parent.Values) {
			return r.variable(parent.Names[at])
		}
	case *ast.AssignStmt:
		if at := slices.IndexFunc(parent.Rhs, func(e ast.Expr) bool { return e == call }); at >= 0 && len(parent.Lhs) == len(parent.Rhs) {
			return r.variable(parent.Lhs[at])
		}
	case *ast.KeyValueExpr:
		if parent.Value == call {
			if v := r.variable(parent.Key); v != nil && v.IsField() {
				return v
			}
		}
	}
	return nil
}

// seenElsewhere tells whether code that is not here may reach a variable.
func (r *review) seenElsewhere(v *types.Var, own *pkg) bool {
	if r.unsure[v.Name()] || v.Embedded() {
		return true
	}
	private := own.name == "main" || slices.Contains(strings.Split(own.path, "/"), "internal")
	local := !v.IsField() && v.Parent() != nil && v.Pkg() != nil && v.Parent() != v.Pkg().Scope()
	return v.Exported() && !private && !local
}

// node is the expression that an identifier ends: x, or y.x.
func (r *review) node(id *ast.Ident) ast.Node {
	if selector, is := r.parents[id].(*ast.SelectorExpr); is && selector.Sel == id {
		return r.outside(selector)
	}
	return r.outside(id)
}

func (r *review) outside(n ast.Node) ast.Node {
	for {
		paren, is := r.parents[n].(*ast.ParenExpr)
		if !is {
			return n
		}
		n = paren
	}
}

// used tells what is done with a metric where its variable stands: it counts, or nothing
// that matters. Anything else may register it.
func (r *review) used(id *ast.Ident) (counts, neutral bool) {
	node := r.node(id)
	switch parent := r.parents[node].(type) {
	case *ast.SelectorExpr:
		f, is := r.info.Uses[parent.Sel].(*types.Func)
		return is && parent.X == node && in(f, library) && slices.Contains(counting, f.Name()), false
	case *ast.CallExpr:
		f := r.callee(parent)
		if parent.Fun == node || f == nil {
			return false, false
		}
		return in(f, library) && f.Name() == "NewTimer", false
	case *ast.AssignStmt:
		return false, slices.ContainsFunc(parent.Lhs, func(e ast.Expr) bool { return e == node })
	case *ast.ValueSpec:
		return false, slices.ContainsFunc(parent.Names, func(e *ast.Ident) bool { return e == node })
	case *ast.KeyValueExpr:
		return false, parent.Key == node
	case *ast.BinaryExpr:
		return false, parent.Op == token.EQL || parent.Op == token.NEQ
	}
	return false, false
}

// late finds metrics that are counted before the statement that registers them, in one
// list of statements. The counts are kept; until then nobody sees them.
func (r *review) late() {
	for i := range r.registered {
		reg := &r.registered[i]
		block, is := reg.block.(*ast.BlockStmt)
		if !is || reg.metric.auto {
			continue
		}
		for _, s := range block.List {
			if s.End() >= reg.call.Pos() {
				break
			}
			if at := r.countsIn(s, reg.instance); at.IsValid() {
				r.find("metrics.late", protocol.Warning, r.subject(reg.metric, nil), at,
					"is counted before it is registered in "+r.at(reg.call)+": until then nobody sees it")
				break
			}
		}
	}
}

// countsIn is where a statement counts a metric itself, not in a branch or a function of it.
func (r *review) countsIn(s ast.Stmt, instance string) token.Pos {
	statement, is := s.(*ast.ExprStmt)
	if !is || instance == "" {
		return token.NoPos
	}
	at := token.NoPos
	ast.Inspect(statement, func(n ast.Node) bool {
		if _, is := n.(*ast.FuncLit); is {
			return false
		}
		if selector, is := n.(*ast.SelectorExpr); is && r.instance(selector.X) == instance && slices.Contains(counting, selector.Sel.Name) {
			at = selector.Pos()
		}
		return true
	})
	return at
}
