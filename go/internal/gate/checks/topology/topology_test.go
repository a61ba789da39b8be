package topology_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goat-trace/goat/go/internal/gate"
	"github.com/goat-trace/goat/go/internal/gate/checks/topology"
	"github.com/goat-trace/goat/go/internal/gate/settings/settingstest"
)

func look(t *testing.T, text string) gate.Finding {
	t.Helper()
	s, err := settingstest.Decode[topology.Settings](t, text)
	if err != nil {
		t.Fatal(text, err)
	}
	c := &topology.Check{Settings: s, Write: func(path string, text []byte) error { return os.WriteFile(path, text, 0o666) }}
	return c.Look(context.Background())
}

func expect(t *testing.T, text string, want gate.Verdict, says string) {
	t.Helper()
	f := look(t, text)
	var b strings.Builder
	for _, r := range f.Reasons {
		fmt.Fprintf(&b, "%s %s value=%v threshold=%v\n", r.Verdict, r.Message, r.Value, r.Threshold)
	}
	if f.Misconfigured != nil {
		fmt.Fprintln(&b, "misconfigured:", f.Misconfigured)
	}
	if f.Verdict() != want || !strings.Contains(b.String(), says) {
		t.Errorf("%s: %s, want %s with %q:\n%s", text, f.Verdict(), want, says, b.String())
	}
}

const endpointSlices = `{"items": [{"ports": [{"port": 8080}], "endpoints": [
	{"addresses": ["10.0.0.1"], "zone": "a", "conditions": {"ready": true}, "targetRef": {"kind": "Pod", "name": "shop-1"}},
	{"addresses": ["10.0.0.2"], "zone": "b", "conditions": {}, "targetRef": {"kind": "Pod", "name": "shop-2"}},
	{"addresses": ["10.0.0.3"], "zone": "b", "conditions": {"ready": false}, "targetRef": {"kind": "Pod", "name": "shop-3"}}
]}]}`

const pods = `{"kind": "List", "items": [
	{"kind": "Pod", "metadata": {"name": "shop-1", "labels": {"version": "v2"}}, "status": {"containerStatuses": [{"restartCount": 0}]}},
	{"kind": "Pod", "metadata": {"name": "shop-2", "labels": {"version": "v2"}}, "status": {"containerStatuses": [{"restartCount": 2}, {"restartCount": 1}]}}
]}`

// kubectl puts one on PATH that answers as the real one does.
func kubectl(t *testing.T) {
	dir := t.TempDir()
	script := `#!/bin/sh
case "$*" in
"get endpointslices.discovery.k8s.io --selector=kubernetes.io/service-name=shop --output=json --namespace=prod") cat "$0.slices" ;;
"get pods --ignore-not-found shop-1 shop-2 shop-3 --output=json --namespace=prod") cat "$0.pods" ;;
*none*) echo '{"items": []}' ;;
*) echo "Error from server (Forbidden): no" >&2; exit 1 ;;
esac
`
	for name, text := range map[string]string{"kubectl": script, "kubectl.slices": endpointSlices, "kubectl.pods": pods} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
}

func TestKubernetes(t *testing.T) {
	kubectl(t)
	head := "{kubernetes: {service: shop, namespace: prod}, expect: "
	expect(t, head+"{min: 2, max: 2, version: v2, spread: 2, zones: [a, b], restarts: 3}}", gate.Pass, "instances that serve value=2 threshold=2")
	expect(t, head+"{min: 3}}", gate.Fail, "fewer instances serve than must value=2 threshold=3")
	expect(t, head+"{max: 1}}", gate.Fail, "more instances serve than may value=2 threshold=1")
	expect(t, head+"{ready: true}}", gate.Fail, "does not serve: shop-3, b")
	expect(t, head+"{version: v3}}", gate.Fail, "shop-1 has another version value=v2 threshold=v3")
	expect(t, head+"{version: v2, versionLabel: release}}", gate.Fail, "shop-1 has another version")
	expect(t, head+"{zones: [a]}}", gate.Fail, "shop-2 is in another zone value=b threshold=a")
	expect(t, head+"{spread: 3}}", gate.Fail, "zones with instances value=2 threshold=3")
	expect(t, head+"{restarts: 2}}", gate.Fail, "shop-2 has started again value=3 threshold=2")
	expect(t, "{kubernetes: {service: none}}", gate.Fail, "fewer instances serve than must value=0 threshold=1")
	expect(t, "{kubernetes: {service: secret}}", gate.Error, "kubectl get: Error from server (Forbidden): no")
	t.Setenv("PATH", t.TempDir())
	expect(t, head+"{min: 1}}", gate.Error, "there is no kubectl on PATH")
}

func TestSnapshot(t *testing.T) {
	kubectl(t)
	file := filepath.Join(t.TempDir(), "snapshot.json")
	head := "{kubernetes: {service: shop, namespace: prod}, "
	expect(t, head+"save: "+file+"}", gate.Pass, "instances that serve")
	expect(t, head+"snapshot: "+file+"}", gate.Pass, "as in the snapshot value=3")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, says string }{
		{`"name": "shop-1"`, `"name": "shop-0"`, "gone since the snapshot: shop-0, a, v2"},
		{`"name": "shop-1"`, `"name": "shop-0"`, "new since the snapshot: shop-1, a, v2"},
		{`"zone": "a"`, `"zone": "c"`, "changed since the snapshot: shop-1, a, v2, was shop-1, c, v2"},
		{`"format": 1`, `"format": 9`, "misconfigured: check.topology.snapshot: not a snapshot"},
	} {
		if err := os.WriteFile(file, []byte(strings.Replace(string(text), c.old, c.new, 1)), 0o666); err != nil {
			t.Fatal(err)
		}
		want := gate.Fail
		if strings.Contains(c.says, "misconfigured") {
			want = gate.Error
		}
		expect(t, head+"snapshot: "+file+"}", want, c.says)
	}
	expect(t, head+"snapshot: /nowhere/file}", gate.Error, "misconfigured: check.topology.snapshot: open /nowhere/file")
	expect(t, head+"save: /nowhere/file}", gate.Error, "cannot be saved")
}

