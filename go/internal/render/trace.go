package render

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go"
)

// traceEvent is an event of Chrome's trace format, which Perfetto reads. Times are
// microseconds.
type traceEvent struct {
	Name string         `json:"name"`
	Ph   string         `json:"ph"`
	PID  int            `json:"pid"`
	TID  int            `json:"tid"`
	TS   float64        `json:"ts"`
	Dur  *float64       `json:"dur,omitempty"`
	ID   *int           `json:"id,omitempty"`
	BP   string         `json:"bp,omitempty"`
	Cat  string         `json:"cat,omitempty"`
	Args map[string]any `json:"args,omitempty"`
}

// Trace is builds as a Chrome trace: a process per build, a track per worker, on which
// the tools stand one after the other and their phases in them; a counter of running
// tools; arrows along the critical path.
func Trace(found *goat.HeatResult) ([]byte, error) {
	events := []traceEvent{}
	for i := range found.Builds {
		t := tracer{build: &found.Builds[i], pid: i + 1}
		events = append(events, t.events()...)
	}
	return json.Marshal(map[string]any{"displayTimeUnit": "ms", "traceEvents": events})
}

type tracer struct {
	build *goat.HeatBuild
	pid   int
}

func (t *tracer) events() []traceEvent {
	b := t.build
	events := []traceEvent{t.meta("process_name", 0, Platform(b)+" "+BuildName(b))}
	tracks := 0
	for i := range b.Processes {
		tracks = max(tracks, b.Processes[i].Slot+1)
	}
	for track := range tracks {
		events = append(events, t.meta("thread_name", track+1, fmt.Sprintf("worker %d", track+1)))
	}
	for i := range b.Processes {
		events = append(events, t.process(&b.Processes[i])...)
	}
	return append(append(events, t.counter()...), t.arrows()...)
}

func (t *tracer) meta(name string, tid int, value string) traceEvent {
	return traceEvent{Name: name, Ph: "M", PID: t.pid, TID: tid, Args: map[string]any{"name": value}}
}

// process is one tool, and the phases in it, which lie in it one after the other.
func (t *tracer) process(p *goat.HeatProcess) []traceEvent {
	start, end := p.StartMs*1000, (p.StartMs+p.WallMs)*1000
	args := map[string]any{"userMs": p.UserMs, "sysMs": p.SysMs, "maxRss": p.MaxRSS, "exit": p.Exit, "points": p.Points}
	if p.Variant != "" {
		args["variant"] = p.Variant
	}
	events := []traceEvent{t.span(strings.TrimSpace(p.Stage+" "+p.Package), p.Stage, p.Slot+1, start, end, args)}
	at := start
	for _, phase := range p.Phases {
		next := min(at+phase.Ms*1000, end)
		events = append(events, t.span(phase.Name, "phase", p.Slot+1, at, next, nil))
		at = next
	}
	return events
}

func (t *tracer) span(name, category string, tid int, start, end float64, args map[string]any) traceEvent {
	took := max(end-start, 0)
	return traceEvent{Name: name, Ph: "X", PID: t.pid, TID: tid, TS: start, Dur: &took, Cat: category, Args: args}
}

// counter is how many tools run at each moment.
func (t *tracer) counter() []traceEvent {
	type change struct {
		at float64
		by int
	}
	var changes []change
	for i := range t.build.Processes {
		p := &t.build.Processes[i]
		changes = append(changes, change{p.StartMs, 1}, change{p.StartMs + p.WallMs, -1})
	}
	slices.SortFunc(changes, func(a, b change) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return a.by - b.by
	})
	var events []traceEvent
	running := 0
	for _, c := range changes {
		running += c.by
		events = append(events, traceEvent{Name: "running tools", Ph: "C", PID: t.pid, TS: c.at * 1000, Args: map[string]any{"tools": running}})
	}
	return events
}

// arrows lead along the critical path from the end of one tool to the start of the next.
func (t *tracer) arrows() []traceEvent {
	if t.build.CriticalPath == nil {
		return nil
	}
	var events []traceEvent
	var before *goat.HeatProcess
	id := t.pid * 1_000_000
	for _, step := range t.build.CriticalPath.Steps {
		p := t.longest(step)
		if p == nil {
			continue
		}
		if before != nil && before.StartMs+before.WallMs <= p.StartMs {
			id++
			number := id
			from := traceEvent{Name: "critical path", Ph: "s", Cat: "critical", PID: t.pid, TID: before.Slot + 1, TS: (before.StartMs + before.WallMs) * 1000, ID: &number}
			to := traceEvent{Name: "critical path", Ph: "f", BP: "e", Cat: "critical", PID: t.pid, TID: p.Slot + 1, TS: p.StartMs * 1000, ID: &number}
			events = append(events, from, to)
		}
		before = p
	}
	return events
}

// longest is the process that stands for a step: the longest of its package and kind.
func (t *tracer) longest(step goat.HeatStep) *goat.HeatProcess {
	var found *goat.HeatProcess
	for i := range t.build.Processes {
		p := &t.build.Processes[i]
		if p.Package != step.Package || (p.Stage == "link") != (step.Mode == "link") || p.Stage == "version" {
			continue
		}
		if found == nil || p.WallMs > found.WallMs {
			found = p
		}
	}
	return found
}

// Platform is what a build was for.
func Platform(b *goat.HeatBuild) string { return b.GOOS + "/" + b.GOARCH }

// BuildName is the command line of a build, as far as the log has it.
func BuildName(b *goat.HeatBuild) string {
	if b.Verb == "" {
		return "go"
	}
	return strings.Join(append(append([]string{b.Verb}, b.Flags...), b.Targets...), " ")
}
