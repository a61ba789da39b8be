// Package flagger calls the gate by Flagger's own code, with the webhooks of
// examples/flagger: the answers are the yes and the no that docs/gates.md says.
package flagger

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	flagger "github.com/fluxcd/flagger/pkg/apis/flagger/v1beta1"
	"github.com/fluxcd/flagger/pkg/controller"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/goat-trace/goat/go/judges/canary"
)

func TestMain(m *testing.M) { os.Exit(canary.Main(m)) }

// example is the document, read strictly as Flagger's type has it.
func example(t *testing.T, gate string) *flagger.Canary {
	t.Helper()
	text, err := os.ReadFile("../../../examples/flagger/canary.yaml")
	if err != nil {
		t.Fatal(err)
	}
	shop := &flagger.Canary{}
	if err := yaml.UnmarshalStrict([]byte(strings.ReplaceAll(string(text), "http://goat-gate", gate)), shop); err != nil {
		t.Fatal(err)
	}
	shop.ObjectMeta = metav1.ObjectMeta{Name: shop.Name, Namespace: "default"}
	return shop
}

// ask calls the hook of a type as Flagger does; empty is yes.
func ask(t *testing.T, shop *flagger.Canary, kind flagger.HookType) (no string) {
	t.Helper()
	for _, hook := range shop.Spec.Analysis.Webhooks {
		if hook.Type == kind {
			// Flagger waits a second and more between two tries, and the outcome is the same.
			hook.Retries = 0
			if err := controller.CallWebhook(*shop, flagger.CanaryPhaseProgressing, hook); err != nil {
				return err.Error()
			}
			return ""
		}
	}
	t.Fatalf("the example has no hook %s", kind)
	return ""
}

// Of a 503, Flagger's client keeps no word.
const givenUp = "giving up after 1 attempt(s)"

// What each answer of the gate is to Flagger: on, a failed check, waiting, and back.
func TestHooks(t *testing.T) {
	lonely := []string{"GOAT_CHECK_COVERAGE_INSTANCES=2"}
	for _, c := range []struct {
		name     string
		settings []string
		before   func(*canary.Stage)
		rollout  string // what the no of the hook says; empty is yes
		promote  string
		rollback string
	}{
		{"pass", nil, func(s *canary.Stage) { s.Reach("one", "two") }, "", "", "pass: "},
		// The metadata of the hook for rollouts wants half, that for the promotion nine tenths.
		{"half", nil, func(s *canary.Stage) { s.Reach("one") }, "", "fail: coverage: 1 of 2 points", ""},
		{"fail", nil, func(*canary.Stage) {}, "fail: coverage: 0 of 2 points", "fail: ", ""},
		{"inconclusive", lonely, func(s *canary.Stage) { s.Reach("one", "two") }, givenUp, givenUp, "inconclusive: "},
		{"error: the canary is away", nil, (*canary.Stage).StopCanary, givenUp, givenUp, "error: "},
		{"the gate is away", nil, (*canary.Stage).StopGate, "connection refused", "connection refused", "connection refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			stage := canary.New(t, c.settings...)
			c.before(stage)
			shop := example(t, stage.URL)
			for kind, want := range map[flagger.HookType]string{
				flagger.RolloutHook: c.rollout, flagger.ConfirmPromotionHook: c.promote, flagger.RollbackHook: c.rollback,
			} {
				no := ask(t, shop, kind)
				if (no == "") != (want == "") || !strings.Contains(no, want) || strings.Contains(no, "\n") {
					t.Errorf("%s: %q, want %q", kind, no, want)
				}
			}
		})
	}
}

// A canary that restarts is no yes and no way back; when it is there again, it goes on.
func TestARestart(t *testing.T) {
	stage := canary.New(t)
	stage.Reach("one", "two")
	shop := example(t, stage.URL)
	for _, c := range []struct {
		what    func()
		promote bool
	}{
		{func() {}, true}, {stage.StopCanary, false},
		{func() { stage.StartCanary(); stage.Reach("one", "two") }, true},
	} {
		c.what()
		if yes := ask(t, shop, flagger.ConfirmPromotionHook) == ""; yes != c.promote {
			t.Errorf("promotion: %v", yes)
		}
		if back := ask(t, shop, flagger.RollbackHook) == ""; back {
			t.Error("it is rolled back")
		}
	}
}

// A definite no is asked once, and what is not known yet again: Flagger's client repeats
// 503, not 412. And 204 would be a no.
func TestStatus(t *testing.T) {
	for status, want := range map[int]struct {
		asked int32
		yes   bool
	}{200: {1, true}, 202: {1, true}, 204: {1, false}, 412: {1, false}, 503: {2, false}} {
		var asked atomic.Int32
		gate := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.WriteHeader(status)
		}))
		hook := flagger.CanaryWebhook{URL: gate.URL, Retries: 1}
		err := controller.CallWebhook(*example(t, gate.URL), flagger.CanaryPhaseProgressing, hook)
		gate.Close()
		if (err == nil) != want.yes || asked.Load() != want.asked {
			t.Errorf("%d: %v, asked %d times", status, err, asked.Load())
		}
	}
}
