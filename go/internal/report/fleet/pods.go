// Package fleet reads the processes of a fleet through engines that exist: the pods of a
// cluster through kubectl.
package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goat-trace/goat/go/internal/report"
	"github.com/goat-trace/goat/go/internal/report/source"
)

// DefaultPort is where goat listens in a pod.
const DefaultPort = 57005

// PodPrefix is what the names of sources that are pods begin with.
const PodPrefix = "pod/"

const (
	// rounds is how often pods are listed again when some have gone while being read.
	rounds = 3
	// parallel bounds how many kubectls run at once.
	parallel = 16
)

// Pods is a source: the pods of a Kubernetes cluster that a selector names, read through
// kubectl, its configuration and the user's rights.
type Pods struct {
	// Selector is a label selector, as kubectl takes it.
	Selector string
	// Namespace is "" for that of kubectl's context.
	Namespace string
	// Container is the one whose image is named; "" takes the pod's default, or only, one.
	Container string
	// Port is where goat listens in the pod; 0 means DefaultPort.
	Port int
	// Timeout is how long one kubectl may take to answer; 0 means 15 seconds.
	Timeout time.Duration
	// Keep lets the port-forwards stay between two Reads, until Close.
	Keep bool

	kept forwards
	mu   sync.Mutex
	last []pod     // as listed last, with Keep
	when time.Time // then; zero when it is time to list again
}

// relist is how old a list may be while nothing is lost.
const relist = 5 * time.Second

// Close ends the port-forwards that were kept.
func (p *Pods) Close() { p.kept.stop(func(string) bool { return true }) }

func (p *Pods) patience() time.Duration {
	if p.Timeout > 0 {
		return p.Timeout
	}
	return 15 * time.Second
}

func (p *Pods) port() string {
	if p.Port > 0 {
		return strconv.Itoa(p.Port)
	}
	return strconv.Itoa(DefaultPort)
}

// String is how the source is named where it is read as a whole or not at all.
func (p *Pods) String() string {
	name := "pods " + p.Selector
	if p.Namespace != "" {
		name += " in " + p.Namespace
	}
	return name
}