// The answers of the others, as their documentation has them.
var answers = map[string]string{
	"/v1/health/service/shop?dc=eu&tag=canary": `[
		{"Node": {"Node": "n1", "Address": "10.1.0.1", "Datacenter": "eu"}, "Service": {"ID": "shop-1", "Port": 80, "Meta": {"version": "v2", "zone": "a"}}, "Checks": [{"Status": "passing"}, {"Status": "warning"}]},
		{"Node": {"Node": "n2", "Address": "10.1.0.2", "Datacenter": "eu"}, "Service": {"ID": "shop-2", "Port": 80, "Meta": {"version": "v2"}}, "Checks": [{"Status": "critical"}]}]`,
	"/clusters?format=json": `{"cluster_statuses": [{"name": "shop", "host_statuses": [
		{"address": {"socket_address": {"address": "10.2.0.1", "port_value": 80}}, "health_status": {"eds_health_status": "HEALTHY"}, "locality": {"zone": "a"}, "metadata": {"envoy.lb": {"version": "v2"}}},
		{"address": {"socket_address": {"address": "10.2.0.2", "port_value": 80}}, "health_status": {"eds_health_status": "HEALTHY", "failed_active_health_check": true}}]}]}`,
	"/nacos/v1/ns/instance/list?groupName=G&serviceName=shop": `{"hosts": [
		{"instanceId": "i1", "ip": "10.3.0.1", "port": 80, "healthy": true, "enabled": true, "clusterName": "gray", "metadata": {"version": "v2"}},
		{"instanceId": "i2", "ip": "10.3.0.2", "port": 80, "healthy": true, "enabled": false, "clusterName": "gray", "metadata": {"version": "v2"}}]}`,
	"/any": `{"data": {"list": [{"ip": "10.4.0.1", "meta": {"az": "a", "v": 2}, "state": "UP"}, {"ip": "10.4.0.2", "meta": {"az": "b", "v": 3}, "state": "DOWN"}]}}`,
}

func TestOthers(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, known := answers[r.URL.RequestURI()]
		switch {
		case r.URL.Path == "/html":
			fmt.Fprint(w, "<html>")
		case strings.HasPrefix(r.URL.Path, "/secret"):
			w.WriteHeader(http.StatusForbidden)
		case !known:
			t.Errorf("asked for %s", r.URL.RequestURI())
		}
		fmt.Fprint(w, answer)
	}))
	defer server.Close()
	consul := "{consul: {url: '" + server.URL + "', service: shop, tag: canary, datacenter: eu}, expect: "
	expect(t, consul+"{min: 1, max: 1, version: v2, cluster: eu, zones: [a]}}", gate.Pass, "value=1")
	expect(t, consul+"{cluster: us}}", gate.Fail, "shop-1 is in another cluster value=eu threshold=us")
	expect(t, consul+"{ready: true}}", gate.Fail, "does not serve: shop-2")
	expect(t, "{consul: {url: '"+server.URL+"/secret', service: shop}}", gate.Error, "other credentials")

	envoy := "{envoy: {url: '" + server.URL + "/', cluster: CLUSTER}, expect: {max: 1, version: v2, zones: [a]}}"
	expect(t, strings.Replace(envoy, "CLUSTER", "shop", 1), gate.Pass, "value=1")
	expect(t, strings.Replace(envoy, "CLUSTER", "shops", 1), gate.Error, `knows no cluster "shops"`)

	nacos := "{nacos: {url: '" + server.URL + "', service: shop, group: G}, expect: "
	expect(t, nacos+"{max: 1, version: v2, cluster: gray}}", gate.Pass, "value=1")
	expect(t, nacos+"{cluster: stable}}", gate.Fail, "i1 is in another cluster")

	any := "{json: {url: '" + server.URL + "/any', instances: 'data.list[*]', address: ip, zone: meta.az, version: meta.v, ready: state}, expect: "
	expect(t, any+"{max: 1, version: 2, zones: [a]}}", gate.Pass, "value=1")
	expect(t, strings.Replace(any, "[*]", "", 1)+"{version: 3}}", gate.Fail, "10.4.0.1 has another version value=2 threshold=3")
	expect(t, "{json: {url: '"+server.URL+"/html', instances: a}}", gate.Error, "not the JSON that was asked for")
	expect(t, "{json: {url: 'http://127.0.0.1:1', instances: a}}", gate.Error, "connection refused")
}

func TestImpossibleSettings(t *testing.T) {
	for settings, says := range map[string]string{
		"{}":                             "nothing says where the instances are listed",
		"{kubernetes: {}}":               "service is missing",
		"{envoy: {url: 'http://h'}}":     "cluster is missing",
		"{consul: {url: h, service: s}}": "is not a URL",
		"{kubernetes: {service: a}, envoy: {url: 'http://h', cluster: c}}": "exclude each other",
		"{kubernetes: {service: a}, expect: {min: 3, max: 2}}":             "nothing lies between min 3 and max 2",
		"{json: {url: 'http://h'}}":                                        "json.instances is missing",
		"{json: {url: 'http://h', instances: 'a['}}":                       "is not a path of JSON",
		"{json: {url: 'http://h', instances: a}, expect: {restarts: 1}}":   "restarts are known of pods alone",
	} {
		if _, err := settingstest.Decode[topology.Settings](t, settings); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", settings, err, says)
		}
	}
}
