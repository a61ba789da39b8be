// Package topology asks which instances serve the canary, and where: of Kubernetes,
// Consul, an Envoy, Nacos, or whatever answers JSON.
package topology

import (
	"errors"
	"fmt"

	"github.com/goat-trace/goat/go/internal/gate/ask"
)

// Settings are those of one service.
type Settings struct {
	Title      string      `key:"name" help:"name of this check, where there are several"`
	Kubernetes *Kubernetes `key:"kubernetes" help:"EndpointSlices of a service, through kubectl"`
	Consul     *Consul     `key:"consul" help:"Consul's health API"`
	Envoy      *Envoy      `key:"envoy" help:"an Envoy's admin interface"`
	Nacos      *Nacos      `key:"nacos" help:"Nacos' instance list"`
	JSON       *JSON       `key:"json" help:"any JSON over HTTP"`
	Expect     Expect      `key:"expect" help:"what must hold of the instances"`
	Snapshot   string      `key:"snapshot" help:"file with an earlier answer that this one must equal"`
	Save       string      `key:"save" help:"file into which the answer is written, as --save"`
}

// Kubernetes names a service of a cluster.
type Kubernetes struct {
	Service   string `key:"service" help:"name of the service (--service)"`
	Namespace string `key:"namespace" help:"its namespace; otherwise that of kubectl's context"`
	Context   string `key:"context" help:"context of kubectl's configuration"`
}

// Consul names a service of a Consul.
type Consul struct {
	URL        string `key:"url" help:"address of the agent, as http://127.0.0.1:8500"`
	Service    string `key:"service" help:"name of the service (--service)"`
	Tag        string `key:"tag" help:"only instances with this tag"`
	Datacenter string `key:"datacenter" help:"datacenter that is asked; otherwise the agent's"`
	Token      string `key:"token" help:"token, as ${CONSUL_HTTP_TOKEN}"`
}

// Envoy names a cluster of an Envoy.
type Envoy struct {
	URL     string `key:"url" help:"address of the admin interface, as http://127.0.0.1:9901"`
	Cluster string `key:"cluster" help:"name of the cluster (--service)"`
}

// Nacos names a service of a Nacos.
type Nacos struct {
	URL       string `key:"url" help:"address of the server, as http://127.0.0.1:8848"`
	Service   string `key:"service" help:"name of the service (--service)"`
	Group     string `key:"group" help:"its group (DEFAULT_GROUP)"`
	Namespace string `key:"namespace" help:"id of its namespace"`
	Token     string `key:"token" help:"access token"`
}

// JSON says where in an answer the instances stand.
type JSON struct {
	URL       string            `key:"url" help:"address that is asked"`
	Headers   map[string]string `key:"headers" help:"request header"`
	Instances string            `key:"instances" help:"path to the instances, as data.hosts[*]"`
	Address   string            `key:"address" help:"path to an instance's address, from the instance"`
	Cluster   string            `key:"cluster" help:"path to its cluster"`
	Zone      string            `key:"zone" help:"path to its zone"`
	Version   string            `key:"version" help:"path to its version"`
	Ready     string            `key:"ready" help:"path to whether it serves: true, UP, passing or healthy"`
}

// Expect is what must hold.
type Expect struct {
	Min      *int     `key:"min" min:"0" help:"fewest instances that serve (1)"`
	Max      *int     `key:"max" min:"0" help:"most instances that serve"`
	Ready    bool     `key:"ready" help:"whether each instance must serve; otherwise those that do not are left out"`
	Cluster  string   `key:"cluster" help:"cluster of every instance"`
	Zones    []string `key:"zones" help:"zones that instances may be in"`
	Spread   int      `key:"spread" min:"0" help:"in how many zones there must be some"`
	Version  string   `key:"version" help:"version of every instance"`
	Label    string   `key:"versionLabel" help:"label or metadata key that holds the version (version; app.kubernetes.io/version is known, too)"`
	Restarts *int     `key:"restarts" min:"0" help:"most restarts of a pod's containers"`
}

// Validate refuses what cannot be asked or judged.
func (s *Settings) Validate() error {
	count := 0
	var url string
	for _, source := range []struct {
		there bool
		url   func() string
	}{
		{s.Kubernetes != nil, nil},
		{s.Consul != nil, func() string { return s.Consul.URL }},
		{s.Envoy != nil, func() string { return s.Envoy.URL }},
		{s.Nacos != nil, func() string { return s.Nacos.URL }},
		{s.JSON != nil, func() string { return s.JSON.URL }},
	} {
		if source.there {
			count++
			if source.url != nil {
				url = source.url()
			}
		}
	}
	switch {
	case count == 0:
		return errors.New("nothing says where the instances are listed: set kubernetes, consul, envoy, nacos or json")
	case count > 1:
		return errors.New("kubernetes, consul, envoy, nacos and json exclude each other: use a list of topologies")
	case s.Kubernetes == nil && ask.CheckURL(url) != nil:
		return ask.CheckURL(url)
	case s.Kubernetes != nil && s.Kubernetes.Service == "", s.Consul != nil && s.Consul.Service == "", s.Nacos != nil && s.Nacos.Service == "":
		return errors.New("service is missing: its name, or --service")
	case s.Envoy != nil && s.Envoy.Cluster == "":
		return errors.New("cluster is missing: its name, or --service")
	case s.Expect.Min != nil && s.Expect.Max != nil && *s.Expect.Min > *s.Expect.Max:
		return fmt.Errorf("nothing lies between min %d and max %d", *s.Expect.Min, *s.Expect.Max)
	case s.Expect.Restarts != nil && s.Kubernetes == nil:
		return errors.New("restarts are known of pods alone: use kubernetes")
	}
	return s.paths()
}

func (s *Settings) paths() error {
	if s.JSON == nil {
		return nil
	}
	if s.JSON.Instances == "" {
		return errors.New("json.instances is missing: the path to the instances, as data.hosts[*]")
	}
	for _, path := range []string{s.JSON.Instances, s.JSON.Address, s.JSON.Cluster, s.JSON.Zone, s.JSON.Version, s.JSON.Ready} {
		if _, err := ask.ParsePath(path); err != nil {
			return err
		}
	}
	return nil
}
