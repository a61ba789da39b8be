package metrics

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/contract"
	"github.com/goat-trace/goat/go/internal/gate/settings/settingstest"
)

// What goat-contract finds in the sources, as a verdict: old faults pass, a vanished metric
// as vanished says, what does not parse or shows nothing is no pass.
func TestSources(t *testing.T) {
	const one = `"subject":"shop_total","message":"m","place":{"file":"a.go","line":3}}`
	for _, c := range []struct {
		name, answer, settings string
		want                   gate.Verdict
		says                   string
	}{
		{"nothing", `[],"counts":{"metrics":2,"uses":3,"open":1}`, "", gate.Pass, "metrics 2, calls that give labels 3, not decided 1"},
		{"a fault", `[{"id":"metrics.label-count","severity":"breaking",` + one + `],"counts":{"metrics":2}`, "", gate.Fail, "a.go:3: metrics.label-count: shop_total: m"},
		{"ignored", `[{"id":"metrics.label-count","severity":"breaking",` + one + `],"counts":{"metrics":2}`, ", ignore: ['shop_*']", gate.Pass, "metrics 2"},
		{"old", `[{"id":"metrics.label-count","severity":"breaking","old":true,` + one + `],"counts":{"metrics":2}`, "", gate.Pass, "the base has it, too"},
		{"old counts", `[{"id":"metrics.label-count","severity":"breaking","old":true,` + one + `],"counts":{"metrics":2}`, ", old: inconclusive", gate.Inconclusive, "the base has it, too"},
		{"late", `[{"id":"metrics.late","severity":"warning",` + one + `],"counts":{"metrics":2}`, "", gate.Pass, "metrics.late"},
		{"vanished", `[{"id":"metrics.vanished","severity":"breaking",` + one + `],"counts":{"metrics":2}`, "", gate.Fail, "metrics.vanished"},
		{"may vanish", `[{"id":"metrics.vanished","severity":"breaking",` + one + `],"counts":{"metrics":2}`, ", vanished: pass", gate.Pass, "metrics.vanished"},
		{"broken", `[],"counts":{"metrics":2,"broken":1}`, "", gate.Inconclusive, "files that do not parse 1"},
		{"no metrics", `[],"counts":{}`, "", gate.Inconclusive, "nothing to judge"},
	} {
		s, err := settingstest.Decode[Settings](t, "{source: true"+c.settings+"}")
		if err != nil {
			t.Fatal(err)
		}
		var answer contract.Answer
		if err := json.Unmarshal([]byte(`{"format":1,"findings":`+c.answer+`}`), &answer); err != nil {
			t.Fatal(c.name, err)
		}
		l := &look{Check: &Check{Settings: s}}
		l.judgeSource(&answer, "sources")
		if l.Finding.Verdict() != c.want || !strings.Contains(fmt.Sprint(l.Reasons), c.says) {
			t.Errorf("%s: %s, want %s with %q: %+v", c.name, l.Finding.Verdict(), c.want, c.says, l.Reasons)
		}
	}
}
