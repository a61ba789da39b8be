// Package argo runs the controllers of Argo Rollouts, as they are released, on the
// documents of examples/argo, before the real goat check serve: what becomes of the
// rollout is what docs/gates.md says.
package argo

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"

	"github.com/goat-trace/goat/go/judges/canary"
)

func TestMain(m *testing.M) { os.Exit(canary.Main(m)) }

// rolloutWith is the example's rollout with these steps after the first weight.
func rolloutWith(t *testing.T, steps ...string) *v1alpha1.Rollout {
	shop := documents[v1alpha1.Rollout](t, "rollout.yaml", "")[0]
	if len(steps) > 0 {
		all := shop.Spec.Strategy.Canary.Steps[:1]
		for _, template := range steps {
			all = append(all, v1alpha1.CanaryStep{Analysis: &v1alpha1.RolloutAnalysis{Templates: []v1alpha1.AnalysisTemplateRef{{TemplateName: template}}}})
		}
		shop.Spec.Strategy.Canary.Steps = all
	}
	return shop
}

// at calls each of the functions once, when so many seconds have passed since the release.
func at(moments map[int]func()) func(time.Duration) {
	return func(now time.Duration) {
		for moment, what := range moments {
			if now >= time.Duration(moment)*time.Second {
				delete(moments, moment)
				what()
			}
		}
	}
}

const (
	done    = "done"
	aborted = "aborted"
	paused  = "paused for a person"
)

// What docs/gates.md promises for each answer, by both templates of the example.
func TestSteps(t *testing.T) {
	for _, c := range []struct {
		name, template string
		settings       []string            // of the gate
		before         func(*canary.Stage) // before the release
		moments        func(*canary.Stage) map[int]func()
		outcome        string
		after          time.Duration // how long it took
	}{
		{name: "pass", template: "goat-verdict", before: reachAll, outcome: done},
		{name: "fail", template: "goat-verdict", before: reachOne, outcome: aborted},
		{name: "inconclusive", template: "goat-verdict", settings: lonely, before: reachAll, outcome: paused},
		{name: "error: the canary is away", template: "goat-verdict", before: (*canary.Stage).StopCanary, outcome: paused},
		{name: "the gate is away for 60 s", template: "goat-verdict", before: func(s *canary.Stage) { reachAll(s); s.StopGate() },
			moments: func(s *canary.Stage) map[int]func() { return map[int]func(){60: s.StartGate} }, outcome: done, after: 60 * time.Second},
		{name: "the gate stays away", template: "goat-verdict", before: (*canary.Stage).StopGate, outcome: aborted, after: 120 * time.Second},

		{name: "pass", template: "goat-covered", before: reachAll, outcome: done},
		{name: "pass at the fourth look", template: "goat-covered", before: reachOne,
			moments: func(s *canary.Stage) map[int]func() { return map[int]func(){90: func() { s.Reach("two") }} }, outcome: done, after: 90 * time.Second},
		{name: "the deadline passes with fail", template: "goat-covered", before: reachOne, outcome: aborted, after: 19 * 30 * time.Second},
		{name: "the deadline passes with inconclusive", template: "goat-covered", settings: lonely, before: reachAll, outcome: aborted, after: 19 * 30 * time.Second},
		{name: "the deadline passes with error", template: "goat-covered", before: (*canary.Stage).StopCanary, outcome: aborted, after: 19 * 30 * time.Second},
		{name: "the canary restarts for 60 s", template: "goat-covered", before: reachOne,
			moments: func(s *canary.Stage) map[int]func() {
				return map[int]func(){30: s.StopCanary, 90: func() { s.StartCanary(); s.Reach("one", "two") }}
			}, outcome: done, after: 90 * time.Second},
		{name: "the gate restarts for 60 s", template: "goat-covered", before: reachOne,
			moments: func(s *canary.Stage) map[int]func() {
				return map[int]func(){30: s.StopGate, 90: func() { s.StartGate(); s.Reach("two") }}
			}, outcome: done, after: 90 * time.Second},
		{name: "the gate stays away", template: "goat-covered", before: (*canary.Stage).StopGate, outcome: aborted, after: 120 * time.Second},
	} {
		t.Run(c.template+"/"+c.name, func(t *testing.T) {
			stage := canary.New(t, c.settings...)
			cluster := newCluster(t, documents[v1alpha1.AnalysisTemplate](t, "analysis.yaml", stage.URL)...)
			c.before(stage)
			if c.moments != nil {
				cluster.onTime = at(c.moments(stage))
			}
			cluster.deploy(rolloutWith(t, c.template))
			cluster.run(cluster.over)
			if cluster.outcome() != c.outcome || cluster.elapsed() != c.after {
				t.Errorf("%s after %s, want %s after %s: %s", cluster.outcome(), cluster.elapsed(), c.outcome, c.after, cluster.measured())
			}
		})
	}
}

