// Package dump asks whether goroutines pile up in a canary: leaks, and clusters that are
// new or have grown since a saved dump.
package dump

import (
	"context"
	"fmt"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/diagnosed"
)

// Settings are those of one group of processes.
type Settings struct {
	diagnosed.Group
	Leaked int  `key:"leaked" min:"0" help:"most goroutines that nothing can wake (0)"`
	New    int  `key:"new" min:"0" help:"most goroutines of clusters in changed code that the baseline does not have (0)"`
	Grown  int  `key:"grown" min:"0" help:"how many goroutines more than the baseline a cluster may have (100)"`
	Most   *int `key:"goroutines" min:"0" help:"most goroutines in all"`
	Leak   bool `key:"leak" help:"ask for the goroutines that nothing can wake, too (Go 1.27 and newer)"`
}

// SetDefaults sets what holds without a configuration.
func (s *Settings) SetDefaults() { s.Grown = 100 }

// Check is the question about one group of processes.
type Check struct {
	Settings
	// Read reads the dumps and marks what the release changes; change says what that is
	// between, and is empty where nobody knows.
	Read func(context.Context, *Settings) (found *goat.DumpResult, change string, err error)
}

// Name is dump, with the name that it was given.
func (c *Check) Name() gate.Name { return c.NameOf("dump") }

// Explain says what is read and judged.
func (c *Check) Explain() []string {
	lines := []string{"read the goroutines of " + c.Query()}
	lines = append(lines, fmt.Sprintf("at most %d of them leaked", c.Leaked))
	if len(c.Baseline) > 0 {
		lines = append(lines, "compared with "+strings.Join(c.Baseline, " "),
			fmt.Sprintf("at most %d in new clusters of changed code, and no cluster grown by more than %d", c.New, c.Grown))
	}
	if c.Most != nil {
		lines = append(lines, fmt.Sprintf("at most %d in all", *c.Most))
	}
	if c.FailIf != "" {
		lines = append(lines, "not "+c.FailIf)
	}
	return lines
}

// Look reads and judges.
func (c *Check) Look(ctx context.Context) gate.Finding {
	found, change, err := c.Read(ctx, &c.Settings)
	if err != nil {
		return c.NotRead("dump", err)
	}
	var f gate.Finding
	c.judge(found, &f)
	if len(c.Baseline) > 0 {
		diagnosed.Unmarked(change, &f)
	}
	return f
}

func (c *Check) judge(found *goat.DumpResult, f *gate.Finding) {
	query := c.Query()
	count := func(message string, is, most uint64) { f.Add(diagnosed.Most(message, is, most, "goroutines", query)) }
	all := found.Source.Goroutines
	if c.Most != nil {
		count(fmt.Sprintf("%d goroutines", all), all, uint64(*c.Most))
	}
	leaked, newer := uint64(0), uint64(0)
	for i := range found.Clusters {
		leaked += c.leaks(&found.Clusters[i], f, query)
		newer += c.added(&found.Clusters[i], f, query)
	}
	count(fmt.Sprintf("%d of %d goroutines leaked: nothing can wake them", leaked, all), leaked, uint64(c.Leaked))
	if len(c.Baseline) > 0 {
		count(fmt.Sprintf("%d goroutines in clusters of changed code that are new", newer), newer, uint64(c.New))
	}
	c.Condition(found.FailIf, f)
	if found.Source.Truncated {
		f.Add(gate.Reason{Verdict: gate.Inconclusive, Query: query, Value: found.Source.Parsed, Threshold: all, Unit: "goroutines",
			Message: fmt.Sprintf("the dump is cut off: %d of %d goroutines were read", found.Source.Parsed, all)})
	}
}

// leaks names a cluster that nothing can wake.
func (c *Check) leaks(cluster *goat.DumpCluster, f *gate.Finding, query string) uint64 {
	stuck := cluster.Leaked
	if stuck > 0 && c.Leaked == 0 {
		f.Add(gate.Reason{Verdict: gate.Fail, Message: "leaked: " + described(cluster), Value: stuck, Threshold: c.Leaked, Unit: "goroutines", Query: query, Place: diagnosed.Place(own(cluster))})
	}
	return stuck
}

// added names a cluster that the baseline has not, or with fewer goroutines. New ones
// outside of changed code are named, for a baseline seldom has every idle goroutine.
func (c *Check) added(cluster *goat.DumpCluster, f *gate.Finding, query string) uint64 {
	if cluster.Delta == nil {
		return 0
	}
	r := gate.Reason{Verdict: gate.Pass, Unit: "goroutines", Query: query, Place: diagnosed.Place(own(cluster))}
	switch kind := cluster.Delta.Kind; {
	case kind == "new" && cluster.Changed:
		r.Message, r.Value, r.Threshold = "new in changed code: "+described(cluster), cluster.Count, c.New
		if cluster.Count > uint64(c.New) {
			r.Verdict = gate.Fail
		}
		f.Add(r)
		return cluster.Count
	case (kind == "grown" || kind == "new") && cluster.Delta.Count > int64(c.Grown):
		r.Verdict, r.Message = gate.Fail, kind+": "+described(cluster)
		r.Value, r.Threshold = cluster.Delta.Count, c.Grown
		f.Add(r)
	}
	return 0
}

// described is a cluster in a few words.
func described(cluster *goat.DumpCluster) string {
	text := fmt.Sprintf("%d × %s %s", cluster.Count, cluster.Dimension, cluster.Primitive)
	if top := own(cluster); top != nil {
		text += " in " + top.Func
	}
	return text + " (" + cluster.ID + ")"
}

func own(cluster *goat.DumpCluster) *goat.DumpFrame {
	for i := range cluster.Frames {
		if cluster.Frames[i].Own {
			return &cluster.Frames[i]
		}
	}
	if len(cluster.Frames) > 0 {
		return &cluster.Frames[0]
	}
	return nil
}
