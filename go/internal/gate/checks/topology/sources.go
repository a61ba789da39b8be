package topology

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/goat-trace/goat/go/internal/child"
	"github.com/goat-trace/goat/go/internal/gate/ask"
)

// asked says who is asked for what.
func (c *Check) asked() string {
	switch {
	case c.Kubernetes != nil:
		return "kubectl " + strings.Join(c.Kubernetes.arguments("endpointslices.discovery.k8s.io", "--selector=kubernetes.io/service-name="+c.Kubernetes.Service), " ")
	case c.Consul != nil:
		return "GET " + ask.Shown(c.Consul.address())
	case c.Envoy != nil:
		return "GET " + ask.Shown(c.Envoy.address()) + " cluster " + c.Envoy.Cluster
	case c.Nacos != nil:
		return "GET " + ask.Shown(c.Nacos.address())
	}
	return "GET " + ask.Shown(c.JSON.URL) + " at " + c.JSON.Instances
}

func (c *Check) instances(ctx context.Context) ([]Instance, error) {
	label := c.Expect.Label
	switch {
	case c.Kubernetes != nil:
		return c.Kubernetes.list(ctx, label)
	case c.Consul != nil:
		return c.Consul.list(ctx, label)
	case c.Envoy != nil:
		return c.Envoy.list(ctx, label)
	case c.Nacos != nil:
		return c.Nacos.list(ctx, label)
	}
	return c.JSON.list(ctx)
}

// version finds it among labels or metadata.
func version(labels map[string]string, key string) string {
	if key != "" {
		return labels[key]
	}
	return cmp.Or(labels["version"], labels["app.kubernetes.io/version"])
}

// get asks for a JSON document.
func get(ctx context.Context, address string, header map[string]string, into any) error {
	answer, err := ask.Do(ctx, &ask.Request{URL: address, Header: header})
	switch {
	case err != nil:
		return err
	case answer.Status == http.StatusUnauthorized || answer.Status == http.StatusForbidden:
		return errors.New("it wants other credentials")
	case answer.Status != http.StatusOK:
		return fmt.Errorf("status %s", ask.StatusText(answer))
	}
	if err := json.Unmarshal(answer.Body, into); err != nil {
		return fmt.Errorf("the answer is not the JSON that was asked for (%s)", answer.Header.Get("Content-Type"))
	}
	return nil
}

// kubectlTime is how long one kubectl may take; maxList bounds what it may print.
const (
	kubectlTime = 15 * time.Second
	maxList     = 64 << 20
)

func (k *Kubernetes) arguments(what ...string) []string {
	args := append([]string{"get"}, what...)
	args = append(args, "--output=json")
	if k.Namespace != "" {
		args = append(args, "--namespace="+k.Namespace)
	}
	if k.Context != "" {
		args = append(args, "--context="+k.Context)
	}
	return args
}

type sliceList struct {
	Items []struct {
		Endpoints []struct {
			Addresses  []string `json:"addresses"`
			Zone       string   `json:"zone"`
			Conditions struct {
				Ready       *bool `json:"ready"`
				Terminating *bool `json:"terminating"`
			} `json:"conditions"`
			Target *struct {
				Kind string `json:"kind"`
				Name string `json:"name"`
			} `json:"targetRef"`
		} `json:"endpoints"`
		Ports []struct {
			Port *int `json:"port"`
		} `json:"ports"`
	} `json:"items"`
}

type pod struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name   string            `json:"name"`
		Labels map[string]string `json:"labels"`
	} `json:"metadata"`
	Status struct {
		Containers []struct {
			Restarts int `json:"restartCount"`
		} `json:"containerStatuses"`
	} `json:"status"`
}

