package metrics_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/checks/metrics"
	"github.com/goat-trace/goat/go/internal/gate/settings"
)

const stable = `# HELP shop_orders_total Orders taken.
# TYPE shop_orders_total counter
shop_orders_total{kind="express",zone="a"} 3
shop_orders_total{kind="plain",zone="a"} 4
# HELP shop_latency_seconds Time.
# TYPE shop_latency_seconds histogram
shop_latency_seconds_bucket{le="0.1"} 1
shop_latency_seconds_bucket{le="1"} 2
shop_latency_seconds_bucket{le="+Inf"} 2
shop_latency_seconds_sum 1.5
shop_latency_seconds_count 2
# HELP shop_size_bytes Size.
# TYPE shop_size_bytes summary
shop_size_bytes{quantile="0.5"} 1
shop_size_bytes{quantile="0.99"} 2
shop_size_bytes_sum 3
shop_size_bytes_count 2
# HELP shop_stock Pieces.
# TYPE shop_stock gauge
shop_stock{name="a \"b\" \\ c"} NaN
`

func serve(t *testing.T, text, kind string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		fmt.Fprint(w, text)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

const plain = "text/plain; version=0.0.4; charset=utf-8"

func look(t *testing.T, canary, kind, more string) gate.Finding {
	t.Helper()
	var node yaml.Node
	text := fmt.Sprintf("{canary: %q, stable: %q%s}", serve(t, canary, kind), serve(t, stable, plain), more)
	if err := yaml.Unmarshal([]byte(text), &node); err != nil {
		t.Fatal(err)
	}
	var s metrics.Settings
	if err := settings.Decode("goat.yaml", node.Content[0], &s, &settings.Values{}); err != nil {
		t.Fatal(err)
	}
	return (&metrics.Check{Settings: s}).Look(context.Background())
}

func all(f gate.Finding) string {
	var b strings.Builder
	for _, r := range f.Reasons {
		fmt.Fprintf(&b, "%s %s value=%v threshold=%v\n", r.Verdict, r.Message, r.Value, r.Threshold)
	}
	return b.String()
}

func TestComparison(t *testing.T) {
	edit := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(stable) }
	many := stable
	for i := range 150 {
		many += fmt.Sprintf("shop_stock{name=\"n%d\"} 1\n", i)
	}
	for _, c := range []struct {
		name, canary, more string
		want               gate.Verdict
		says               string
	}{
		{"the same", stable, "", gate.Pass, "all 4 metrics of the stable side are as they were"},
		{"le written otherwise", edit(`le="1"`, `le="1.0"`), "", gate.Pass, "as they were"},
		{"gone", edit("shop_stock", "shop_stocks"), "", gate.Fail, "shop_stock is missing"},
		{"gone, allowed", edit("shop_stock", "shop_stocks"), ", vanished: inconclusive", gate.Inconclusive, "shop_stock is missing"},
		{"gone, ignored", edit("shop_stock", "shop_stocks"), ", ignore: ['shop_st*']", gate.Pass, "all 3 metrics"},
		{"type", edit("shop_stock gauge", "shop_stock counter"), "", gate.Fail, "shop_stock: another type value=counter threshold=gauge"},
		{"label gone", edit(`,zone="a"`, ""), "", gate.Fail, "shop_orders_total: without the label zone"},
		{"label new", edit(`zone="a"`, `zone="a",tier="1"`), "", gate.Pass, "with the new label tier"},
		{"bucket gone", edit(`shop_latency_seconds_bucket{le="0.1"} 1`, ""), "", gate.Fail, "without the bucket le 0.1"},
		{"quantile gone", edit(`shop_size_bytes{quantile="0.99"} 2`, ""), "", gate.Fail, "without the quantile 0.99"},
		{"unit", edit("# TYPE shop_stock", "# UNIT shop_stock pieces\n# TYPE shop_stock"), "", gate.Fail, "another unit value=pieces"},
		{"duplicate", stable + "shop_orders_total{zone=\"a\",kind=\"plain\"} 5\n", "", gate.Fail, `shop_orders_total{kind="plain",zone="a"} stands twice`},
		{"no sample", stable + "shop_x{a=\"b\n", "", gate.Fail, "a quote is not closed"},
		{"no value", stable + "shop_x many\n", "", gate.Fail, `"many" is not a value`},
		{"growth", many, "", gate.Fail, "more series than 2 times"},
		{"growth allowed", many, ", growth: 200", gate.Pass, "as they were"},
		{"too many series", many, ", growth: 200, series: 150", gate.Fail, "too many series value=151 threshold=150"},
		{"enough series", many, ", growth: 200, series: 151", gate.Pass, "as they were"},
		{"required label", stable, ", requireLabels: [zone]", gate.Fail, "shop_stock: without the required label zone"},
		{"other label", stable, ", allowLabels: [kind, name]", gate.Fail, "shop_orders_total: the label zone is not among those allowed"},
		{"new name", stable + "# TYPE shopMs counter\nshopMs 1\n", "", gate.Pass, "shopMs: a counter should end in _total"},
		{"new name fails", stable + "# TYPE shop_ms counter\nshop_ms 1\n", ", lint: fail", gate.Fail, "ms is no base unit: use seconds"},
		{"nothing", "", "", gate.Inconclusive, "nothing to compare"},
	} {
		f := look(t, c.canary, plain, c.more)
		if f.Verdict() != c.want || !strings.Contains(all(f), c.says) {
			t.Errorf("%s: %s, want %s with %q:\n%s", c.name, f.Verdict(), c.want, c.says, all(f))
		}
	}
	if f := look(t, "<html>log in", "text/html", ""); f.Verdict() != gate.Error || !strings.Contains(all(f), `not with metrics: "text/html"`) {
		t.Error(all(f))
	}
	if f := look(t, stable, "application/json", ""); f.Verdict() != gate.Fail || !strings.Contains(all(f), "refuses the content type") {
		t.Error(all(f))
	}
}

func TestOpenMetrics(t *testing.T) {
	text := strings.NewReplacer("# TYPE shop_orders_total", "# TYPE shop_orders", "# HELP shop_orders_total", "# HELP shop_orders").Replace(stable) +
		"shop_latency_seconds_created 1.5\n# EOF\n"
	text = strings.Replace(text, `le="0.1"} 1`, `le="0.1"} 1 # {trace_id="x"} 0.05`, 1)
	if f := look(t, text, "application/openmetrics-text; version=1.0.0", ""); f.Verdict() != gate.Pass {
		t.Error(all(f))
	}
}

func TestUnreadable(t *testing.T) {
	var s metrics.Settings
	s.SetDefaults()
	s.Canary, s.Stable = "http://127.0.0.1:1", serve(t, stable, plain)
	if f := (&metrics.Check{Settings: s}).Look(context.Background()); f.Verdict() != gate.Error || !strings.Contains(all(f), "connection refused") {
		t.Error(all(f))
	}
}
