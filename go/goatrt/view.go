//go:build go1.21

package goatrt

import (
	"strconv"
	"strings"
	"sync"
)

// What package server reads. A program has no reason to call these.

// Point is one code point, as the table gives it.
type Point struct {
	Package, ID, Name, Kind, Form    string
	File, Func                       string
	Line, Column, EndLine, EndColumn int
}

// Hit is what is known about one point at one moment.
type Hit struct {
	Count uint64
	First int64  // microseconds of the wall clock; 0: not hit
	Phase string // "" when not hit
}

// Components brings every record up to date and returns what is tracked.
func Components() []*Component {
	now := wallMicros()
	endStartupIfDue(now)
	scanAll(phaseNow(), now)
	return current().components
}

// Reset forgets every hit of every component.
func Reset() {
	for _, c := range current().components {
		c.reset()
	}
}

// Phase names the phase the process is in.
func Phase() string { return phaseName(phaseNow()) }

func phaseName(p uint64) string { return [...]string{"", "init", "startup", "traffic"}[p&phaseMask] }

// ID numbers the components of a process from 0.
func (c *Component) ID() int { return c.id }

// Identity says what the component is.
func (c *Component) Identity() *Identity { return &c.identity }

// Started is when its main was about to run, in microseconds of the wall clock.
func (c *Component) Started() int64 { return c.started }

// Len is the number of its points.
func (c *Component) Len() int { return c.total }

// Spool tells where its spool file is and how it does: "off", "ok" or what is wrong.
func (c *Component) Spool() (path, state string) {
	if s := c.spool.Load(); s != nil {
		return s.path, s.state()
	}
	if c.trouble != "" {
		return "", c.trouble
	}
	return "", "off"
}

// Degraded lists the packages that hold no points although the plan has some.
func (c *Component) Degraded() []string {
	var paths []string
	for _, p := range c.packages {
		if p.hook == nil {
			paths = append(paths, p.path)
		}
	}
	return paths
}

// Hit returns what is known about point i.
func (c *Component) Hit(i int) Hit {
	record := c.records[i].Load()
	if record == 0 {
		return Hit{}
	}
	h := Hit{Count: c.count(i), First: int64(record >> timeShift), Phase: phaseName(record)}
	if h.Count == 0 {
		h.Count = 1
	}
	return h
}

// Points returns all points in record order. They are read when first asked for.
func (c *Component) Points() []Point {
	reading.Lock()
	defer reading.Unlock()
	if points, ok := readPoints[c]; ok {
		return points
	}
	points := make([]Point, 0, c.total)
	for _, p := range c.packages {
		lines := strings.SplitN(p.meta, "\n", len(p.counters)+1)
		for i := range p.counters {
			points = append(points, parsePoint(p.path, lines[i]))
		}
	}
	readPoints[c] = points
	return points
}

var (
	reading    sync.Mutex
	readPoints = map[*Component][]Point{}
)

// parsePoint reads one line of a table; what is missing stays empty.
func parsePoint(path, line string) Point {
	var fields [10]string
	copy(fields[:], strings.SplitN(line, "\t", len(fields)))
	number := func(i int) int {
		n, _ := strconv.Atoi(fields[i])
		return n
	}
	return Point{
		Package: path, ID: fields[0], Name: fields[1], Kind: fields[2], Form: fields[3],
		Line: number(4), Column: number(5), EndLine: number(6), EndColumn: number(7),
		File: unquote(fields[8]), Func: unquote(fields[9]),
	}
}
