// Package slo asks a Prometheus whether the canary keeps its service levels, beside the
// stable side over the same window.
package slo

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/goat-trace/goat/go/internal/gate/ask"
)

// Settings are those of one server and two sides.
type Settings struct {
	Title      string        `key:"name" help:"name of this check, where there are several"`
	Prometheus string        `key:"prometheus" help:"address of the Prometheus server"`
	Token      string        `key:"token" help:"bearer token of the server, as ${TOKEN}"`
	Canary     string        `key:"canary" help:"label matchers of the canary, as version=\"v2\": $canary in queries"`
	Stable     string        `key:"stable" help:"label matchers of the stable side: $stable in queries"`
	Window     time.Duration `key:"window" help:"how far back queries look (5m): $window"`
	Samples    *float64      `key:"samples" min:"0" help:"fewest requests of each judged side in the window (1); fewer are inconclusive; 0 does not ask"`
	Traffic    string        `key:"traffic" help:"query that counts these requests; otherwise made of the selectors of each rule"`
	Age        time.Duration `key:"age" help:"how long the canary's oldest process must be up, by process_start_time_seconds; younger is inconclusive"`
	Preset     string        `key:"preset" oneof:"http,grpc,istio" help:"rules errors and latency for the usual metrics"`
	Rules      []Rule        `key:"rules" help:"what is asked, and within which bounds the answer must lie"`
}

// Rule is one level.
type Rule struct {
	Name     string   `key:"name" help:"its name; that of a rule of the preset changes that one"`
	Query    string   `key:"query" help:"query that gives one value; asked again with $stable for $canary where that is configured"`
	Max      *float64 `key:"max" help:"most that the canary's value may be"`
	Min      *float64 `key:"min" help:"least that it may be"`
	MaxRatio *float64 `key:"maxRatio" min:"0" help:"most that it may be in proportion to the stable side's"`
	MinRatio *float64 `key:"minRatio" min:"0" help:"least that it may be in proportion to the stable side's"`
	Unit     string   `key:"unit" help:"unit of the value, for the reasons"`

	// histogram is the base name of the histogram that the query of a preset is made of.
	histogram string
	quantile  string
}

// SetDefaults sets what holds without a configuration.
func (s *Settings) SetDefaults() { s.Window = 5 * time.Minute }

// Validate refuses what cannot be asked or judged.
func (s *Settings) Validate() error {
	switch {
	case s.Prometheus == "":
		return errors.New("prometheus is missing: the address of the server")
	case ask.CheckURL(s.Prometheus) != nil:
		return fmt.Errorf("prometheus: %w", ask.CheckURL(s.Prometheus))
	case s.Window < time.Second:
		return errors.New("window is too short: at least 1s")
	}
	s.Canary, s.Stable = matchers(s.Canary), matchers(s.Stable)
	if err := s.takePreset(); err != nil {
		return err
	}
	if len(s.Rules) == 0 {
		return errors.New("no rules: set rules or preset")
	}
	seen := map[string]bool{}
	for i := range s.Rules {
		r := &s.Rules[i]
		if r.Name == "" {
			r.Name = fmt.Sprintf("rule %d", i+1)
		}
		if seen[r.Name] {
			return fmt.Errorf("there are two rules %q", r.Name)
		}
		seen[r.Name] = true
		if err := s.possible(r); err != nil {
			return fmt.Errorf("rule %s: %w", r.Name, err)
		}
	}
	return nil
}

