package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/goat-trace/goat/go/internal/prom"
	"github.com/goat-trace/goat/go/internal/report/fleet"
	"github.com/goat-trace/goat/go/internal/report/source"
)

// fleetFlags name sources that show many processes at once.
type fleetFlags struct {
	pods podFlags
	prom prometheusFlags
}

func (f *fleetFlags) add(cmd *cobra.Command) {
	f.pods.add(cmd)
	f.prom.add(cmd.Flags())
}

// sources are the fleets that the flags name.
func (f *fleetFlags) sources(cmd *cobra.Command, getenv func(string) string, timeout time.Duration) ([]source.Further, error) {
	pods, err := f.pods.sources(cmd)
	if err != nil {
		return nil, err
	}
	servers, err := f.prom.sources(getenv, timeout)
	return append(pods, servers...), err
}

// prometheusFlags name a Prometheus server.
type prometheusFlags struct {
	prometheus, match, at string
	span                  time.Duration
}

func (f *prometheusFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.prometheus, "prometheus", "", "read what this Prometheus `URL` has scraped (token: GOAT_PROMETHEUS_TOKEN)")
	flags.StringVar(&f.match, "match", "", "with --prometheus: label `MATCHERS`, as in app=\"shop\",env=~\"prod.*\"")
	flags.StringVar(&f.at, "at", "", "with --prometheus: the `TIME` that is asked about (or a duration ago)")
	flags.DurationVar(&f.span, "range", 0, "with --prometheus: scrapes of this `DURATION` before --at count, of processes that have ended, too")
}

// sources are the server, if one is named.
func (f *prometheusFlags) sources(getenv func(string) string, timeout time.Duration) ([]source.Further, error) {
	if f.prometheus == "" {
		if f.match != "" || f.at != "" || f.span != 0 {
			return nil, usage("--match, --at and --range belong to --prometheus", "name the server: --prometheus http://HOST:9090")
		}
		return nil, nil
	}
	if f.span < 0 {
		return nil, usage(fmt.Sprintf("--range: %s lies ahead", f.span), "use something like 24h")
	}
	var at time.Time
	if f.at != "" {
		var err error
		if at, err = parseMoment("--at", f.at, time.Now()); err != nil {
			return nil, err
		}
	}
	return []source.Further{&fleet.Prometheus{
		Client: prom.Client{URL: f.prometheus, Token: getenv("GOAT_PROMETHEUS_TOKEN"), Timeout: timeout},
		Match:  f.match, At: at, Range: f.span,
	}}, nil
}
