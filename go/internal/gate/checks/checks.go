// Package checks knows all checks of the gate: their settings as one document, and how
// they are made of it. Each stands in a folder of its own.
package checks

import (
	"context"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/checks/compat"
	"github.com/goat-trace/goat/go/internal/gate/checks/coverage"
	"github.com/goat-trace/goat/go/internal/gate/checks/dump"
	"github.com/goat-trace/goat/go/internal/gate/checks/health"
	"github.com/goat-trace/goat/go/internal/gate/checks/metrics"
	"github.com/goat-trace/goat/go/internal/gate/checks/panics"
	"github.com/goat-trace/goat/go/internal/gate/checks/reload"
	"github.com/goat-trace/goat/go/internal/gate/checks/route"
	"github.com/goat-trace/goat/go/internal/gate/checks/slo"
	"github.com/goat-trace/goat/go/internal/gate/checks/topology"
	"github.com/goat-trace/goat/go/internal/gate/settings"
	"github.com/goat-trace/goat/go/internal/report"
)

// Settings are those below check: in goat.yaml.
type Settings struct {
	Timeout      time.Duration       `key:"timeout" above:"0" help:"how long all checks together may take (30s; 3m with config.command, compat.api or metrics.source), as --timeout"`
	Try          time.Duration       `key:"tryTimeout" above:"0" help:"how long one look of a check may take (10s; with config.command, compat.api or metrics.source all of the time), as --try-timeout"`
	Retry        int                 `key:"retry" min:"0" max:"100" help:"how often a check looks again that could not look or is inconclusive (2), as --retry"`
	Inconclusive string              `key:"inconclusive" oneof:"keep,fail,pass" help:"what an inconclusive verdict is taken for (keep), as --inconclusive"`
	Coverage     *coverage.Settings  `key:"coverage" help:"did the changed code run?"`
	Route        []route.Settings    `key:"route" several:"" help:"do requests with the gray tag reach the canary, and no others? One mapping, or a list of them"`
	Health       []health.Settings   `key:"health" several:"" help:"does the canary say that it is well? One mapping, or a list of them"`
	SLO          []slo.Settings      `key:"slo" several:"" help:"does the canary keep its service levels, beside the stable side? One mapping, or a list of them"`
	Topology     []topology.Settings `key:"topology" several:"" help:"which instances serve, and where? One mapping, or a list of them"`
	Config       []reload.Settings   `key:"config" several:"" help:"does a program reload its configuration as it claims? One mapping, or a list of them"`
	Metrics      []metrics.Settings  `key:"metrics" several:"" help:"are the canary's metrics those of the stable side? One mapping, or a list of them"`
	Compat       *compat.Settings    `key:"compat" help:"does the release break those who use the base: OpenAPI, protobuf, Go API, modules, binaries?"`
	Panics       []panics.Settings   `key:"panics" several:"" help:"does the canary panic where the stable side does not? One mapping, or a list of them"`
	Dump         []dump.Settings     `key:"dump" several:"" help:"do goroutines pile up in the canary? One mapping, or a list of them"`
}

// SetDefaults sets what holds without a configuration.
func (s *Settings) SetDefaults() {
	s.Retry, s.Inconclusive = 2, gate.Keep
}

// The times where nothing is set; a program that is put through ten events needs more, as
// do two versions of a module that are type-checked.
const (
	lookTime, tryTime = 30 * time.Second, 10 * time.Second
	slowTime          = 3 * time.Minute
)

// slow tells whether one look of a check takes long.
func (s *Settings) slow() bool {
	return slices.ContainsFunc(s.Config, func(c reload.Settings) bool { return c.Plays() }) || s.Compat != nil && len(s.Compat.API) > 0 ||
		slices.ContainsFunc(s.Metrics, func(m metrics.Settings) bool { return m.Source })
}

// Options are how the checks are run.
func (s *Settings) Options() gate.Options {
	o := gate.Options{Timeout: s.Timeout, Try: s.Try, Retry: s.Retry, Inconclusive: s.Inconclusive}
	if o.Timeout == 0 {
		o.Timeout = lookTime
		if s.slow() {
			o.Timeout = slowTime
		}
	}
	if o.Try == 0 {
		o.Try = tryTime
		if s.slow() {
			o.Try = o.Timeout
		}
	}
	return o
}

// Defaults gives checks the tag and the service of the command line, where they have none
// of their own.
func Defaults(root *yaml.Node, tag, service string) {
	for _, d := range []struct{ check, path, value, from string }{
		{"route", "value", tag, "--gray-tag"},
		{"health", "value", tag, "--gray-tag"},
		{"topology", "kubernetes.service", service, "--service"},
		{"topology", "consul.service", service, "--service"},
		{"topology", "nacos.service", service, "--service"},
		{"topology", "envoy.cluster", service, "--service"},
	} {
		if d.value != "" {
			settings.Default(root, d.check, d.path, d.value, d.from)
		}
	}
}

