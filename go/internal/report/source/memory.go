package source

import (
	"fmt"
	"strings"
	"sync"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/report"
)

// Memory is what a reader keeps who asks the same sources again and again: the last
// answer of each process, so that one that did not change is not sent again, and what
// each said last, so that the evidence of one that is gone is not gone with it. The zero
// value is empty; nil remembers nothing. It is safe for concurrent use.
type Memory struct {
	mu     sync.Mutex
	tracks map[string]kept
	said   map[string][]report.Observation
	points pool
	dumped map[string]*goat.DumpResult
}

// pool is where readings that follow each other share their points.
func (m *Memory) pool() *pool {
	if m == nil {
		return &pool{}
	}
	return &m.points
}

// dump reads dumps, once for the same ones against the same plan: they are files, and who
// follows the sources looks each second.
func (m *Memory) dump(plan string, sources []goat.DumpSource, read func() (*goat.DumpResult, error)) (*goat.DumpResult, error) {
	if m == nil {
		return read()
	}
	name := strings.Builder{}
	name.WriteString(plan)
	for i := range sources {
		fmt.Fprintf(&name, " %q", sources[i].Path)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if known := m.dumped[name.String()]; known != nil {
		return known, nil
	}
	result, err := read()
	if err == nil {
		m.dumped = map[string]*goat.DumpResult{name.String(): result}
	}
	return result, err
}

// kept are points and the tag by which their process knows them again.
type kept struct {
	tag   string
	track track
}

func (m *Memory) track(instance string) kept {
	if m == nil {
		return kept{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tracks[instance]
}

func (m *Memory) keep(instance string, k kept) {
	if m == nil || instance == "" || k.tag == "" {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tracks == nil {
		m.tracks = map[string]kept{}
	}
	m.tracks[instance] = k
}

// gone is the state of a process that a source no longer shows.
const gone = "ended"

// join adds to what a source says now what it said before of processes that it no longer
// shows. Where the source fails, they carry its error.
func (m *Memory) join(source string, now []report.Observation) []report.Observation {
	if m == nil {
		return now
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.said == nil {
		m.said = map[string][]report.Observation{}
	}
	here := map[[2]string]bool{}
	for i := range now {
		if now[i].Reachable {
			here[identityOf(&now[i])] = true
		}
	}
	var before []report.Observation
	for _, o := range m.said[source] {
		if here[identityOf(&o)] {
			continue
		}
		o.State, o.Err = gone, nil
		if len(here) == 0 && len(now) > 0 {
			o.State, o.Err = "unknown", now[0].Err
		}
		before = append(before, o)
	}
	if len(here) == 0 && len(before) > 0 {
		now = nil // each of before carries the failure
	}
	all := append(now, before...)
	m.said[source] = nil
	for i := range all {
		if all[i].Reachable {
			m.said[source] = append(m.said[source], all[i])
		}
	}
	return all
}

func identityOf(o *report.Observation) [2]string { return [2]string{o.Instance, o.Component} }