// list asks for the service's EndpointSlices, and for the pods behind them. A condition
// that is not set is true, as the API says.
func (k *Kubernetes) list(ctx context.Context, label string) ([]Instance, error) {
	text, err := child.Output(ctx, kubectlTime, maxList, "kubectl", k.arguments("endpointslices.discovery.k8s.io", "--selector=kubernetes.io/service-name="+k.Service)...)
	if err != nil {
		return nil, err
	}
	var found sliceList
	if err := json.Unmarshal(text, &found); err != nil {
		return nil, errors.New("kubectl get: the answer is not a list of EndpointSlices")
	}
	var all []Instance
	var pods []string
	for _, item := range found.Items {
		port := ""
		if len(item.Ports) > 0 && item.Ports[0].Port != nil {
			port = strconv.Itoa(*item.Ports[0].Port)
		}
		for _, e := range item.Endpoints {
			in := Instance{Cluster: k.Context, Zone: e.Zone, Ready: (e.Conditions.Ready == nil || *e.Conditions.Ready) && (e.Conditions.Terminating == nil || !*e.Conditions.Terminating)}
			if len(e.Addresses) > 0 {
				in.Address = join(e.Addresses[0], port)
			}
			if e.Target != nil && e.Target.Kind == "Pod" {
				in.Name = e.Target.Name
				pods = append(pods, in.Name)
			}
			all = append(all, in)
		}
	}
	return all, k.describe(ctx, all, pods, label)
}

// describe adds what the pods say of themselves. One that is gone by now has nothing to say.
func (k *Kubernetes) describe(ctx context.Context, all []Instance, pods []string, label string) error {
	if len(pods) == 0 {
		return nil
	}
	text, err := child.Output(ctx, kubectlTime, maxList, "kubectl", k.arguments(append([]string{"pods", "--ignore-not-found"}, pods...)...)...)
	if err != nil {
		return err
	}
	var list struct {
		pod
		Items []pod `json:"items"`
	}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &list); err != nil {
			return errors.New("kubectl get: the answer is not a list of pods")
		}
	}
	if list.Kind == "Pod" {
		list.Items = []pod{list.pod} // of one pod kubectl gives the pod itself
	}
	for i := range all {
		for j := range list.Items {
			if p := &list.Items[j]; p.Metadata.Name == all[i].Name {
				all[i].Version = version(p.Metadata.Labels, label)
				for _, container := range p.Status.Containers {
					all[i].Restarts += container.Restarts
				}
			}
		}
	}
	return nil
}

func join(host, port string) string {
	if port == "" {
		return host
	}
	return net.JoinHostPort(host, port)
}

func (s *Consul) address() string {
	query := url.Values{}
	if s.Tag != "" {
		query.Set("tag", s.Tag)
	}
	if s.Datacenter != "" {
		query.Set("dc", s.Datacenter)
	}
	return withQuery(strings.TrimSuffix(s.URL, "/")+"/v1/health/service/"+url.PathEscape(s.Service), query)
}

func withQuery(address string, query url.Values) string {
	if len(query) == 0 {
		return address
	}
	return address + "?" + query.Encode()
}

func (s *Consul) list(ctx context.Context, label string) ([]Instance, error) {
	header := map[string]string{}
	if s.Token != "" {
		header["X-Consul-Token"] = s.Token
	}
	var entries []struct {
		Node struct {
			Node, Address, Datacenter string
			Meta                      map[string]string
		}
		Service struct {
			ID, Address string
			Port        int
			Meta        map[string]string
			Tags        []string
			Locality    *struct{ Region, Zone string }
		}
		Checks []struct{ Status string }
	}
	if err := get(ctx, s.address(), header, &entries); err != nil {
		return nil, err
	}
	var all []Instance
	for _, e := range entries {
		in := Instance{
			Name: e.Service.ID, Address: join(cmp.Or(e.Service.Address, e.Node.Address), strconv.Itoa(e.Service.Port)), Cluster: e.Node.Datacenter,
			Zone: cmp.Or(e.Service.Meta["zone"], e.Node.Meta["zone"]), Version: version(e.Service.Meta, label), Ready: true,
		}
		if e.Service.Locality != nil && in.Zone == "" {
			in.Zone = e.Service.Locality.Zone
		}
		for _, check := range e.Checks {
			in.Ready = in.Ready && (check.Status == "passing" || check.Status == "warning")
		}
		all = append(all, in)
	}
	return all, nil
}

func (s *Envoy) address() string { return strings.TrimSuffix(s.URL, "/") + "/clusters?format=json" }

