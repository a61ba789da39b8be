package promsource

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go/contract/protocol"
)

// byDefault is the registry that the library's own functions use.
const byDefault = "the default registry"

// registration is one metric that is surely given to a registry by one statement.
type registration struct {
	metric *metric
	// instance tells the same metric from another that the same place makes.
	instance string
	registry string
	call     *ast.CallExpr
	pkg      *pkg
	// block is the list of statements in which the call is one; nil where it stands deeper.
	block ast.Node
	// early says that it happens whenever the program starts: while packages initialise.
	early bool
}

// registry names a registry; empty where it is not known which.
func (a *analysis) registry(e ast.Expr) string {
	e = ast.Unparen(e)
	v := a.variable(e)
	if v == nil {
		return ""
	}
	if v.Pkg() != nil && v.Pkg().Path() == library && v.Name() == "DefaultRegisterer" {
		return byDefault
	}
	if s := a.assigned[v]; s != nil && !s.open && len(s.exprs) == 1 {
		if of := a.variable(s.exprs[0]); of != nil {
			return a.registry(s.exprs[0])
		}
	}
	if selector, is := e.(*ast.SelectorExpr); is {
		if base := a.variable(selector.X); base != nil {
			return fmt.Sprintf("%p.%p", base, v)
		}
	}
	return fmt.Sprintf("%p", v)
}

// registers are the registrations that a call makes for certain.
func (r *review) registers(call *ast.CallExpr, own *pkg) {
	if m := r.byCall[call]; m != nil && m.auto && m.autoRegistry != "" {
		block, early := r.context(call)
		r.registered = append(r.registered, registration{metric: m, instance: r.held(call), registry: m.autoRegistry, call: call, pkg: own, block: block, early: early})
		return
	}
	f := r.callee(call)
	if !in(f, library) || f.Name() != "MustRegister" && f.Name() != "Register" || call.Ellipsis.IsValid() {
		return
	}
	// Who looks at the error of Register may know what to do.
	if _, alone := r.parents[call].(*ast.ExprStmt); !alone {
		return
	}
	registry := byDefault
	if of := receiver(f); of == "Registerer" || of == "Registry" {
		selector, is := ast.Unparen(call.Fun).(*ast.SelectorExpr)
		if !is {
			return
		}
		registry = r.registry(selector.X)
	} else if of != "" {
		return
	}
	block, early := r.context(call)
	for _, arg := range call.Args {
		metrics, known := r.resolve(arg, nil)
		if !known || len(metrics) != 1 || registry == "" || metrics[0].kind == "desc" {
			continue
		}
		r.registered = append(r.registered, registration{metric: metrics[0], instance: r.instance(arg), registry: registry, call: call, pkg: own, block: block, early: early})
	}
}

// held is the variable that a metric is made for.
func (r *review) held(call *ast.CallExpr) string {
	switch parent := r.parents[call].(type) {
	case *ast.ValueSpec:
		for i, value := range parent.Values {
			if ast.Unparen(value) == call && i < len(parent.Names) {
				return r.instance(parent.Names[i])
			}
		}
	case *ast.AssignStmt:
		for i, value := range parent.Rhs {
			if ast.Unparen(value) == call && len(parent.Lhs) == len(parent.Rhs) {
				return r.instance(parent.Lhs[i])
			}
		}
	}
	return ""
}

// instance names what an expression holds: a variable, or a field of a variable.
func (r *review) instance(e ast.Expr) string {
	e = ast.Unparen(e)
	v := r.variable(e)
	if v == nil {
		return ""
	}
	if !v.IsField() {
		return fmt.Sprintf("%p", v)
	}
	if selector, is := e.(*ast.SelectorExpr); is {
		if base := r.variable(selector.X); base != nil && !base.IsField() {
			return fmt.Sprintf("%p.%p", base, v)
		}
	}
	return ""
}

// context is where a call stands: the list of statements that it is one of, and whether
// every start of the program comes by.
func (r *review) context(call *ast.CallExpr) (block ast.Node, early bool) {
	var statement ast.Stmt
	for n := r.parents[call]; n != nil; n = r.parents[n] {
		switch n := n.(type) {
		case *ast.FuncLit:
			return nil, false
		case *ast.GenDecl:
			if _, file := r.parents[n].(*ast.File); file {
				return nil, n.Tok == token.VAR
			}
		case ast.Stmt:
			if body, is := n.(*ast.BlockStmt); is {
				if statement == nil {
					return nil, false
				}
				return body, r.starts(body, statement)
			}
			if statement == nil {
				statement = n
			} else if _, declares := n.(*ast.DeclStmt); !declares {
				return nil, false // within an if, a for, a case
			}
		}
	}
	return nil, false
}

