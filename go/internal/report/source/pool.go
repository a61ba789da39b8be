package source

import (
	"sync"

	"github.com/goat-trace/goat/go"
)

// pool holds one copy of each point, for all processes of a fleet. It is safe for
// concurrent use; nil makes no two points one.
type pool struct {
	mu     sync.Mutex
	points map[string]*goat.Point
}

// one is the first point that was equal to this one.
func (p *pool) one(point *goat.Point) *goat.Point {
	if p == nil {
		return point
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch known := p.points[point.ID]; {
	case known == nil:
		if p.points == nil {
			p.points = map[string]*goat.Point{}
		}
		p.points[point.ID] = point
		return point
	case *known == *point:
		return known
	}
	return point // of another build: the same code at another place
}