// pod is what is taken of a pod's document.
type pod struct {
	Metadata struct {
		Name        string            `json:"name"`
		UID         string            `json:"uid"`
		Deletion    string            `json:"deletionTimestamp"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	Status struct {
		Phase      string      `json:"phase"`
		Containers []container `json:"containerStatuses"`
	} `json:"status"`
}

type container struct {
	Name    string `json:"name"`
	ImageID string `json:"imageID"`
}

// Read lists the pods and reads each through a port-forward of its own. Pods that are
// replaced while they are read are looked for again.
func (p *Pods) Read(ctx context.Context, r *source.Request) ([]report.Observation, error) {
	done := map[string][]report.Observation{}
	var current []pod
	for range rounds {
		list, err := p.recent(ctx)
		if err != nil {
			return []report.Observation{{Source: p.String(), Err: err}}, nil
		}
		current = list
		if !p.readNew(ctx, r, current, done) || ctx.Err() != nil {
			break
		}
		p.remember(nil)
	}
	p.kept.stop(func(uid string) bool {
		return !slices.ContainsFunc(current, func(pod pod) bool { return pod.Metadata.UID == uid })
	})
	if len(current) == 0 {
		return []report.Observation{{Source: p.String(), Err: errors.New("no pod matches")}}, nil
	}
	var all []report.Observation
	for i := range current {
		all = append(all, done[current[i].Metadata.UID]...)
	}
	return all, nil
}

// recent is the list of pods; with Keep it may be a little old.
func (p *Pods) recent(ctx context.Context) ([]pod, error) {
	p.mu.Lock()
	last, when := p.last, p.when
	p.mu.Unlock()
	if p.Keep && time.Since(when) < relist {
		return last, nil
	}
	list, err := p.list(ctx)
	if err == nil {
		p.remember(list)
	}
	return list, err
}

// remember keeps a list; nil means that it is time for another.
func (p *Pods) remember(list []pod) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last, p.when = list, time.Time{}
	if list != nil {
		p.when = time.Now()
	}
}

// list asks for the pods. One that is going away is no longer of the fleet.
func (p *Pods) list(ctx context.Context) ([]pod, error) {
	out, err := p.output(ctx, "get", "pods", "--selector="+p.Selector, "--output=json")
	if err != nil {
		return nil, err
	}
	var document struct {
		Kind  string `json:"kind"`
		Items []pod  `json:"items"`
	}
	if err := json.Unmarshal(out, &document); err != nil || document.Items == nil {
		return nil, errors.New("kubectl get: the answer is not a list of pods")
	}
	var staying []pod
	for _, item := range document.Items {
		if item.Metadata.Deletion == "" {
			staying = append(staying, item)
		}
	}
	return staying, nil
}

// readNew reads at once all pods that have not been read well, and reports whether it is
// worth to list them again: some could not be read.
func (p *Pods) readNew(ctx context.Context, r *source.Request, pods []pod, done map[string][]report.Observation) (lost bool) {
	var (
		mu    sync.Mutex
		group sync.WaitGroup
		slots = make(chan struct{}, parallel)
	)
	var missing []*pod
	for i := range pods {
		if known, ok := done[pods[i].Metadata.UID]; !ok || !whole(known) {
			missing = append(missing, &pods[i])
		}
	}
	for _, pod := range missing {
		group.Add(1)
		go func() {
			defer group.Done()
			slots <- struct{}{}
			defer func() { <-slots }()
			observations, passing := p.readPod(ctx, r, pod)
			mu.Lock()
			defer mu.Unlock()
			done[pod.Metadata.UID] = observations
			lost = lost || passing
		}()
	}
	group.Wait()
	return lost
}

func whole(observations []report.Observation) bool {
	for i := range observations {
		if observations[i].Err != nil {
			return false
		}
	}
	return true
}

// readPod reads one pod; passing says that it may be gone.
func (p *Pods) readPod(ctx context.Context, r *source.Request, pod *pod) (all []report.Observation, passing bool) {
	name := PodPrefix + pod.Metadata.Name
	image, err := p.imageOf(pod)
	if err == nil && pod.Status.Phase != "Running" {
		err = fmt.Errorf("the pod is not running: %s", strings.ToLower(pod.Status.Phase))
	}
	if err != nil {
		return []report.Observation{{Source: name, Err: err}}, false
	}
	open := &p.kept
	if !p.Keep {
		open = &forwards{}
	}
	defer func() {
		if passing || !p.Keep {
			open.stop(func(uid string) bool { return uid == pod.Metadata.UID })
		}
	}()
	first, err := p.to(ctx, open, pod, p.port())
	if err != nil {
		return []report.Observation{{Source: name, Err: err, Image: image}}, true
	}
	all = r.Live(ctx, name, &first.address, func(ctx context.Context, port string) (string, *url.URL, error) {
		f, err := p.to(ctx, open, pod, port)
		if err != nil {
			return "", nil, err
		}
		return name + ":" + port, &f.address, nil
	})
	for i := range all {
		all[i].Host, all[i].Image = pod.Metadata.Name, image
		if all[i].Err == nil {
			continue
		}
		if first.isRefused() {
			all[i].Err = fmt.Errorf("nothing listens on port %s of the pod: is it built by goat, and GOAT_ADDR neither off nor another port (--port)?", p.port())
		} else {
			passing = true
		}
	}
	return all, passing
}

// to is the port-forward to a port of a pod: one that is open, or a new one.
func (p *Pods) to(ctx context.Context, open *forwards, pod *pod, port string) (*forward, error) {
	if f := open.find(pod.Metadata.UID, port); f != nil {
		return f, nil
	}
	life := ctx
	if p.Keep {
		life = context.WithoutCancel(ctx)
	}
	f, err := p.forward(ctx, life, pod.Metadata.Name, port)
	if err == nil {
		open.add(pod.Metadata.UID, port, f)
	}
	return f, err
}

// isRefused tells from what kubectl says that nothing listens in the pod.
func (f *forward) isRefused() bool { return strings.Contains(f.complaint.String(), "refused") }

// forwards are those that are open, by pod and port.
type forwards struct {
	mu  sync.Mutex
	all map[[2]string]*forward
}

func (f *forwards) add(uid, port string, one *forward) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all == nil {
		f.all = map[[2]string]*forward{}
	}
	f.all[[2]string{uid, port}] = one
}

// find is one that still forwards, or nil.
func (f *forwards) find(uid, port string) *forward {
	f.mu.Lock()
	defer f.mu.Unlock()
	if one := f.all[[2]string{uid, port}]; one != nil && one.lives() {
		return one
	}
	return nil
}

// stop ends those of some pods.
func (f *forwards) stop(of func(uid string) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for key, one := range f.all {
		if of(key[0]) {
			one.stop()
			delete(f.all, key)
		}
	}
}

// imageOf is the digest of the container's image.
func (p *Pods) imageOf(pod *pod) (string, error) {
	wanted := p.Container
	if wanted == "" {
		wanted = pod.Metadata.Annotations["kubectl.kubernetes.io/default-container"]
	}
	var names []string
	for _, c := range pod.Status.Containers {
		if c.Name == wanted || wanted == "" && len(pod.Status.Containers) == 1 {
			return digest(c.ImageID), nil
		}
		names = append(names, c.Name)
	}
	if p.Container != "" && len(names) > 0 {
		return "", fmt.Errorf("the pod has no container %q, but %s", p.Container, strings.Join(names, ", "))
	}
	return "", nil
}

// digest is the part of an image's id that names its bytes.
func digest(id string) string {
	if i := strings.LastIndexByte(id, '@'); i >= 0 {
		return id[i+1:]
	}
	return id
}
