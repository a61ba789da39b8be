package cluster

import (
	"path/filepath"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func kustomized(t *testing.T, folder string) objects {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(examples, "kubernetes", folder))
	if err != nil {
		t.Fatal(err)
	}
	text, err := resources.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return decoded(t, text)
}

// TestBase: the stable version knows nothing of goat.
func TestBase(t *testing.T) {
	all := kustomized(t, "base")
	coherent(t, all)
	for _, container := range one[*appsv1.Deployment](t, all).Spec.Template.Spec.Containers {
		for name := range environment(&container) {
			if strings.HasPrefix(name, "GOAT_") {
				t.Errorf("the base has %s", name)
			}
		}
	}
}

func TestCanary(t *testing.T) {
	all := kustomized(t, "canary")
	coherent(t, all)
	stable, canary := one[*appsv1.Deployment](t, kustomized(t, "base")), one[*appsv1.Deployment](t, all)
	if canary.Name == stable.Name || canary.Spec.Template.Spec.Containers[0].Image == stable.Spec.Template.Spec.Containers[0].Image {
		t.Errorf("the canary is %s with %s", canary.Name, canary.Spec.Template.Spec.Containers[0].Image)
	}
	pod := canary.Spec.Template
	variables := environment(&pod.Spec.Containers[0])
	// The lane is a label that the pod has.
	lane := variables["GOAT_LANE"].ValueFrom
	if lane == nil || lane.FieldRef == nil || lane.FieldRef.FieldPath != "metadata.labels['track']" || pod.Labels["track"] != "canary" {
		t.Errorf("the lane comes from %v of %v", lane, pod.Labels)
	}
	spool := variables["GOAT_SPOOL"].Value
	mounted := false
	for _, mount := range pod.Spec.Containers[0].VolumeMounts {
		mounted = mounted || mount.MountPath == spool && !mount.ReadOnly
	}
	if !mounted || pod.Spec.Volumes[0].EmptyDir == nil {
		t.Errorf("nothing is mounted at %q", spool)
	}
	if token := variables["GOAT_TOKEN"].ValueFrom; token == nil || token.SecretKeyRef == nil || strings.HasPrefix(variables["GOAT_ADDR"].Value, "127.") {
		t.Error("the port is open without a token, or closed to Prometheus")
	}
	stableSelector := one[*corev1.Service](t, kustomized(t, "base")).Spec.Selector
	matches := true
	for label, value := range stableSelector {
		matches = matches && pod.Labels[label] == value
	}
	if matches {
		t.Error("the stable Service sends to the canary, too")
	}
	forwards(t, one[*rbacv1.Role](t, all))
	monitored(t, one[*monitoringv1.PodMonitor](t, all), pod)
}

// monitored: both jobs, of a port that the pods have, with the token that they want.
func monitored(t *testing.T, monitor *monitoringv1.PodMonitor, pod corev1.PodTemplateSpec) {
	t.Helper()
	selects(t, "the PodMonitor", monitor.Spec.Selector.MatchLabels, pod.Labels)
	var paths []string
	for _, endpoint := range monitor.Spec.PodMetricsEndpoints {
		paths = append(paths, endpoint.Path)
		if endpoint.Port == nil || *endpoint.Port != "goat" || endpoint.Authorization == nil || endpoint.Authorization.Credentials.Name != "goat" {
			t.Errorf("%s is asked at %v, with %v", endpoint.Path, endpoint.Port, endpoint.Authorization)
		}
	}
	if strings.Join(paths, " ") != "/metrics /metrics/points" || monitor.Spec.SampleLimit == nil {
		t.Errorf("the jobs are %v, the limit %v", paths, monitor.Spec.SampleLimit)
	}
	if pod.Annotations["prometheus.io/path"] != "/metrics" || pod.Annotations["prometheus.io/port"] != "57005" {
		t.Errorf("the annotations are %v", pod.Annotations)
	}
}