func (s *Envoy) list(ctx context.Context, label string) ([]Instance, error) {
	var answer struct {
		Clusters []struct {
			Name  string `json:"name"`
			Hosts []struct {
				Address struct {
					Socket struct {
						Address string `json:"address"`
						Port    int    `json:"port_value"`
					} `json:"socket_address"`
				} `json:"address"`
				Health struct {
					EDS           string `json:"eds_health_status"`
					Active        bool   `json:"failed_active_health_check"`
					Outlier       bool   `json:"failed_outlier_check"`
					ActiveDegrade bool   `json:"failed_active_degraded_check"`
				} `json:"health_status"`
				Hostname string `json:"hostname"`
				Locality struct {
					Zone string `json:"zone"`
				} `json:"locality"`
				Metadata map[string]map[string]any `json:"metadata"`
			} `json:"host_statuses"`
		} `json:"cluster_statuses"`
	}
	if err := get(ctx, s.address(), nil, &answer); err != nil {
		return nil, err
	}
	var all []Instance
	known := false
	for _, cluster := range answer.Clusters {
		if cluster.Name != s.Cluster {
			continue
		}
		known = true
		for _, h := range cluster.Hosts {
			in := Instance{
				Name: h.Hostname, Address: join(h.Address.Socket.Address, strconv.Itoa(h.Address.Socket.Port)), Cluster: cluster.Name, Zone: h.Locality.Zone,
				Ready: (h.Health.EDS == "" || h.Health.EDS == "HEALTHY") && !h.Health.Active && !h.Health.Outlier,
			}
			labels := map[string]string{}
			for key, value := range h.Metadata["envoy.lb"] {
				labels[key] = ask.Word(value)
			}
			in.Version = version(labels, label)
			all = append(all, in)
		}
	}
	if !known {
		return nil, fmt.Errorf("this Envoy knows no cluster %q", s.Cluster)
	}
	return all, nil
}

func (s *Nacos) address() string {
	query := url.Values{"serviceName": {s.Service}}
	if s.Group != "" {
		query.Set("groupName", s.Group)
	}
	if s.Namespace != "" {
		query.Set("namespaceId", s.Namespace)
	}
	return withQuery(strings.TrimSuffix(s.URL, "/")+"/nacos/v1/ns/instance/list", query)
}

func (s *Nacos) list(ctx context.Context, label string) ([]Instance, error) {
	address := s.address()
	if s.Token != "" {
		address += "&accessToken=" + url.QueryEscape(s.Token)
	}
	var answer struct {
		Hosts []struct {
			ID       string            `json:"instanceId"`
			IP       string            `json:"ip"`
			Port     int               `json:"port"`
			Healthy  bool              `json:"healthy"`
			Enabled  *bool             `json:"enabled"`
			Cluster  string            `json:"clusterName"`
			Metadata map[string]string `json:"metadata"`
		} `json:"hosts"`
	}
	if err := get(ctx, address, nil, &answer); err != nil {
		return nil, err
	}
	var all []Instance
	for _, h := range answer.Hosts {
		all = append(all, Instance{
			Name: h.ID, Address: join(h.IP, strconv.Itoa(h.Port)), Cluster: h.Cluster, Zone: h.Metadata["zone"],
			Version: version(h.Metadata, label), Ready: h.Healthy && (h.Enabled == nil || *h.Enabled),
		})
	}
	return all, nil
}

// list takes instances out of any JSON.
func (s *JSON) list(ctx context.Context) ([]Instance, error) {
	var document any
	if err := get(ctx, s.URL, s.Headers, &document); err != nil {
		return nil, err
	}
	path, err := ask.ParsePath(s.Instances)
	if err != nil {
		return nil, err
	}
	found := path.Find(document)
	if len(found) == 1 {
		if list, is := found[0].([]any); is {
			found = list // the path of the list itself
		}
	}
	var all []Instance
	for _, value := range found {
		in := Instance{Address: at(value, s.Address), Cluster: at(value, s.Cluster), Zone: at(value, s.Zone), Version: at(value, s.Version), Ready: true}
		if s.Ready != "" {
			in.Ready = ready(at(value, s.Ready))
		}
		all = append(all, in)
	}
	return all, nil
}

func at(value any, text string) string {
	if text == "" {
		return ""
	}
	path, err := ask.ParsePath(text)
	if err != nil {
		return ""
	}
	for _, found := range path.Find(value) {
		return ask.Word(found)
	}
	return ""
}

func ready(word string) bool {
	switch strings.ToLower(word) {
	case "true", "up", "passing", "healthy", "ready", "1":
		return true
	}
	return false
}