// lonely wants two processes where there is one: inconclusive.
var lonely = []string{"GOAT_CHECK_COVERAGE_INSTANCES=2"}

func reachAll(s *canary.Stage) { s.Reach("one", "two") }
func reachOne(s *canary.Stage) { s.Reach("one") }

// The whole example: the gate waits for the request that is missing, says yes twice, and
// the release goes on to the end.
func TestTheWholeExample(t *testing.T) {
	stage := canary.New(t)
	cluster := newCluster(t, documents[v1alpha1.AnalysisTemplate](t, "analysis.yaml", stage.URL)...)
	stage.Reach("one")
	cluster.onTime = at(map[int]func(){60: func() { stage.Reach("two") }})
	cluster.deploy(rolloutWith(t))
	cluster.run(cluster.over)
	if cluster.outcome() != done || cluster.elapsed() != 60*time.Second+5*time.Minute {
		t.Errorf("%s after %s\n%s", cluster.outcome(), cluster.elapsed(), cluster.measured())
	}
}

// changed is the template goat-verdict or goat-covered with one thing changed.
func changed(t *testing.T, name, gate string, change func(*v1alpha1.Metric)) *v1alpha1.AnalysisTemplate {
	for _, template := range documents[v1alpha1.AnalysisTemplate](t, "analysis.yaml", gate) {
		if template.Name == name {
			change(&template.Spec.Metrics[0])
			return template
		}
	}
	t.Fatalf("no template %s", name)
	return nil
}

// patient makes what is not yet covered inconclusive, up to the last look.
func patient(m *v1alpha1.Metric) {
	limit := intstr.FromInt(m.Count.IntValue() - 1)
	m.FailureCondition, m.InconclusiveLimit, m.FailureLimit = "false", &limit, nil
}

// The traps that docs/gates.md names are there: without what the example says, the outcome
// is another.
func TestTraps(t *testing.T) {
	three := intstr.FromInt32(3)
	for _, c := range []struct {
		name, template string
		before         func(*canary.Stage)
		change         func(*v1alpha1.Metric)
		moments        func(*canary.Stage) map[int]func()
		outcome        string
	}{
		{"four errors are stood without consecutiveErrorLimit", "goat-verdict", func(s *canary.Stage) { reachAll(s); s.StopGate() },
			func(m *v1alpha1.Metric) { m.ConsecutiveErrorLimit = nil },
			func(s *canary.Stage) map[int]func() { return map[int]func(){40: s.StartGate} }, done},
		{"the fifth aborts", "goat-verdict", func(s *canary.Stage) { reachAll(s); s.StopGate() },
			func(m *v1alpha1.Metric) { m.ConsecutiveErrorLimit = nil },
			func(s *canary.Stage) map[int]func() { return map[int]func(){50: s.StartGate} }, aborted},
		{"failures up to the limit, beside errors, end Successful", "goat-verdict", reachOne,
			func(m *v1alpha1.Metric) { m.FailureLimit, m.Count, m.Interval = &three, &three, "30s" },
			func(s *canary.Stage) map[int]func() { return map[int]func(){30: s.StopGate, 60: s.StartGate} }, done},
		{"with a failureCondition, not yet aborts the wait", "goat-covered", reachOne,
			func(m *v1alpha1.Metric) {
				m.FailureCondition, m.FailureLimit = `result.verdict == "fail"`, nil
			}, nil, aborted},
		{"with a failureCondition, inconclusive pauses the wait", "goat-covered", (*canary.Stage).StopCanary,
			func(m *v1alpha1.Metric) { m.FailureCondition = `result.verdict == "fail"` }, nil, paused},
		{"failureLimit of count is refused", "goat-covered", reachOne,
			func(m *v1alpha1.Metric) { m.FailureLimit = m.Count }, nil, aborted},
		{"inconclusiveLimit of one less than count makes the deadline a pause", "goat-covered", reachOne, patient, nil, paused},
		{"and waits as long", "goat-covered", reachOne, patient,
			func(s *canary.Stage) map[int]func() { return map[int]func(){500: func() { s.Reach("two") }} }, done},
	} {
		t.Run(c.name, func(t *testing.T) {
			stage := canary.New(t)
			cluster := newCluster(t, changed(t, c.template, stage.URL, c.change))
			c.before(stage)
			if c.moments != nil {
				cluster.onTime = at(c.moments(stage))
			}
			cluster.deploy(rolloutWith(t, c.template))
			cluster.run(cluster.over)
			if cluster.outcome() != c.outcome {
				t.Errorf("%s, want %s\n%s", cluster.outcome(), c.outcome, cluster.measured())
			}
		})
	}
}