// starts tells whether a statement is one of init's, or of main's, with nothing before it
// that leaves.
func (r *review) starts(body *ast.BlockStmt, statement ast.Stmt) bool {
	d, is := r.parents[body].(*ast.FuncDecl)
	if !is || d.Recv != nil || d.Name.Name != "init" && d.Name.Name != "main" {
		return false
	}
	for _, s := range body.List {
		if s.Pos() >= statement.Pos() {
			return true
		}
		leaves := false
		ast.Inspect(s, func(n ast.Node) bool {
			switch n.(type) {
			case *ast.FuncLit:
				return false
			case *ast.ReturnStmt, *ast.BranchStmt:
				leaves = true
			}
			return true
		})
		if leaves {
			return false
		}
	}
	return true
}

// together tells whether two registrations happen in one process, if the later one does.
func (r *review) together(a, b *registration) bool {
	if a.registry != b.registry {
		return false
	}
	if a.call == b.call || a.block != nil && a.block == b.block {
		return true
	}
	return a.registry == byDefault && a.early && b.early && r.linked(a.pkg, b.pkg)
}

// linked tells whether two packages are in one program.
func (r *review) linked(a, b *pkg) bool {
	if a == b {
		return true
	}
	return slices.ContainsFunc(r.programs, func(m map[string]bool) bool { return m[a.path] && m[b.path] })
}

// collisions judges all pairs of registrations.
func (r *review) collisions() {
	for i := range r.registered {
		b := &r.registered[i]
		for j := range i {
			a := &r.registered[j]
			if r.collide(a, b) {
				break // one reason is enough for one registration
			}
		}
	}
}

func (r *review) collide(a, b *registration) bool {
	if a.metric == b.metric {
		return r.again(a, b)
	}
	if !a.metric.named || !b.metric.named || a.metric.name != b.metric.name || !r.together(a, b) || r.leaves(a) || r.leaves(b) {
		return false
	}
	switch same, known := r.sameShape(a.metric, b.metric); {
	case known && !same:
		r.find("metrics.inconsistent", protocol.Breaking, b.metric.name, b.metric.call.Pos(), fmt.Sprintf(
			"has %s here and %s in %s, in one registry: registering the second panics or is refused", r.shape(b.metric), r.shape(a.metric), r.at(a.metric.call)))
	case known && r.sameConstants(a.metric, b.metric):
		r.find("metrics.registered-twice", protocol.Breaking, b.metric.name, b.metric.call.Pos(),
			"is also made and registered in "+r.at(a.metric.call)+": registering the second panics or is refused")
	default:
		return false
	}
	return true
}

// again judges one metric that is registered by two statements.
func (r *review) again(a, b *registration) bool {
	sure := r.together(a, b)
	// What promauto has registered when the program started no call can register.
	if a.metric.auto && a.early != b.early && a.registry == b.registry && a.registry == byDefault {
		sure = true
	}
	if !sure || a.instance == "" || a.instance != b.instance || r.leaves(a) {
		return false
	}
	r.find("metrics.registered-twice", protocol.Breaking, r.subject(b.metric, nil), b.call.Pos(),
		"is registered in "+r.at(a.call)+", too: registering it again panics or is refused")
	return true
}

// leaves tells whether anybody takes a metric out of a registry.
func (r *review) leaves(a *registration) bool { return r.unregisters[a.pkg] }

// sameShape tells whether two metrics of one name may be in one registry: with the same
// labels and the same help.
func (r *review) sameShape(a, b *metric) (same, known bool) {
	x, labelsOfA := a.labelNames()
	y, labelsOfB := b.labelNames()
	if !labelsOfA || !labelsOfB || !a.constantKnown || !b.constantKnown {
		return false, false
	}
	x = slices.Sorted(slices.Values(append(x, slices.Collect(maps.Keys(a.constant))...)))
	y = slices.Sorted(slices.Values(append(y, slices.Collect(maps.Keys(b.constant))...)))
	if !slices.Equal(x, y) {
		return false, true
	}
	if a.help.known && b.help.known && a.help.value != b.help.value {
		return false, true
	}
	return true, a.help.known && b.help.known
}

func (r *review) sameConstants(a, b *metric) bool {
	for name, value := range a.constant {
		other := b.constant[name]
		if !value.known || !other.known || value.value != other.value {
			return false
		}
	}
	return true
}

// shape is what must be the same in one registry.
func (r *review) shape(m *metric) string {
	names, _ := m.labelNames()
	names = append(names, slices.Collect(maps.Keys(m.constant))...)
	slices.Sort(names)
	text := "no labels"
	if len(names) > 0 {
		text = "the labels " + strings.Join(names, ", ")
		if len(names) == 1 {
			text = "the label " + names[0]
		}
	}
	if m.help.known {
		text += fmt.Sprintf(" and the help %q", m.help.value)
	}
	return text
}

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
