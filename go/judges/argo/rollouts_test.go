package argo

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic/dynamicinformer"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	kubeinformers "k8s.io/client-go/informers"
	kubefake "k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/yaml"

	"github.com/argoproj/argo-rollouts/analysis"
	"github.com/argoproj/argo-rollouts/controller/metrics"
	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/argoproj/argo-rollouts/pkg/client/clientset/versioned/fake"
	informers "github.com/argoproj/argo-rollouts/pkg/client/informers/externalversions"
	typed "github.com/argoproj/argo-rollouts/pkg/client/informers/externalversions/rollouts/v1alpha1"
	listers "github.com/argoproj/argo-rollouts/pkg/client/listers/rollouts/v1alpha1"
	"github.com/argoproj/argo-rollouts/rollout"
	"github.com/argoproj/argo-rollouts/utils/ingress"
	istio "github.com/argoproj/argo-rollouts/utils/istio"
	"github.com/argoproj/argo-rollouts/utils/record"
	timeutil "github.com/argoproj/argo-rollouts/utils/time"
)

const namespace = "default"

// clock is the time of the controllers: it stands still while they work, and goes on when
// they wait.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if to.After(c.now) {
		c.now = to
	}
}

// queue hands a controller one key at a time, and remembers when it wants to look again.
type queue struct {
	workqueue.RateLimitingInterface // the rest is not used
	clock                           *clock
	keys                            chan string
	done                            chan struct{}
	due                             map[string]time.Time
}

func newQueue(c *clock) *queue {
	return &queue{clock: c, keys: make(chan string), done: make(chan struct{}), due: map[string]time.Time{}}
}

func (q *queue) Get() (any, bool) { key, open := <-q.keys; return key, !open }
func (q *queue) Done(any)         { q.done <- struct{}{} }
func (q *queue) Add(any)          {}
func (q *queue) Forget(any)       {}
func (q *queue) AddRateLimited(key any) {
	q.due[key.(string)] = q.clock.Now()
}
func (q *queue) NumRequeues(any) int { return 0 }
func (q *queue) AddAfter(key any, after time.Duration) {
	q.due[key.(string)] = q.clock.Now().Add(after)
}

// sync lets the controller look once.
func (q *queue) sync(key string) {
	delete(q.due, key)
	q.keys <- key
	<-q.done
}

// cluster has the controllers of Argo Rollouts and what they work on.
type cluster struct {
	t                testing.TB
	clock            *clock
	began            time.Time
	before           string // the replica set of the first release
	argo             *fake.Clientset
	kube             *kubefake.Clientset
	rollouts, runs   *queue
	informers        informers.SharedInformerFactory
	kubeInformers    kubeinformers.SharedInformerFactory
	onTime           func(time.Duration)
	dynamicInformers dynamicinformer.DynamicSharedInformerFactory
}

// templates hands out copies, as the informers of the released controller do (it writes
// into what it gets).
type templates struct {
	typed.AnalysisTemplateInformer
}

type templateLister struct {
	listers.AnalysisTemplateLister
}

type namespacedTemplates struct {
	listers.AnalysisTemplateNamespaceLister
}

func (t templates) Lister() listers.AnalysisTemplateLister {
	return templateLister{t.AnalysisTemplateInformer.Lister()}
}

func (l templateLister) AnalysisTemplates(namespace string) listers.AnalysisTemplateNamespaceLister {
	return namespacedTemplates{l.AnalysisTemplateLister.AnalysisTemplates(namespace)}
}

func (n namespacedTemplates) Get(name string) (*v1alpha1.AnalysisTemplate, error) {
	template, err := n.AnalysisTemplateNamespaceLister.Get(name)
	return template.DeepCopy(), err
}

type noReferences struct{}

func (noReferences) Resolve(*v1alpha1.Rollout) error { return nil }

