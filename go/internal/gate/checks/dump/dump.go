// Package dump asks whether goroutines pile up in a canary: leaks, and clusters that are
// new or have grown since a saved dump.
package dump

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gate"
)

// Settings are those of one group of processes.
type Settings struct {
	Title    string   `key:"name" help:"name of this check, where there are several"`
	Sources  []string `key:"sources" help:"addresses of processes that serve net/http/pprof, as http://host:6060, or files with dumps"`
	Baseline []string `key:"baseline" help:"older dumps, or addresses of stable processes, that the canary's are compared with"`
	Leaked   int      `key:"leaked" min:"0" help:"most goroutines that nothing can wake (0)"`
	New      int      `key:"new" min:"0" help:"most goroutines of clusters in changed code that the baseline does not have (0)"`
	Grown    int      `key:"grown" min:"0" help:"how many goroutines more than the baseline a cluster may have (100)"`
	Most     *int     `key:"goroutines" min:"0" help:"most goroutines in all"`
	FailIf   string   `key:"failIf" help:"a condition on the figures of goat dump, as 'mutex>100 || deadlocks>0'"`
	Leak     bool     `key:"leak" help:"ask for the goroutines that nothing can wake, too (Go 1.27 and newer)"`
}

// SetDefaults sets what holds without a configuration.
func (s *Settings) SetDefaults() { s.Grown = 100 }

// Validate refuses what cannot be looked at.
func (s *Settings) Validate() error {
	if len(s.Sources) == 0 {
		return errors.New("sources is missing: where the canary's goroutines are")
	}
	return nil
}

// Check is the question about one group of processes.
type Check struct {
	Settings
	// Read reads the dumps and marks what the release changes.
	Read func(context.Context, *Settings) (*goat.DumpResult, error)
}

// Name is dump, with the name that it was given.
func (c *Check) Name() gate.Name {
	if c.Title == "" {
		return gate.Name{Check: "dump", Name: "dump"}
	}
	return gate.Name{Check: "dump", Name: c.Title}
}

// Explain says what is read and judged.
func (c *Check) Explain() []string {
	lines := []string{"read the goroutines of " + strings.Join(c.Sources, " ")}
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
	found, err := c.Read(ctx, &c.Settings)
	if err != nil {
		var known *goat.Error
		if errors.As(err, &known) && (known.Code == goat.CodeUsage || known.Code == goat.CodeBadRequest) {
			return gate.Finding{Misconfigured: fmt.Errorf("check.dump: %w", err)}
		}
		return gate.CouldNotLook(strings.Join(c.Sources, " "), err)
	}
	var f gate.Finding
	c.judge(found, &f)
	return f
}

func (c *Check) judge(found *goat.DumpResult, f *gate.Finding) {
	query := strings.Join(c.Sources, " ")
	count := func(message string, is, most uint64) {
		v := gate.Pass
		if is > most {
			v = gate.Fail
		}
		f.Add(gate.Reason{Verdict: v, Message: message, Value: is, Threshold: most, Unit: "goroutines", Query: query})
	}
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
	if found.FailIf != nil && found.FailIf.Failed {
		f.Add(gate.Reason{Verdict: gate.Fail, Message: "failIf: " + found.FailIf.Because, Threshold: found.FailIf.Expression, Query: query})
	}
	if found.Source.Truncated {
		f.Add(gate.Reason{Verdict: gate.Inconclusive, Query: query, Value: found.Source.Parsed, Threshold: all, Unit: "goroutines",
			Message: fmt.Sprintf("the dump is cut off: %d of %d goroutines were read", found.Source.Parsed, all)})
	}
}

// leaks names a cluster that nothing can wake.
func (c *Check) leaks(cluster *goat.DumpCluster, f *gate.Finding, query string) uint64 {
	stuck := cluster.Leaked
	if stuck > 0 && c.Leaked == 0 {
		f.Add(gate.Reason{Verdict: gate.Fail, Message: "leaked: " + described(cluster), Value: stuck, Threshold: c.Leaked, Unit: "goroutines", Query: query, Place: place(cluster)})
	}
	return stuck
}

// added names a cluster that the baseline has not, or with fewer goroutines. New ones
// outside of changed code are named, for a baseline seldom has every idle goroutine.
func (c *Check) added(cluster *goat.DumpCluster, f *gate.Finding, query string) uint64 {
	if cluster.Delta == nil {
		return 0
	}
	r := gate.Reason{Verdict: gate.Pass, Unit: "goroutines", Query: query, Place: place(cluster)}
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

func place(cluster *goat.DumpCluster) *gate.Place {
	if top := own(cluster); top != nil {
		return &gate.Place{File: top.File, Line: top.Line, Func: top.Func}
	}
	return nil
}
