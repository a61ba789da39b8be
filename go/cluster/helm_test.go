package cluster

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

func gateChart(t *testing.T) *chart.Chart {
	t.Helper()
	c, err := loader.Load(filepath.Join(examples, "helm/goat-gate"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	return c
}

// rendered is the chart with values as a user writes them; what the schema refuses is an error.
func rendered(t *testing.T, values string) (objects, error) {
	t.Helper()
	var given map[string]any
	if err := yaml.Unmarshal([]byte(values), &given); err != nil {
		t.Fatal(err)
	}
	c := gateChart(t)
	all, err := chartutil.ToRenderValues(c, given, chartutil.ReleaseOptions{Name: "gate", Namespace: "prod", IsInstall: true}, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return nil, err
	}
	var got objects
	for name, text := range files {
		if strings.HasSuffix(name, ".yaml") {
			got = append(got, decoded(t, []byte(text))...)
		} else if strings.TrimSpace(text) == "" {
			t.Errorf("%s is empty", name)
		}
	}
	return got, nil
}

func gate(t *testing.T, values string) objects {
	t.Helper()
	all, err := rendered(t, values)
	if err != nil {
		t.Fatal(err)
	}
	coherent(t, all)
	return all
}

const pods = "source: {pods: 'app=shop,track=canary', namespace: shop}\n"

func TestGatePods(t *testing.T) {
	all := gate(t, pods+"token: {existingSecret: goat-gate}\nnetworkPolicy: {from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: argo-rollouts}}}]}\n")
	role, binding, account := one[*rbacv1.Role](t, all), one[*rbacv1.RoleBinding](t, all), one[*corev1.ServiceAccount](t, all)
	forwards(t, role)
	if role.Namespace != "shop" || binding.Namespace != "shop" || binding.Subjects[0].Namespace != "prod" || account.Namespace != "prod" {
		t.Errorf("the rights are in %s for one of %s", role.Namespace, binding.Subjects[0].Namespace)
	}
	pod := one[*appsv1.Deployment](t, all).Spec.Template.Spec
	if pod.ServiceAccountName != account.Name || !*pod.AutomountServiceAccountToken {
		t.Errorf("the gate runs as %s", pod.ServiceAccountName)
	}
	if environment(&pod.Containers[0])["GOAT_CHECK_TOKEN"].ValueFrom.SecretKeyRef.Name != "goat-gate" {
		t.Error("the token is not taken from the Secret")
	}
	policy := one[*networkingv1.NetworkPolicy](t, all).Spec
	selects(t, "the policy", policy.PodSelector.MatchLabels, one[*appsv1.Deployment](t, all).Spec.Template.Labels)
	if len(policy.PolicyTypes) != 2 || len(policy.Ingress) != 1 || policy.Ingress[0].From[0].NamespaceSelector == nil {
		t.Errorf("the policy is %+v", policy)
	}
	if got := outwards(policy); !slices.Equal(got, []int32{53, 53, 443, 6443}) {
		t.Errorf("the gate may go to the ports %v", got)
	}
}

func TestGatePrometheus(t *testing.T) {
	for address, port := range map[string]int32{"http://prometheus:9090": 9090, "https://user:secret@metrics.example.com/prefix": 443, "http://metrics": 80} {
		all := gate(t, "source: {prometheus: '"+address+"', match: 'namespace=\"prod\"'}\n")
		none[*rbacv1.Role](t, all)
		none[*rbacv1.RoleBinding](t, all)
		pod := one[*appsv1.Deployment](t, all).Spec.Template.Spec
		if *pod.AutomountServiceAccountToken {
			t.Error("the pod has a token of the API that it does not need")
		}
		if got := outwards(one[*networkingv1.NetworkPolicy](t, all).Spec); !slices.Equal(got, []int32{53, 53, port}) {
			t.Errorf("%s: the gate may go to the ports %v", address, got)
		}
		if args := pod.Containers[0].Args; !slices.Contains(args, "--prometheus="+address) || !slices.Contains(args, "--match=namespace=\"prod\"") {
			t.Errorf("the arguments are %q", args)
		}
	}
}

func outwards(policy networkingv1.NetworkPolicySpec) []int32 {
	var ports []int32
	for _, rule := range policy.Egress {
		for _, port := range rule.Ports {
			ports = append(ports, port.Port.IntVal)
		}
	}
	return ports
}

// TestGateLess: what is switched off is not there.
func TestGateLess(t *testing.T) {
	all := gate(t, pods+"serviceAccount: {create: false}\nrbac: {create: false}\nnetworkPolicy: {enabled: false}\n")
	none[*corev1.ServiceAccount](t, all)
	none[*rbacv1.Role](t, all)
	none[*networkingv1.NetworkPolicy](t, all)
	if account := one[*appsv1.Deployment](t, all).Spec.Template.Spec.ServiceAccountName; account != "default" {
		t.Errorf("the gate runs as %s", account)
	}
}

// TestGateSchema: values that would give a gate that does not work are refused by name.
func TestGateSchema(t *testing.T) {
	for values, want := range map[string]string{
		"": "source",
		"source: {pods: a, prometheus: 'http://p'}": "source",
		"source: {prometheus: 'p:9090'}":            "source",
		pods + "replicas: 2":                        "replicas",
		pods + "fresh: soon":                        "fresh",
		pods + "service: {port: 70000}":             "port",
		pods + "image: {pullPolicy: Sometimes}":     "pullPolicy",
		pods + "token: {secret: x}":                 "token",
	} {
		_, err := rendered(t, values)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is answered with %v", values, err)
		}
	}
}

// TestGateServes starts goat with the container's own words, in a folder with its goat.yaml.
func TestGateServes(t *testing.T) {
	goat := os.Getenv("GOAT_BIN")
	if goat == "" {
		t.Skip("GOAT_BIN names no goat")
	}
	all := gate(t, pods+"args: [--gray-tag, v2]\nconfig: {check: {timeout: 5s, coverage: {points: 0.5, must: ['orders/**']}}}\n")
	container := one[*appsv1.Deployment](t, all).Spec.Template.Spec.Containers[0]
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "goat.yaml"), []byte(one[*corev1.ConfigMap](t, all).Data["goat.yaml"]), 0o644); err != nil {
		t.Fatal(err)
	}
	args := append(slices.Clone(container.Command[1:]), container.Args...)
	for i, arg := range args {
		if arg == "--addr=:8686" {
			args[i] = "--addr=127.0.0.1:0"
		}
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	command := exec.CommandContext(ctx, goat, args...)
	command.Dir = folder
	command.Env = []string{"HOME=" + folder, "PATH=" + os.Getenv("PATH")}
	var said strings.Builder
	command.Stderr = &said
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		_ = command.Wait()
		t.Fatalf("goat %q says no address:\n%s", args, said.String())
	}
	response, err := http.Get(strings.TrimSpace(lines.Text()) + container.ReadinessProbe.HTTPGet.Path)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("the probe is answered with %s", response.Status)
	}
	if err := command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait()
}