// What is no JSON is a success for this version, whatever it says: so goat answers in JSON
// always, and what could answer otherwise must not stand between.
func TestHTMLIsASuccess(t *testing.T) {
	login := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html>Who are you?</html>"))
	}))
	defer login.Close()
	cluster := newCluster(t, documents[v1alpha1.AnalysisTemplate](t, "analysis.yaml", login.URL)...)
	cluster.deploy(rolloutWith(t, "goat-verdict"))
	cluster.run(cluster.over)
	if cluster.outcome() != done {
		t.Errorf("%s: docs/gates.md says that this version takes HTML for a success", cluster.outcome())
	}
}

// A background analysis that ends with the rollout is Successful without having measured.
func TestABackgroundAnalysisProvesNothing(t *testing.T) {
	stage := canary.New(t)
	cluster := newCluster(t, changed(t, "goat-verdict", stage.URL, func(m *v1alpha1.Metric) { m.InitialDelay = "1h" }))
	shop := rolloutWith(t)
	shop.Spec.Strategy.Canary.Steps = shop.Spec.Strategy.Canary.Steps[:1]
	shop.Spec.Strategy.Canary.Analysis = &v1alpha1.RolloutAnalysisBackground{
		RolloutAnalysis: v1alpha1.RolloutAnalysis{Templates: []v1alpha1.AnalysisTemplateRef{{TemplateName: "goat-verdict"}}},
	}
	cluster.deploy(shop)
	cluster.run(cluster.over)
	if cluster.outcome() != done {
		t.Errorf("%s\n%s", cluster.outcome(), cluster.measured())
	}
}

// The token of the example comes from its Secret, and a gate without it is an error.
func TestToken(t *testing.T) {
	for token, outcome := range map[string]string{"abc": done, "another": aborted} {
		stage := canary.New(t, "GOAT_CHECK_TOKEN="+token)
		cluster := newCluster(t, documents[v1alpha1.AnalysisTemplate](t, "analysis.yaml", stage.URL)...)
		stage.Reach("one", "two")
		cluster.deploy(rolloutWith(t, "goat-verdict"))
		cluster.run(cluster.over)
		if cluster.outcome() != outcome {
			t.Errorf("token %s: %s\n%s", token, cluster.outcome(), cluster.measured())
		}
	}
}

// The other documents of the example are of Kubernetes.
func TestGateDocuments(t *testing.T) {
	kinds := map[string]any{}
	for _, document := range documents[map[string]any](t, "gate.yaml", "") {
		kinds[(*document)["kind"].(string)] = document
	}
	if len(kinds) != 6 {
		t.Errorf("%v", kinds)
	}
}
