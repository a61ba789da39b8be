package source

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"strings"
	"sync"

	"github.com/goat-trace/goat/go/internal/report"
)

// sibling is a process that a live one names: it was started with the same address
// (docs/runtime.md).
type sibling struct {
	Address  string `json:"address"`
	Instance string `json:"instance"`
	Pid      int    `json:"pid"`
}

// lister is a process that names siblings.
type lister struct {
	*live
	siblings list[sibling]
}

// reading is what one sibling has given.
type reading struct {
	observations []report.Observation
	siblings     list[sibling]
	live         *live
}

// readSiblings reads all that a process names, and all that those name.
func (l *live) readSiblings(ctx context.Context, r *Request, self string, named list[sibling]) []report.Observation {
	seen := map[string]bool{self: true}
	var all []report.Observation
	for level := []lister{{l, named}}; len(level) > 0; {
		var next []lister
		for _, from := range level {
			for _, a := range from.readNew(ctx, r, seen) {
				all = append(all, a.observations...)
				if len(a.siblings) > 0 {
					next = append(next, lister{a.live, a.siblings})
				}
			}
		}
		level = next
	}
	return all
}

// readNew reads at once those that nobody has read yet.
func (from lister) readNew(ctx context.Context, r *Request, seen map[string]bool) []reading {
	readings := make([]reading, len(from.siblings))
	slots := make(chan struct{}, parallel)
	var group sync.WaitGroup
	for i, s := range from.siblings {
		if s.Instance == "" || seen[s.Instance] || len(seen) > maxListed {
			continue
		}
		seen[s.Instance] = true
		group.Add(1)
		go func() {
			defer group.Done()
			slots <- struct{}{}
			defer func() { <-slots }()
			readings[i] = from.readOne(ctx, r, s)
		}()
	}
	group.Wait()
	return readings
}

func (from lister) readOne(ctx context.Context, r *Request, s sibling) reading {
	name, address, err := from.beside(ctx, s.Address)
	if err != nil {
		return reading{observations: failed(s.Address, from.blame(s, err))}
	}
	l := newLive(r, address)
	l.name, l.reach = name, from.reach
	defer l.client.CloseIdleConnections()
	observations, siblings, err := l.observe(ctx, s.Instance)
	switch {
	case err == nil:
		return reading{observations, siblings, l}
	case from.stillNames(ctx, s):
		return reading{observations: failed(name, from.blame(s, err))}
	}
	return reading{} // it has ended meanwhile
}

// blame says whose sibling could not be read.
func (from lister) blame(s sibling, err error) error {
	return fmt.Errorf("process %d beside %s: %w", s.Pid, from.name, err)
}

// beside is where a sibling is asked: on the host that was asked before, never elsewhere,
// for a source must not be able to have others asked, with the token.
func (from lister) beside(ctx context.Context, announced string) (name string, address *url.URL, err error) {
	socket, isSocket := strings.CutPrefix(announced, "unix:")
	if from.address.Scheme == "unix" && isSocket {
		at := path.Join(path.Dir(from.address.Path), path.Base(socket))
		return "unix:" + at, &url.URL{Scheme: "unix", Path: at}, nil
	}
	_, port, err := net.SplitHostPort(announced)
	switch {
	case err != nil || isSocket || from.address.Scheme != "http" || strings.Trim(from.address.Path, "/") != "":
		return "", nil, errors.New("cannot be reached that way: name its address")
	case from.reach != nil:
		return from.reach(ctx, port)
	}
	address = &url.URL{Scheme: "http", Host: net.JoinHostPort(from.address.Hostname(), port)}
	return address.String(), address, nil
}

// stillNames asks again: a process that has just ended is not missing.
func (from lister) stillNames(ctx context.Context, s sibling) bool {
	var v version
	if err := from.get(ctx, "version", maxVersion, v.decode); err != nil {
		return true
	}
	for _, other := range v.Siblings {
		if other.Instance == s.Instance {
			return true
		}
	}
	return false
}
