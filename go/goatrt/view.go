//go:build go1.21

package goatrt

import (
	"strconv"
	"strings"
	"sync"
	"time"
)

// What package server reads. A program has no reason to call these.

// Point is one code point, as the table gives it.
type Point struct {
	Package, ID, Name, Kind, Form    string
	File, Func                       string
	Line, Column, EndLine, EndColumn int
}

// Hit is what is known about one point at one moment. Times are microseconds of the
// wall clock, 0 where there is none.
type Hit struct {
	Count   uint64
	First   int64 // of all hits
	Init    int64 // the first hit of each phase
	Startup int64
	Traffic int64
	Last    int64  // to one window; 0 where windows are off
	Phase   string // the one that proves most; "" when not hit
}

// Components brings every record up to date and returns what is tracked.
func Components() []*Component {
	scanning.Lock()
	defer scanning.Unlock()
	now := wallMicros()
	all := current().components
	for _, c := range all {
		c.scan(phaseNow(), now)
	}
	return all
}

// Reset forgets every hit of every component.
func Reset() {
	scanning.Lock()
	defer scanning.Unlock()
	for _, c := range current().components {
		c.reset()
	}
}

// Phase names the phase the process is in.
func Phase() string { return phaseName(phaseNow()) }

func phaseName(p uint64) string { return [...]string{"", "init", "startup", "traffic"}[p&3] }

// ID numbers the components of a process from 0.
func (c *Component) ID() int { return c.id }

// Identity says what the component is.
func (c *Component) Identity() *Identity { return &c.identity }

// Window is how exactly last hits are known; 0: they are not.
func (c *Component) Window() time.Duration { return c.window }

// Started is when its tracking began, in microseconds of the wall clock.
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
func (c *Component) Hit(i int) (h Hit) {
	for k, at := range [phases]*int64{&h.Init, &h.Startup, &h.Traffic} {
		*at = int64(c.records[i*phases+k].Load() >> timeShift)
		if *at == 0 {
			continue
		}
		h.Phase = phaseName(uint64(k + 1))
		if h.First == 0 || *at < h.First {
			h.First = *at
		}
		if c.last != nil && *at > h.Last {
			h.Last = *at
		}
	}
	if h.First == 0 {
		return h
	}
	if c.last != nil {
		if at := c.last[i].Load(); at > h.Last {
			h.Last = at
		}
	}
	if h.Count = c.count(i); h.Count == 0 {
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
	if readPoints == nil {
		readPoints = map[*Component][]Point{}
	}
	readPoints[c] = points
	return points
}

var (
	reading    sync.Mutex
	readPoints map[*Component][]Point
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
