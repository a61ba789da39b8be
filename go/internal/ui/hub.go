package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/goat-trace/goat/go/internal/report"
)

// lists are the parts of the document that are long: of them only what changed is sent.
// The others are sent whole.
var lists = []string{"points", "account", "lines"}

// hub holds the newest document and knows since which revision each part of it is as it is.
type hub struct {
	mu       sync.Mutex
	document *report.Document
	// generation changes with what a page cannot take in: other lines, other points.
	generation, revision int
	parts                map[string][]part
	rest                 map[string]json.RawMessage
	// changed is closed, and replaced, with each revision.
	changed chan struct{}
	ended   bool
}

// part is one element of a list: its bytes and the revision that brought them.
type part struct {
	text  json.RawMessage
	since int
}

func newHub() *hub { return &hub{changed: make(chan struct{})} }

// put takes a new document in.
func (h *hub) put(d *report.Document) error {
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	now := map[string][]part{}
	for _, name := range lists {
		var list []json.RawMessage
		if raw, ok := fields[name]; ok {
			if err := json.Unmarshal(raw, &list); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		for _, element := range list {
			now[name] = append(now[name], part{text: element})
		}
		delete(fields, name)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.revision++
	if h.document == nil || !samePlaces(h.document, d) {
		h.generation++
	}
	for name, list := range now {
		for i := range list {
			list[i].since = h.revision
			if before := h.parts[name]; i < len(before) && bytes.Equal(before[i].text, list[i].text) {
				list[i].since = before[i].since
			}
		}
	}
	h.document, h.parts, h.rest = d, now, fields
	h.wake()
	return nil
}

func (h *hub) wake() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// end tells the pages that nothing comes any more.
func (h *hub) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	h.wake()
}

// now is the newest document and the name of its revision.
func (h *hub) now() (*report.Document, string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.document, h.name()
}

func (h *hub) name() string { return fmt.Sprintf("%d.%d", h.generation, h.revision) }

// event is one message to a page.
type event struct {
	kind, id string
	data     []byte
}

// next is what a page at a revision must be told, nil when it knows all, and the channel
// that is closed when there is more.
func (h *hub) next(known string) (*event, <-chan struct{}, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return &event{kind: "end"}, h.changed, nil
	}
	generation, revision, ok := parse(known)
	switch {
	case !ok || generation != h.generation || revision > h.revision:
		return &event{kind: "reload", id: h.name()}, h.changed, nil
	case revision == h.revision:
		return nil, h.changed, nil
	}
	update := map[string]any{}
	for name, value := range h.rest {
		update[name] = value
	}
	for name, list := range h.parts {
		var fresh []json.RawMessage
		for i := range list {
			if list[i].since > revision {
				fresh = append(fresh, list[i].text)
			}
		}
		if fresh != nil {
			update[name] = fresh
		}
	}
	data, err := json.Marshal(update)
	return &event{kind: "update", id: h.name(), data: data}, h.changed, err
}

func parse(name string) (generation, revision int, ok bool) {
	left, right, ok := strings.Cut(name, ".")
	generation, err := strconv.Atoi(left)
	revision, wrong := strconv.Atoi(right)
	return generation, revision, ok && err == nil && wrong == nil
}

// samePlaces reports whether two documents are about the same lines and points, so that
// a page of the one can take in the other.
func samePlaces(a, b *report.Document) bool {
	if a.Identity.PlanHash != b.Identity.PlanHash || len(a.Points) != len(b.Points) || len(a.Lines) != len(b.Lines) || len(a.NotLinked) != len(b.NotLinked) {
		return false
	}
	for i := range a.Points {
		if a.Points[i].ID != b.Points[i].ID {
			return false
		}
	}
	return true
}
