package promsource

import (
	"fmt"
	"go/ast"
	"go/token"
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
