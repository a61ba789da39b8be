// Package cluster holds what examples/ has for Kubernetes against the code that reads it:
// kustomize and Helm render it, and every object is decoded strictly into the API's types;
// the compose file is read as docker compose does.
package cluster

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

const examples = "../../examples"

// objects are those of one rendering.
type objects []runtime.Object

// strict decodes one document; a field that the type lacks, or that stands twice, is an error.
func strict(t *testing.T, document []byte) runtime.Object {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, rbacv1.AddToScheme, networkingv1.AddToScheme, monitoringv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	object, _, err := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer().Decode(document, nil, nil)
	if err != nil {
		t.Fatalf("%v in\n%s", err, document)
	}
	return object
}

// decoded are the documents of a stream of YAML.
func decoded(t *testing.T, stream []byte) objects {
	t.Helper()
	var all objects
	reader := utilyaml.NewYAMLReader(newBuffer(stream))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if !empty(document) {
			all = append(all, strict(t, document))
		}
	}
}

// empty tells whether a document has nothing but comments.
func empty(document []byte) bool {
	for line := range bytes.Lines(document) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' && string(line) != "---" {
			return false
		}
	}
	return true
}

// one is the object of a type that stands there once.
func one[T runtime.Object](t *testing.T, all objects) T {
	t.Helper()
	var found []T
	for _, object := range all {
		if o, ok := object.(T); ok {
			found = append(found, o)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d of %T, not one", len(found), *new(T))
	}
	return found[0]
}

// none tells that no object has a type.
func none[T runtime.Object](t *testing.T, all objects) {
	t.Helper()
	for _, object := range all {
		if _, ok := object.(T); ok {
			t.Errorf("there is a %T", object)
		}
	}
}

func selects(t *testing.T, what string, selector, of map[string]string) {
	t.Helper()
	if len(selector) == 0 || !labels.SelectorFromSet(selector).Matches(labels.Set(of)) {
		t.Errorf("%s selects %v, the pods have %v", what, selector, of)
	}
}

// coherent checks what decoding cannot: names that one object uses of another.
func coherent(t *testing.T, all objects) {
	t.Helper()
	deployment := one[*appsv1.Deployment](t, all)
	pod := deployment.Spec.Template
	selects(t, "the Deployment", deployment.Spec.Selector.MatchLabels, pod.Labels)
	names := map[string]bool{}
	for _, object := range all {
		accessor, err := meta.Accessor(object)
		if err != nil {
			t.Fatal(err)
		}
		name := object.GetObjectKind().GroupVersionKind().Kind + " " + accessor.GetName()
		if names[name] {
			t.Errorf("%s stands there twice", name)
		}
		names[name] = true
	}
	ports, volumes := map[string]bool{}, map[string]bool{}
	for _, volume := range pod.Spec.Volumes {
		volumes[volume.Name] = true
		if volume.ConfigMap != nil && !names["ConfigMap "+volume.ConfigMap.Name] {
			t.Errorf("a volume wants the ConfigMap %s", volume.ConfigMap.Name)
		}
	}
	for i := range pod.Spec.Containers {
		container := &pod.Spec.Containers[i]
		hardened(t, &pod.Spec, container)
		for _, port := range container.Ports {
			ports[port.Name] = true
		}
		for _, mount := range container.VolumeMounts {
			if !volumes[mount.Name] {
				t.Errorf("%s mounts %s, which is no volume", container.Name, mount.Name)
			}
		}
	}
	service := one[*corev1.Service](t, all)
	selects(t, "the Service", service.Spec.Selector, pod.Labels)
	for _, port := range service.Spec.Ports {
		if !ports[port.TargetPort.StrVal] {
			t.Errorf("the Service names the port %v", port.TargetPort)
		}
	}
	for _, object := range all {
		binding, ok := object.(*rbacv1.RoleBinding)
		if !ok {
			continue
		}
		for _, subject := range append(binding.Subjects, rbacv1.Subject{Kind: binding.RoleRef.Kind, Name: binding.RoleRef.Name}) {
			if !names[subject.Kind+" "+subject.Name] {
				t.Errorf("the binding names the %s %s", subject.Kind, subject.Name)
			}
		}
	}
}

// hardened is what Kubernetes calls restricted, and a root that nobody writes.
func hardened(t *testing.T, pod *corev1.PodSpec, container *corev1.Container) {
	t.Helper()
	security := container.SecurityContext
	switch {
	case pod.SecurityContext == nil || pod.SecurityContext.RunAsNonRoot == nil || !*pod.SecurityContext.RunAsNonRoot:
		t.Error("the pod may run as root")
	case pod.SecurityContext.SeccompProfile == nil || pod.SecurityContext.FSGroup == nil:
		t.Error("the pod has no seccomp profile, or no group for its volumes")
	case security == nil || security.ReadOnlyRootFilesystem == nil || !*security.ReadOnlyRootFilesystem:
		t.Errorf("%s may write its root", container.Name)
	case security.AllowPrivilegeEscalation == nil || *security.AllowPrivilegeEscalation || !slices.Contains(security.Capabilities.Drop, "ALL"):
		t.Errorf("%s keeps rights", container.Name)
	case container.Resources.Limits.Memory().IsZero() || container.ReadinessProbe == nil:
		t.Errorf("%s has no limit of memory, or no probe", container.Name)
	}
}

// forwards tells whether a Role allows what goat's kubectl does, and nothing that writes.
func forwards(t *testing.T, role *rbacv1.Role) {
	t.Helper()
	verbs := map[string][]string{}
	for _, rule := range role.Rules {
		for _, resource := range rule.Resources {
			verbs[resource] = append(verbs[resource], rule.Verbs...)
		}
	}
	if !slices.Equal(verbs["pods"], []string{"get", "list"}) || !slices.Equal(verbs["pods/portforward"], []string{"create", "get"}) {
		t.Errorf("the Role allows %v", verbs)
	}
	delete(verbs, "pods/portforward")
	for resource, allowed := range verbs {
		for _, verb := range allowed {
			if verb != "get" && verb != "list" {
				t.Errorf("the Role may %s %s", verb, resource)
			}
		}
	}
}

func environment(container *corev1.Container) map[string]corev1.EnvVar {
	all := map[string]corev1.EnvVar{}
	for _, variable := range container.Env {
		all[variable.Name] = variable
	}
	return all
}

func newBuffer(data []byte) *bufio.Reader { return bufio.NewReader(bytes.NewReader(data)) }

// TestFiles are the examples that nobody renders.
func TestFiles(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(examples, "argo/gate.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	all := decoded(t, text)
	forwards(t, one[*rbacv1.Role](t, all))
	if account := one[*corev1.ServiceAccount](t, all); account.Name != one[*appsv1.Deployment](t, all).Spec.Template.Spec.ServiceAccountName {
		t.Errorf("the gate runs as another than %s", account.Name)
	}
}

// TestStrict: what these tests stand on does refuse.
func TestStrict(t *testing.T) {
	document := []byte("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selektor: {a: b}}\n")
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	_, _, err := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer().Decode(document, nil, nil)
	if !runtime.IsStrictDecodingError(err) || !strings.Contains(err.Error(), "selektor") {
		t.Errorf("a field that does not exist is answered with %v", err)
	}
	if metav1.NamespaceDefault != "default" {
		t.Error("another API")
	}
}
