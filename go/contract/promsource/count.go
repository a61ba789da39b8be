package promsource

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go/contract/protocol"
)

// Methods of vectors that take values, or names with values, for all labels.
var (
	byValue = []string{"WithLabelValues", "GetMetricWithLabelValues", "DeleteLabelValues"}
	byName  = []string{"With", "GetMetricWith", "Delete"}
)

// constants are the functions that make a metric of a description, by where the values of
// its labels begin.
var constants = map[string]int{
	"NewConstMetric": 3, "NewConstMetricWithCreatedTimestamp": 4,
	"NewConstHistogram": 4, "NewConstHistogramWithCreatedTimestamp": 5,
	"NewConstSummary": 4, "NewConstSummaryWithCreatedTimestamp": 5,
	"NewConstNativeHistogram": 9,
}

// labels judges a call that gives labels; not all of them can be decided.
func (r *review) labels(call *ast.CallExpr) {
	f := r.callee(call)
	if !in(f, library) {
		return
	}
	if from, is := constants[strings.TrimPrefix(f.Name(), "Must")]; is && receiver(f) == "" {
		if len(call.Args) >= from {
			r.values(call, f.Name(), call.Args[0], call.Args[from:])
		}
		return
	}
	selector, is := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !is || receiver(f) == "" {
		return
	}
	switch {
	case slices.Contains(byValue, f.Name()):
		r.values(call, f.Name(), selector.X, call.Args)
	case slices.Contains(byName, f.Name()) && len(call.Args) == 1:
		r.names(call, f.Name(), selector.X, call.Args[0])
	}
}

// values judges how many values are given for the labels of what may be meant.
func (r *review) values(call *ast.CallExpr, method string, of ast.Expr, given []ast.Expr) {
	r.counts.Uses++
	metrics, known := r.resolve(of, nil)
	n, counted := r.number(call, given)
	if !known || !counted || slices.ContainsFunc(metrics, func(m *metric) bool { return !m.labelled }) {
		r.counts.Open++
		return
	}
	if slices.ContainsFunc(metrics, func(m *metric) bool { return len(m.labels) == n }) {
		if slices.ContainsFunc(metrics, func(m *metric) bool { return len(m.labels) != n }) {
			r.counts.Open++
		}
		return
	}
	m := metrics[0]
	r.find("metrics.label-count", protocol.Breaking, r.subject(m, of), call.Pos(),
		fmt.Sprintf("%s gets %s for %s: it %s", method, amount(n, "value"), r.wants(m), outcome(method)))
}

// wants says which labels a metric has, and where that stands.
func (r *review) wants(m *metric) string {
	list := ""
	if names, known := m.labelNames(); known && len(names) > 0 {
		list = " (" + strings.Join(names, ", ") + ")"
	}
	return amount(len(m.labels), "label") + list + " of " + r.at(m.call)
}

// outcome is what a method does that gets other labels than there are.
func outcome(method string) string {
	switch {
	case strings.HasPrefix(method, "Delete"):
		return "deletes nothing"
	case strings.HasPrefix(method, "With"), strings.HasPrefix(method, "Must"):
		return "panics"
	}
	return "returns an error"
}

func amount(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// number is how many values are given.
func (r *review) number(call *ast.CallExpr, given []ast.Expr) (int, bool) {
	if call.Ellipsis.IsValid() {
		if len(given) != 1 {
			return 0, false
		}
		list, known := r.texts(given[0], nil)
		return len(list), known
	}
	if len(given) == 1 {
		// One call may give several values; what a function of elsewhere gives nobody knows.
		if inner, is := ast.Unparen(given[0]).(*ast.CallExpr); is {
			switch t := r.info.Types[inner].Type.(type) {
			case nil:
				return 0, false
			case *types.Tuple:
				return t.Len(), true
			case *types.Basic:
				if t.Kind() == types.Invalid {
					return 0, false
				}
			}
		}
	}
	return len(given), true
}

// names judges which labels are given by name.
func (r *review) names(call *ast.CallExpr, method string, of, given ast.Expr) {
	r.counts.Uses++
	metrics, known := r.resolve(of, nil)
	pairs, keys := r.pairs(given, nil)
	if !known || !keys || r.grows(given) {
		r.counts.Open++
		return
	}
	names := sorted(pairs)
	for _, m := range metrics {
		want, known := m.labelNames()
		if !known {
			r.counts.Open++
			return
		}
		want = slices.Sorted(slices.Values(want))
		if slices.Equal(names, want) {
			return
		}
	}
	m := metrics[0]
	r.find("metrics.label-names", protocol.Breaking, r.subject(m, of), call.Pos(),
		fmt.Sprintf("%s gets the labels %s for %s: it %s", method, strings.Join(names, ", "), r.wants(m), outcome(method)))
}

// grows tells whether a map may get further keys before it is used.
func (r *review) grows(e ast.Expr) bool {
	v := r.variable(e)
	return v != nil && (r.assigned[v] == nil || r.assigned[v].changed || r.escapes(v))
}

// escapes tells whether a variable is handed to somebody who may change it.
func (r *review) escapes(v *types.Var) bool {
	for _, id := range r.uses[v] {
		node := r.node(id)
		switch parent := r.parents[node].(type) {
		case *ast.CallExpr:
			if !in(r.callee(parent), library, auto) {
				return true
			}
		case *ast.AssignStmt, *ast.ValueSpec, *ast.IndexExpr, *ast.RangeStmt:
		default:
			return true
		}
	}
	return false
}

func sorted(pairs map[string]text) []string {
	names := make([]string, 0, len(pairs))
	for name := range pairs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
