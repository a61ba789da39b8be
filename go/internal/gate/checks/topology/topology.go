package topology

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/printable"
)

// Instance is one of those that serve.
type Instance struct {
	// Name is that of the pod or the registration; Address is where it serves.
	Name    string `json:"name"`
	Address string `json:"address"`
	Cluster string `json:"cluster"`
	Zone    string `json:"zone"`
	Version string `json:"version"`
	// Ready says that it gets traffic.
	Ready bool `json:"ready"`
	// Restarts counts those of a pod's containers.
	Restarts int `json:"restarts,omitempty"`
}

// saved is a snapshot file.
type saved struct {
	Format    int        `json:"format"`
	Instances []Instance `json:"instances"`
}

// Check is the question about one service.
type Check struct {
	Settings
	// Write writes the snapshot, all or not at all.
	Write func(path string, text []byte) error
}

// Name is topology, with the name that it was given.
func (c *Check) Name() gate.Name {
	if c.Title == "" {
		return gate.Name{Check: "topology", Name: "topology"}
	}
	return gate.Name{Check: "topology", Name: c.Title}
}

// Explain says who is asked.
func (c *Check) Explain() []string {
	lines := []string{c.asked()}
	if c.Snapshot != "" {
		lines = append(lines, "compare with "+c.Snapshot)
	}
	if c.Save != "" {
		lines = append(lines, "write the answer to "+c.Save)
	}
	return lines
}

// Look asks who serves, and judges.
func (c *Check) Look(ctx context.Context) gate.Finding {
	instances, err := c.instances(ctx)
	if err != nil {
		return gate.CouldNotLook(c.asked(), err)
	}
	slices.SortFunc(instances, func(a, b Instance) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Address, b.Address)) })
	var f gate.Finding
	c.judge(&f, instances)
	if c.Snapshot != "" {
		c.compare(&f, instances)
	}
	if c.Save != "" {
		if err := c.save(instances); err != nil {
			f.Add(gate.Reason{Verdict: gate.Error, Message: "the answer cannot be saved: " + err.Error(), Query: c.Save})
		}
	}
	return f
}

func (i *Instance) String() string {
	parts := []string{cmp.Or(i.Name, i.Address)}
	for _, part := range []string{i.Zone, i.Version} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

// judge holds the instances against what must hold.
func (c *Check) judge(f *gate.Finding, all []Instance) {
	var serving []Instance
	for _, i := range all {
		switch {
		case i.Ready:
			serving = append(serving, i)
		case c.Expect.Ready:
			f.Add(gate.Reason{Verdict: gate.Fail, Message: "does not serve: " + i.String(), Query: c.asked()})
		}
	}
	c.count(f, serving)
	zones := map[string]bool{}
	for i := range serving {
		in := &serving[i]
		zones[in.Zone] = true
		c.each(f, in)
	}
	delete(zones, "")
	if c.Expect.Spread > 0 {
		verdict := gate.Pass
		if len(zones) < c.Expect.Spread {
			verdict = gate.Fail
		}
		f.Add(gate.Reason{Verdict: verdict, Message: "zones with instances", Value: len(zones), Threshold: c.Expect.Spread, Unit: "zones", Query: c.asked()})
	}
}

// count judges how many serve. That none does leaves nothing to judge.
func (c *Check) count(f *gate.Finding, serving []Instance) {
	least := 1
	if c.Expect.Min != nil {
		least = *c.Expect.Min
	}
	r := gate.Reason{Verdict: gate.Pass, Message: "instances that serve", Value: len(serving), Threshold: least, Unit: "instances", Query: c.asked()}
	if len(serving) < least {
		r.Verdict, r.Message = gate.Fail, "fewer instances serve than must"
	}
	f.Add(r)
	if most := c.Expect.Max; most != nil {
		r = gate.Reason{Verdict: gate.Pass, Message: "instances that serve, at most", Value: len(serving), Threshold: *most, Unit: "instances", Query: c.asked()}
		if len(serving) > *most {
			r.Verdict, r.Message = gate.Fail, "more instances serve than may"
		}
		f.Add(r)
	}
}

func (c *Check) each(f *gate.Finding, i *Instance) {
	e := &c.Expect
	say := func(what, got, want string) {
		f.Add(gate.Reason{Verdict: gate.Fail, Message: fmt.Sprintf("%s is in another %s", cmp.Or(i.Name, i.Address), what), Value: got, Threshold: want, Query: c.asked()})
	}
	if e.Cluster != "" && i.Cluster != e.Cluster {
		say("cluster", i.Cluster, e.Cluster)
	}
	if len(e.Zones) > 0 && !slices.Contains(e.Zones, i.Zone) {
		say("zone", i.Zone, strings.Join(e.Zones, ", "))
	}
	if e.Version != "" && i.Version != e.Version {
		f.Add(gate.Reason{Verdict: gate.Fail, Message: cmp.Or(i.Name, i.Address) + " has another version", Value: i.Version, Threshold: e.Version, Query: c.asked()})
	}
	if e.Restarts != nil && i.Restarts > *e.Restarts {
		f.Add(gate.Reason{Verdict: gate.Fail, Message: i.Name + " has started again", Value: i.Restarts, Threshold: *e.Restarts, Unit: "restarts", Query: c.asked()})
	}
}

// compare holds the instances against those of the snapshot.
func (c *Check) compare(f *gate.Finding, now []Instance) {
	text, err := os.ReadFile(c.Snapshot)
	var before saved
	if err == nil {
		err = printable.Mismatch(json.Unmarshal(text, &before))
	}
	if err == nil && before.Format != 1 {
		err = errors.New("not a snapshot of goat check topology --save")
	}
	if err != nil {
		f.Misconfigured = fmt.Errorf("check.topology.snapshot: %w", err)
		return
	}
	differences := 0
	say := func(message string) {
		differences++
		f.Add(gate.Reason{Verdict: gate.Fail, Message: message, Query: c.Snapshot})
	}
	for i := range before.Instances {
		old := &before.Instances[i]
		at := slices.IndexFunc(now, old.same)
		switch {
		case at < 0:
			say("gone since the snapshot: " + old.String())
		case now[at] != *old:
			say(fmt.Sprintf("changed since the snapshot: %s, was %s", describe(&now[at]), describe(old)))
		}
	}
	for i := range now {
		if !slices.ContainsFunc(before.Instances, now[i].same) {
			say("new since the snapshot: " + now[i].String())
		}
	}
	if differences == 0 {
		f.Add(gate.Reason{Verdict: gate.Pass, Message: "as in the snapshot", Value: len(now), Unit: "instances", Query: c.Snapshot})
	}
}

func (i *Instance) same(other Instance) bool {
	return i.Name == other.Name && i.Address == other.Address
}

func describe(i *Instance) string {
	text := i.String()
	if i.Cluster != "" {
		text += ", cluster " + i.Cluster
	}
	if !i.Ready {
		text += ", does not serve"
	}
	if i.Restarts > 0 {
		text += fmt.Sprintf(", restarts %d", i.Restarts)
	}
	return text
}

func (c *Check) save(instances []Instance) error {
	if instances == nil {
		instances = []Instance{}
	}
	text, err := json.MarshalIndent(saved{1, instances}, "", "  ")
	if err != nil {
		return err
	}
	return c.Write(c.Save, append(text, '\n'))
}