func (s *Settings) possible(r *Rule) error {
	relative := r.MaxRatio != nil || r.MinRatio != nil
	switch {
	case r.Query == "":
		return errors.New("query is missing")
	case r.Max == nil && r.Min == nil && !relative:
		return errors.New("there is no bound: set max, min, maxRatio or minRatio")
	case r.Max != nil && r.Min != nil && *r.Min > *r.Max:
		return fmt.Errorf("nothing lies between min %g and max %g", *r.Min, *r.Max)
	case r.MaxRatio != nil && r.MinRatio != nil && *r.MinRatio > *r.MaxRatio:
		return fmt.Errorf("nothing lies between minRatio %g and maxRatio %g", *r.MinRatio, *r.MaxRatio)
	case variable(r.Query, "canary") && s.Canary == "":
		return errors.New("$canary stands in the query, and canary is not set")
	case variable(r.Query, "stable") && s.Stable == "":
		return errors.New("$stable stands in the query, and stable is not set")
	case relative && variable(r.Query, "stable"):
		return errors.New("the query compares both sides itself: use max and min")
	case relative && !variable(r.Query, "canary"):
		return errors.New("maxRatio and minRatio need a query with $canary, which is asked again for the stable side")
	case relative && s.Stable == "":
		return errors.New("maxRatio and minRatio need stable")
	}
	return nil
}

// matchers takes matchers with or without braces.
func matchers(text string) string {
	text = strings.TrimSpace(text)
	text = strings.TrimSuffix(strings.TrimPrefix(text, "{"), "}")
	return strings.Trim(text, ", ")
}

func number(f float64) *float64 { return &f }

// presets are the rules for the usual metrics.
var presets = map[string][]Rule{
	"http": {
		errorRule("http_requests_total", `code=~"5.."`),
		latencyRule("http_request_duration_seconds", "s", 1),
	},
	"grpc": {
		errorRule("grpc_server_handled_total", `grpc_code=~"Unknown|Internal|Unavailable|DataLoss|DeadlineExceeded|Unimplemented"`),
		latencyRule("grpc_server_handling_seconds", "s", 1),
	},
	"istio": {
		errorRule("istio_requests_total", `response_code=~"5..|0"`),
		latencyRule("istio_request_duration_milliseconds", "ms", 1000),
	},
}

// errorRule is the part of the requests that failed. Without a failure there is no series
// of them.
func errorRule(total, failed string) Rule {
	return Rule{
		Name: "errors", Unit: "ratio", Max: number(0.01),
		Query: fmt.Sprintf("(sum(rate(%[1]s{$canary,%[2]s}[$window])) or vector(0)) / sum(rate(%[1]s{$canary}[$window]))", total, failed),
	}
}

// latencyRule is the 99th percentile; against the stable side where there is one.
func latencyRule(histogram, unit string, most float64) Rule {
	r := Rule{Name: "latency", Unit: unit, Max: number(most), histogram: histogram, quantile: "0.99"}
	r.Query = r.classic()
	return r
}

func (r *Rule) classic() string {
	return fmt.Sprintf("histogram_quantile(%s, sum by (le) (rate(%s_bucket{$canary}[$window])))", r.quantile, r.histogram)
}

func (r *Rule) native() string {
	return fmt.Sprintf("histogram_quantile(%s, sum(rate(%s{$canary}[$window])))", r.quantile, r.histogram)
}

// takePreset puts the rules of the preset before the others; a rule of the same name
// changes what it sets.
func (s *Settings) takePreset() error {
	if s.Preset == "" {
		return nil
	}
	rules := slices.Clone(presets[s.Preset])
	if s.Stable != "" {
		rules[1].Max, rules[1].MaxRatio = nil, number(1.2)
	}
	for _, own := range s.Rules {
		i := slices.IndexFunc(rules, func(r Rule) bool { return r.Name == own.Name })
		if i < 0 {
			rules = append(rules, own)
			continue
		}
		rules[i].change(&own)
	}
	s.Rules = rules
	return nil
}

// change takes over what another rule sets. Bounds belong together: one of one's own
// replaces those of the preset.
func (r *Rule) change(own *Rule) {
	if own.Query != "" {
		r.Query, r.histogram = own.Query, ""
	}
	if own.Unit != "" {
		r.Unit = own.Unit
	}
	if own.Max != nil || own.Min != nil || own.MaxRatio != nil || own.MinRatio != nil {
		r.Max, r.Min, r.MaxRatio, r.MinRatio = own.Max, own.Min, own.MaxRatio, own.MinRatio
	}
}

// shown is the server's address without a password.
func (s *Settings) shown() string {
	if parsed, err := url.Parse(s.Prometheus); err == nil {
		return parsed.Redacted()
	}
	return s.Prometheus
}