// Tools are what checks need of the program around them.
type Tools struct {
	Now func() time.Time
	// Report prepares the reading of the evidence that a coverage check judges; from names
	// the sources.
	Report func(*coverage.Settings) (read func(context.Context) (*report.Document, error), from []string, err error)
	// Path takes a path of the settings from the directory in which goat works.
	Path func(string) string
	// Write writes a file, all or not at all.
	Write func(path string, text []byte) error
	// Compare are the repository and its two versions.
	Compare goat.FilesOptions
	// ModCache is the module cache; empty where nobody knows.
	ModCache func() string
	// Panics and Dump read panics and goroutines, and mark those in changed code.
	Panics func(ctx context.Context, sources []string, failIf string) (*panics.Record, error)
	Dump   func(context.Context, *dump.Settings) (found *goat.DumpResult, change string, err error)
	// Hits tells when the processes of some sources were last hit.
	Hits route.Hits
}

// maker makes the checks of one name out of the settings.
type maker struct {
	name string
	make func(*Settings, *Tools) ([]gate.Check, error)
}

func each[S any](list []S, check func(S) gate.Check) ([]gate.Check, error) {
	var all []gate.Check
	for _, s := range list {
		all = append(all, check(s))
	}
	return all, nil
}

// makers are all checks, in the order in which they are shown.
var makers = []maker{
	{"coverage", makeCoverage},
	{"route", func(s *Settings, tools *Tools) ([]gate.Check, error) {
		return each(s.Route, func(r route.Settings) gate.Check { return &route.Check{Settings: r, Hits: tools.Hits} })
	}},
	{"health", func(s *Settings, _ *Tools) ([]gate.Check, error) {
		return each(s.Health, func(h health.Settings) gate.Check { return &health.Check{Settings: h} })
	}},
	{"slo", func(s *Settings, _ *Tools) ([]gate.Check, error) {
		return each(s.SLO, func(l slo.Settings) gate.Check { return &slo.Check{Settings: l} })
	}},
	{"topology", func(s *Settings, tools *Tools) ([]gate.Check, error) {
		return each(s.Topology, func(t topology.Settings) gate.Check {
			t.Snapshot = tools.Path(t.Snapshot)
			return &topology.Check{Settings: t, Write: tools.Write}
		})
	}},
	{"config", func(s *Settings, tools *Tools) ([]gate.Check, error) {
		return each(s.Config, func(c reload.Settings) gate.Check {
			return &reload.Check{Settings: c, Dir: tools.Path("."), Compare: tools.Compare}
		})
	}},
	{"metrics", func(s *Settings, tools *Tools) ([]gate.Check, error) {
		return each(s.Metrics, func(m metrics.Settings) gate.Check { return &metrics.Check{Settings: m, Compare: tools.Compare} })
	}},
	{"compat", makeCompat},
	{"panics", func(s *Settings, tools *Tools) ([]gate.Check, error) {
		return each(s.Panics, func(p panics.Settings) gate.Check { return &panics.Check{Settings: p, Read: tools.Panics} })
	}},
	{"dump", func(s *Settings, tools *Tools) ([]gate.Check, error) {
		return each(s.Dump, func(d dump.Settings) gate.Check { return &dump.Check{Settings: d, Read: tools.Dump} })
	}},
}

// Names are the checks that there are.
func Names() []string {
	names := make([]string, len(makers))
	for i, m := range makers {
		names[i] = m.name
	}
	return names
}

// Configured are the checks that have settings.
func Configured(root *yaml.Node) []string {
	return slices.DeleteFunc(Names(), func(name string) bool { return !settings.Reached(root, name) })
}

// Make makes the named checks.
func Make(names []string, s *Settings, tools *Tools) ([]gate.Check, error) {
	var all []gate.Check
	for _, m := range makers {
		if !slices.Contains(names, m.name) {
			continue
		}
		made, err := m.make(s, tools)
		if err != nil {
			return nil, err
		}
		all = append(all, made...)
	}
	return all, nil
}

func makeCoverage(s *Settings, tools *Tools) ([]gate.Check, error) {
	read, from, err := tools.Report(s.Coverage)
	if err != nil {
		return nil, err
	}
	return []gate.Check{&coverage.Check{Settings: *s.Coverage, From: from, Read: read, Now: tools.Now}}, nil
}

func makeCompat(s *Settings, tools *Tools) ([]gate.Check, error) {
	check := &compat.Check{Settings: *s.Compat, Options: tools.Compare, Path: tools.Path, Now: tools.Now}
	if s.Compat.Modules {
		check.ModCache = tools.ModCache()
	}
	return []gate.Check{check}, nil
}
