package serve_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/serve"
)

// stage is a Webhook stage with the keys that orca's WebhookStage.StageData has, and those
// that every stage has. A key that orca does not know is refused here.
type stage struct {
	RefID                string              `json:"refId"`
	RequisiteStageRefIDs []string            `json:"requisiteStageRefIds"`
	Type                 string              `json:"type"`
	Name                 string              `json:"name"`
	URL                  string              `json:"url"`
	Method               string              `json:"method"`
	CustomHeaders        map[string][]string `json:"customHeaders"`
	Payload              json.RawMessage     `json:"payload"`
	WaitForCompletion    bool                `json:"waitForCompletion"`
	StatusURLResolution  string              `json:"statusUrlResolution"`
	StatusURLJSONPath    string              `json:"statusUrlJsonPath"`
	StatusJSONPath       string              `json:"statusJsonPath"`
	ProgressJSONPath     string              `json:"progressJsonPath"`
	SuccessStatuses      string              `json:"successStatuses"`
	CanceledStatuses     string              `json:"canceledStatuses"`
	TerminalStatuses     string              `json:"terminalStatuses"`
	RetryStatusCodes     []int               `json:"retryStatusCodes"`
	StageTimeoutMS       int                 `json:"stageTimeoutMs"`
}

// Statuses of an execution in orca.
const (
	running   = "RUNNING"
	succeeded = "SUCCEEDED"
	canceled  = "CANCELED"
	terminal  = "TERMINAL"
)

// webhookStage is the example's, with the gate's address in place of the one there.
func webhookStage(t *testing.T, gate string) *stage {
	t.Helper()
	text, err := os.ReadFile("../../../../examples/spinnaker/pipeline.json")
	if err != nil {
		t.Fatal(err)
	}
	var pipeline struct {
		Stages []json.RawMessage `json:"stages"`
	}
	if err := json.Unmarshal(text, &pipeline); err != nil || len(pipeline.Stages) == 0 {
		t.Fatal("no stages", err)
	}
	strict := json.NewDecoder(bytes.NewReader(pipeline.Stages[0]))
	strict.DisallowUnknownFields()
	s := &stage{}
	if err := strict.Decode(s); err != nil {
		t.Fatalf("orca does not know this: %v", err)
	}
	if s.Type != "webhook" || !s.WaitForCompletion || s.SuccessStatuses == "" {
		t.Errorf("%+v", s)
	}
	s.URL = strings.Replace(s.URL, "http://goat-gate", gate, 1)
	return s
}

// create posts, as CreateWebhookTask does, and finds where to ask further.
func (s *stage) create() (status, endpoint string) {
	request, err := http.NewRequest(s.Method, s.URL, bytes.NewReader(s.Payload))
	if err != nil {
		return terminal, err.Error()
	}
	request.Header = http.Header(s.CustomHeaders).Clone()
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return terminal, err.Error()
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode >= 500 && answer.StatusCode != http.StatusGatewayTimeout, answer.StatusCode == http.StatusTooManyRequests:
		return running, ""
	case answer.StatusCode >= 400:
		return terminal, answer.Status
	case s.StatusURLResolution == "locationHeader":
		endpoint = answer.Header.Get("Location")
	case s.StatusURLResolution == "getMethod":
		endpoint = s.URL
	}
	if where, err := url.Parse(endpoint); err != nil || !where.IsAbs() {
		return terminal, "URI is not absolute: " + endpoint
	}
	return succeeded, endpoint
}

// monitor asks once, as MonitorWebhookTask does.
func (s *stage) monitor(endpoint string) (status, progress string) {
	request, err := http.NewRequest(http.MethodGet, endpoint, nil)
	if err != nil {
		return terminal, err.Error()
	}
	request.Header = http.Header(s.CustomHeaders).Clone()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return terminal, err.Error()
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	switch {
	case answer.StatusCode >= 500, answer.StatusCode == http.StatusTooManyRequests, slices.Contains(s.RetryStatusCodes, answer.StatusCode):
		return running, ""
	case answer.StatusCode >= 400:
		return terminal, answer.Status
	}
	result, found := at(body, s.StatusJSONPath)
	if !found {
		return terminal, "no " + s.StatusJSONPath
	}
	told, _ := at(body, s.ProgressJSONPath)
	if progress, found = told.(string); !found {
		return terminal, "the progress is no text"
	}
	if n, number := result.(float64); number {
		if n == 100 {
			return succeeded, progress
		}
		return running, progress
	}
	word := strings.ToUpper(fmt.Sprint(result))
	for _, list := range []struct{ words, status string }{{s.TerminalStatuses, terminal}, {s.CanceledStatuses, canceled}, {s.SuccessStatuses, succeeded}} {
		for _, one := range strings.Split(list.words, ",") {
			if strings.ToUpper(strings.TrimSpace(one)) == word {
				return list.status, progress
			}
		}
	}
	return running, progress
}

// at follows a path of keys: $.a.b.
func at(body []byte, path string) (any, bool) {
	var value any
	if json.Unmarshal(body, &value) != nil {
		return nil, false
	}
	for _, key := range strings.Split(strings.TrimPrefix(path, "$."), ".") {
		object, is := value.(map[string]any)
		if !is {
			return nil, false
		}
		if value, is = object[key]; !is {
			return nil, false
		}
	}
	return value, true
}

// The example's stage, played after orca's code: a look that is under way, then each verdict.
func TestSpinnaker(t *testing.T) {
	for verdict, want := range map[gate.Verdict]string{gate.Pass: succeeded, gate.Fail: terminal, gate.Error: terminal, gate.Inconclusive: canceled} {
		j := says(verdict)
		j.hold = make(chan struct{})
		s := webhookStage(t, start(t, j, serve.Options{Token: "secret"}))
		s.CustomHeaders["Authorization"] = []string{"Bearer secret"}
		s.Payload = json.RawMessage(strings.Replace(string(s.Payload), `"0.9"`, `"0.5"`, 1))
		status, endpoint := s.create()
		if status != succeeded {
			t.Fatalf("%s: %s %s", verdict, status, endpoint)
		}
		for range 3 {
			if status, progress := s.monitor(endpoint); status != running || progress != "running" {
				t.Errorf("%s, under way: %s %s", verdict, status, progress)
			}
		}
		close(j.hold)
		progress := ""
		for status = running; status == running; {
			status, progress = s.monitor(endpoint)
		}
		if status != want || progress != "done" {
			t.Errorf("%s: the stage is %s (%s), want %s", verdict, status, progress, want)
		}
	}
}

// What is no verdict ends the stage, or is asked again.
func TestSpinnakerWithoutAVerdict(t *testing.T) {
	gateURL := start(t, says(gate.Pass), serve.Options{Token: "secret"})
	s := webhookStage(t, gateURL)
	if status, why := s.create(); status != terminal || !strings.HasPrefix(why, "401") {
		t.Errorf("without the token: %s %s", status, why)
	}
	s.CustomHeaders["Authorization"] = []string{"Bearer secret"}
	if status, why := s.create(); status != terminal || !strings.HasPrefix(why, "400") {
		t.Errorf("a threshold that the judge refuses: %s %s", status, why)
	}
	if status, why := s.monitor(gateURL + "/v1/checks/forgotten"); status != terminal || !strings.HasPrefix(why, "404") {
		t.Errorf("a check that a restarted gate does not know: %s %s", status, why)
	}
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	defer away.Close()
	if status, _ := s.monitor(away.URL); status != running {
		t.Errorf("a gate that is away: %s", status)
	}
}
