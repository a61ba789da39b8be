package source

import (
	"testing"

	"github.com/goat-trace/goat/go"
)

// A fleet of one build holds each point once; another build's point is its own.
func TestPool(t *testing.T) {
	at := func(line int) *goat.Point {
		return &goat.Point{ID: "x", File: "a.go", Start: goat.Position{Line: line}}
	}
	p := &pool{}
	first := p.one(at(1))
	if p.one(at(1)) != first {
		t.Error("equal points are held twice")
	}
	if other := p.one(at(2)); other == first || other.Start.Line != 2 || first.Start.Line != 1 {
		t.Error("a point of another build was taken for this one's")
	}
}
