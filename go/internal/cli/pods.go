package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goat-trace/goat/go/internal/report"
	"github.com/goat-trace/goat/go/internal/report/fleet"
	"github.com/goat-trace/goat/go/internal/report/source"
)

// podFlags name the pods of a cluster as sources.
type podFlags struct {
	selector, namespace, container string
	port                           int
}

func (f *podFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.selector, "pods", "", "read the pods of a label `SELECTOR` through kubectl")
	flags.StringVarP(&f.namespace, "namespace", "n", "", "`NAMESPACE` of the pods (default: that of kubectl's context)")
	flags.StringVar(&f.container, "container", "", "the container whose image is named, by its `NAME`")
	flags.IntVar(&f.port, "port", fleet.DefaultPort, "the port `N` on which goat listens in the pods")
}

// sources are the pods, if some are named.
func (f *podFlags) sources(cmd *cobra.Command) ([]source.Further, error) {
	if f.selector == "" {
		for _, name := range []string{"namespace", "container", "port"} {
			if cmd.Flags().Changed(name) {
				return nil, usage("--"+name+" is about pods, and none are named", "--pods SELECTOR, as `kubectl get pods -l` takes it")
			}
		}
		if cmd.Flags().Changed("pods") {
			return nil, usage("--pods: the selector is empty", "use something like --pods app=shop,track=canary")
		}
		return nil, nil
	}
	if f.port < 1 || f.port > 65535 {
		return nil, usage(fmt.Sprintf("--port: %d is not a port", f.port), "use something like 57005")
	}
	return []source.Further{&fleet.Pods{
		Selector: f.selector, Namespace: f.namespace, Container: f.container, Port: f.port,
	}}, nil
}

// podsRead counts the pods of a report, and those of which nothing is missing.
func podsRead(document *report.Document) (read, all int) {
	whole := map[string]bool{}
	for i := range document.Instances {
		name, isPod := strings.CutPrefix(document.Instances[i].Source, fleet.PodPrefix)
		if !isPod {
			continue
		}
		name, _, _ = strings.Cut(name, ":")
		before, known := whole[name]
		whole[name] = document.Instances[i].Error == nil && (before || !known)
	}
	for _, is := range whole {
		if is {
			read++
		}
	}
	return read, len(whole)
}