func newCluster(t testing.TB, judges ...*v1alpha1.AnalysisTemplate) *cluster {
	logrus.SetLevel(logrus.PanicLevel)
	c := &cluster{t: t, began: time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC), onTime: func(time.Duration) {}}
	c.clock = &clock{now: c.began}
	timeutil.SetNowTimeFunc(c.clock.Now)
	c.rollouts, c.runs = newQueue(c.clock), newQueue(c.clock)
	c.argo = fake.NewSimpleClientset()
	c.kube = kubefake.NewSimpleClientset(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "goat-gate", Namespace: namespace}, Data: map[string][]byte{"token": []byte("abc")},
	})
	for _, template := range judges {
		template.Namespace = namespace
		if _, err := c.argo.ArgoprojV1alpha1().AnalysisTemplates(namespace).Create(context.Background(), template, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	c.informers, c.kubeInformers = informers.NewSharedInformerFactory(c.argo, 0), kubeinformers.NewSharedInformerFactory(c.kube, 0)
	c.start()
	return c
}

// start starts the real controllers.
func (c *cluster) start() {
	ours, theirs := c.informers.Argoproj().V1alpha1(), c.kubeInformers
	server := metrics.NewMetricsServer(metrics.ServerConfig{
		RolloutLister: ours.Rollouts().Lister(), AnalysisRunLister: ours.AnalysisRuns().Lister(), AnalysisTemplateLister: ours.AnalysisTemplates().Lister(),
		ClusterAnalysisTemplateLister: ours.ClusterAnalysisTemplates().Lister(), ExperimentLister: ours.Experiments().Lister(),
		K8SRequestProvider: &metrics.K8sRequestsCountProvider{},
	})
	services, destinations := istio.GetIstioVirtualServiceGVR(), istio.GetIstioDestinationRuleGVR()
	meshes := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(),
		map[schema.GroupVersionResource]string{services: "VirtualServiceList", destinations: "DestinationRuleList"})
	c.dynamicInformers = dynamicinformer.NewDynamicSharedInformerFactory(meshes, 0)
	ingresses, err := ingress.NewIngressWrapper(ingress.IngressModeNetworking, c.kube, theirs)
	if err != nil {
		c.t.Fatal(err)
	}
	judge := analysis.ControllerConfig{
		KubeClientSet: c.kube, ArgoProjClientset: c.argo, AnalysisRunInformer: ours.AnalysisRuns(), JobInformer: theirs.Batch().V1().Jobs(),
		AnalysisRunWorkQueue: c.runs, MetricsServer: server, Recorder: record.NewFakeEventRecorder(),
	}
	// New in 1.10.
	if pods := reflect.ValueOf(&judge).Elem().FieldByName("JobPodsInformer"); pods.IsValid() {
		pods.Set(reflect.ValueOf(theirs.Core().V1().Pods()))
	}
	judges := analysis.NewController(judge)
	promoter := rollout.NewController(rollout.ControllerConfig{
		Namespace: metav1.NamespaceAll, KubeClientSet: c.kube, ArgoProjClientset: c.argo, DynamicClientSet: meshes, RefResolver: noReferences{},
		ExperimentInformer: ours.Experiments(), AnalysisRunInformer: ours.AnalysisRuns(), AnalysisTemplateInformer: templates{ours.AnalysisTemplates()},
		ClusterAnalysisTemplateInformer: ours.ClusterAnalysisTemplates(), ReplicaSetInformer: theirs.Apps().V1().ReplicaSets(),
		ServicesInformer: theirs.Core().V1().Services(), IngressWrapper: ingresses, RolloutsInformer: ours.Rollouts(),
		IstioPrimaryDynamicClient: meshes, IstioVirtualServiceInformer: c.dynamicInformers.ForResource(services).Informer(),
		IstioDestinationRuleInformer: c.dynamicInformers.ForResource(destinations).Informer(),
		RolloutWorkQueue:             c.rollouts, ServiceWorkQueue: newQueue(c.clock), IngressWorkQueue: newQueue(c.clock),
		MetricsServer: server, Recorder: record.NewFakeEventRecorder(),
		ResyncPeriod: 15 * time.Minute, EphemeralMetadataThreads: rollout.DefaultEphemeralMetadataThreads, EphemeralMetadataPodRetries: rollout.DefaultEphemeralMetadataPodRetries,
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{}, 2)
	go func() { _ = judges.Run(ctx, 1); ended <- struct{}{} }()
	go func() { _ = promoter.Run(ctx, 1); ended <- struct{}{} }()
	c.t.Cleanup(func() {
		close(c.runs.keys)
		close(c.rollouts.keys)
		cancel()
		<-ended
		<-ended
	})
}

// settle lets the controllers see what stands in the cluster, and brings the pods up that
// they ask for. It gives all of it as text.
func (c *cluster) settle() string {
	ctx, all := context.Background(), metav1.ListOptions{}
	sets, err := c.kube.AppsV1().ReplicaSets(namespace).List(ctx, all)
	for i := range sets.Items {
		set := &sets.Items[i]
		wanted := *set.Spec.Replicas
		if set.UID == "" || set.Status.AvailableReplicas != wanted {
			set.UID = types.UID(set.Name)
			set.Status = appsv1.ReplicaSetStatus{Replicas: wanted, ReadyReplicas: wanted, AvailableReplicas: wanted}
			if _, err := c.kube.AppsV1().ReplicaSets(namespace).Update(ctx, set, metav1.UpdateOptions{}); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	rollouts, err1 := c.argo.ArgoprojV1alpha1().Rollouts(namespace).List(ctx, all)
	runs, err2 := c.argo.ArgoprojV1alpha1().AnalysisRuns(namespace).List(ctx, all)
	templates, err3 := c.argo.ArgoprojV1alpha1().AnalysisTemplates(namespace).List(ctx, all)
	for _, err := range []error{err, err1, err2, err3} {
		if err != nil {
			c.t.Fatal(err)
		}
	}
	ours := c.informers.Argoproj().V1alpha1()
	fill(c.t, c.kubeInformers.Apps().V1().ReplicaSets().Informer(), sets.Items)
	fill(c.t, ours.Rollouts().Informer(), rollouts.Items)
	fill(c.t, ours.AnalysisRuns().Informer(), runs.Items)
	fill(c.t, ours.AnalysisTemplates().Informer(), templates.Items)
	text, err := json.Marshal([]any{sets.Items, rollouts.Items, runs.Items})
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

func fill[T any](t testing.TB, informer cache.SharedIndexInformer, items []T) {
	pointers := make([]any, len(items))
	for i := range items {
		pointers[i] = &items[i]
	}
	if err := informer.GetIndexer().Replace(pointers, ""); err != nil {
		t.Fatal(err)
	}
}

// look lets each controller look once, and tells whether anything changed.
func (c *cluster) look() (changed bool) {
	before := c.settle()
	for _, key := range c.keys() {
		if strings.HasPrefix(key, "run ") {
			c.runs.sync(strings.TrimPrefix(key, "run "))
		} else {
			c.rollouts.sync(key)
		}
	}
	return c.settle() != before
}

func (c *cluster) keys() (keys []string) {
	ours := c.informers.Argoproj().V1alpha1()
	for _, key := range ours.Rollouts().Informer().GetIndexer().ListKeys() {
		keys = append(keys, key)
	}
	for _, key := range ours.AnalysisRuns().Informer().GetIndexer().ListKeys() {
		keys = append(keys, "run "+key)
	}
	return keys
}

// run lets time pass until over holds, or nothing happens any more.
func (c *cluster) run(over func() bool) {
	for range 10_000 {
		for c.look() {
			if over() {
				return
			}
		}
		next := time.Time{}
		for _, q := range []*queue{c.rollouts, c.runs} {
			for _, due := range q.due {
				if due.After(c.clock.Now()) && (next.IsZero() || due.Before(next)) {
					next = due
				}
			}
		}
		if over() || next.IsZero() || next.Sub(c.began) > time.Hour {
			return
		}
		// A little later, since what is due at a moment is looked at after it.
		c.clock.advance(next.Add(time.Millisecond))
		c.onTime(c.elapsed())
	}
	c.t.Fatal("it does not come to an end")
}

// shop is the rollout of the example.
func (c *cluster) shop() *v1alpha1.Rollout {
	shop, err := c.argo.ArgoprojV1alpha1().Rollouts(namespace).Get(context.Background(), "shop", metav1.GetOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	return shop
}

// deploy brings the first release up, and then the second to where the gate is asked.
func (c *cluster) deploy(shop *v1alpha1.Rollout) {
	ctx, api := context.Background(), c.argo.ArgoprojV1alpha1().Rollouts(namespace)
	shop = shop.DeepCopy()
	shop.Namespace, shop.UID = namespace, "1"
	release := shop.Spec.Template.Spec.Containers[0].Image
	shop.Spec.Template.Spec.Containers[0].Image = strings.Replace(release, "v2", "v1", 1)
	if _, err := api.Create(ctx, shop, metav1.CreateOptions{}); err != nil {
		c.t.Fatal(err)
	}
	c.run(func() bool { return c.outcome() == "done" })
	now := c.shop()
	if c.outcome() != "done" {
		c.t.Fatalf("the first release is %s: %s", now.Status.Phase, now.Status.Message)
	}
	now.Spec.Template.Spec.Containers[0].Image = release
	if _, err := api.Update(ctx, now, metav1.UpdateOptions{}); err != nil {
		c.t.Fatal(err)
	}
	c.began = c.clock.Now()
	c.before = now.Status.StableRS
}

// outcome is what became of the rollout: done, aborted, paused for a person, or the step
// in which it is.
func (c *cluster) outcome() string {
	shop := c.shop()
	step := "?"
	if shop.Status.CurrentStepIndex != nil {
		step = fmt.Sprint(*shop.Status.CurrentStepIndex)
	}
	switch {
	case shop.Status.Abort:
		return "aborted"
	case len(shop.Status.PauseConditions) > 0 && shop.Status.PauseConditions[0].Reason == v1alpha1.PauseReasonInconclusiveAnalysis:
		return "paused for a person"
	case shop.Status.Phase == v1alpha1.RolloutPhaseHealthy && shop.Status.StableRS == shop.Status.CurrentPodHash && shop.Status.StableRS != c.before:
		return "done"
	}
	return "step " + step
}

// measured are the analyses, as text.
func (c *cluster) measured() string {
	runs, err := c.argo.ArgoprojV1alpha1().AnalysisRuns(namespace).List(context.Background(), metav1.ListOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	var all []string
	for _, run := range runs.Items {
		text, _ := json.Marshal(run.Status)
		all = append(all, string(text))
	}
	return strings.Join(append(all, c.shop().Status.Message), "\n")
}

func (c *cluster) over() bool { return !strings.HasPrefix(c.outcome(), "step ") }

// elapsed is the time since the release began.
func (c *cluster) elapsed() time.Duration { return c.clock.Now().Sub(c.began).Truncate(time.Second) }

// documents reads the example strictly, as the types of this version have it, with the
// gate where it is.
func documents[T any](t testing.TB, file, gate string) []*T {
	t.Helper()
	text, err := os.ReadFile("../../../examples/argo/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var all []*T
	for _, document := range strings.Split(string(text), "\n---\n") {
		one := new(T)
		if err := yaml.UnmarshalStrict([]byte(strings.ReplaceAll(document, "http://goat-gate", gate)), one); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, one)
	}
	return all
}
