// Package promsource looks at the metrics in Go sources that use prometheus/client_golang:
// values that do not fit the labels, metrics that no registry gets or that one gets twice,
// one name with different labels; and at what the release changes of the base's. It says
// what is certain and counts the rest. Sources come as texts: nothing is compiled, no
// module is downloaded, and a small stub stands for the library.
package promsource

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go/contract/protocol"
)

// review is one side, judged.
type review struct {
	*analysis
	findings    []protocol.Finding
	counts      protocol.Counts
	registered  []registration
	programs    []map[string]bool
	uses        map[*types.Var][]*ast.Ident
	unregisters map[*pkg]bool
}

// Compare judges the release's sources, and holds them against the base's. A finding that
// the base has, too, is marked as old.
func Compare(base, release map[string]string) ([]protocol.Finding, protocol.Counts, error) {
	if len(release) == 0 {
		return nil, protocol.Counts{}, &protocol.Error{Side: "release", Message: "there are no Go files"}
	}
	now, before := judge(release), judge(base)
	known := map[string]bool{}
	for i := range before.findings {
		known[identity(&before.findings[i])] = true
	}
	for i := range now.findings {
		now.findings[i].Old = known[identity(&now.findings[i])]
	}
	all := append(now.findings, changes(before, now)...)
	slices.SortStableFunc(all, func(a, b protocol.Finding) int {
		return cmp.Or(cmp.Compare(weight(&a), weight(&b)), cmp.Compare(a.Place.File, b.Place.File), cmp.Compare(a.Place.Line, b.Place.Line), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Message, b.Message))
	})
	return all, now.counts, nil
}

func weight(f *protocol.Finding) int {
	return slices.Index([]string{protocol.Breaking, protocol.Warning, protocol.Info}, f.Severity)
}

// identity is the finding without its lines, which an edit above moves.
func identity(f *protocol.Finding) string {
	message := f.Message
	for _, word := range strings.Fields(message) {
		if file, _, is := strings.Cut(word, ".go:"); is {
			message = strings.Replace(message, word, file, 1)
		}
	}
	return strings.Join([]string{f.ID, f.Subject, f.Place.File, message}, "\x00")
}

func judge(files map[string]string) *review {
	r := &review{analysis: analyse(files), uses: map[*types.Var][]*ast.Ident{}, unregisters: map[*pkg]bool{}}
	r.programs = r.mains()
	r.counts.Metrics, r.counts.Broken = len(r.metrics), r.broken
	r.each(func(own *pkg, n ast.Node) {
		switch n := n.(type) {
		case *ast.Ident:
			object := r.info.Uses[n]
			if v, is := object.(*types.Var); is {
				r.uses[v.Origin()] = append(r.uses[v.Origin()], n)
			}
		case *ast.CallExpr:
			if f := r.callee(n); in(f, library) && f.Name() == "Unregister" {
				r.unregisters[own] = true
			}
		}
	})
	r.each(func(own *pkg, n ast.Node) {
		if call, is := n.(*ast.CallExpr); is {
			r.labels(call)
			r.registers(call, own)
		}
	})
	r.collisions()
	r.unregistered()
	r.late()
	return r
}

func (r *review) find(id, severity, subject string, pos token.Pos, message string) {
	p := r.place(pos)
	r.findings = append(r.findings, protocol.Finding{ID: id, Severity: severity, Subject: subject, Message: message, Place: protocol.Place{File: p.Filename, Line: p.Line}})
}

// spot is a place as text.
func (r *review) spot(pos token.Pos) string {
	p := r.place(pos)
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

func (r *review) at(call *ast.CallExpr) string { return r.spot(call.Pos()) }

// subject is the metric's name, else the variable that holds it.
func (r *review) subject(m *metric, e ast.Expr) string {
	if m.named {
		return m.name
	}
	if v := r.holder(m.call); v != nil {
		return v.Name()
	}
	if v := r.variable(e); v != nil {
		return v.Name()
	}
	return "a " + m.kind
}

// family is all that one name is, where that is one thing.
type family struct {
	kind   string
	labels []string
	at     *ast.CallExpr
	clear  bool
}

// families are the metrics by name; unnamed counts those whose name is not known.
func (r *review) families() (all map[string]*family, unnamed int) {
	all = map[string]*family{}
	for _, m := range r.metrics {
		if !m.named {
			if !r.empty(m) {
				unnamed++
			}
			continue
		}
		names, known := m.labelNames()
		known = known && m.constantKnown
		names = slices.Sorted(slices.Values(append(names, slices.Collect(maps.Keys(m.constant))...)))
		f := &family{kind: m.kind, labels: names, at: m.call, clear: known}
		if other := all[m.name]; other != nil && (other.kind != f.kind || !slices.Equal(other.labels, f.labels)) {
			f.clear, f.kind = false, ""
		}
		all[m.name] = f
	}
	return all, unnamed
}

// changes are what dashboards and alerts that were made for the base will miss.
func changes(before, now *review) []protocol.Finding {
	old, unnamedBefore := before.families()
	current, unnamed := now.families()
	var out diffs
	for _, name := range slices.Sorted(maps.Keys(old)) {
		was, is := old[name], current[name]
		switch {
		case is == nil:
			// A name that is put together differently now may still be there.
			if unnamed <= unnamedBefore && now.broken == 0 {
				out.add(before, was, true, "metrics.vanished", protocol.Breaking, name, "the base has it, the release has not")
			}
		case was.kind == "" || is.kind == "":
		case was.kind != is.kind && was.kind != "desc" && is.kind != "desc":
			out.add(now, is, false, "metrics.type", protocol.Breaking, name, "is a "+is.kind+" and was a "+was.kind)
		case was.clear && is.clear:
			out.labels(now, is, was, name)
		}
	}
	return out
}

type diffs []protocol.Finding

func (d *diffs) add(r *review, f *family, base bool, id, severity, name, message string) {
	p := r.place(f.at.Pos())
	*d = append(*d, protocol.Finding{ID: id, Severity: severity, Subject: name, Message: message, Place: protocol.Place{File: p.Filename, Line: p.Line, Base: base}})
}

func (d *diffs) labels(r *review, is, was *family, name string) {
	without := func(list, of []string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(of, s) })
	}
	if gone := without(was.labels, is.labels); len(gone) > 0 {
		d.add(r, is, false, "metrics.label-vanished", protocol.Breaking, name, "is without the label "+strings.Join(gone, ", "))
	}
	if added := without(is.labels, was.labels); len(added) > 0 {
		d.add(r, is, false, "metrics.label-added", protocol.Warning, name, "has the new label "+strings.Join(added, ", "))
	}
}
