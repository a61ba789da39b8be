package source_test

import (
	"fmt"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/goat-trace/goat/go/internal/report"
)

func loopbackOnly(name string) bool {
	ips, err := net.LookupIP(name)
	for _, ip := range ips {
		if !ip.IsLoopback() {
			return false
		}
	}
	return err == nil
}

// named is the entry of a sibling in /version.
func named(url, instance string, pid int) string {
	return fmt.Sprintf(`{"address":%q,"instance":%q,"pid":%d,"planHash":"p"}`, strings.TrimPrefix(url, "http://"), instance, pid)
}

func of(entries ...string) func() string {
	return func() string { return "[" + strings.Join(entries, ",") + "]" }
}

// Whichever of a program's processes is asked, all are read, each once.
func TestSiblingsAreRead(t *testing.T) {
	holder := &process{plan: "p", instance: "h", started: early, items: []string{item("x", 1, "", 0)}}
	worker := &process{plan: "p", instance: "w", started: late, items: []string{item("x", 1, "traffic", 1), item("y", 2, "", 0)}}
	third := &process{plan: "p", instance: "t", started: late, items: []string{item("x", 1, "", 0), item("y", 2, "traffic", 2)}}
	h, w, th := serve(t, holder), serve(t, worker), serve(t, third)
	holder.siblings = of(named(w, "w", 2), named(th, "t", 3))
	worker.siblings = of(named(h, "h", 1))
	third.siblings = of(named(h, "h", 1))
	for _, sources := range [][]string{{h}, {w}, {h, w, th}} {
		d := makeReport(t, request(t, sources...))
		want := []string{"x traffic 1/3", "y traffic 1/2"}
		if got := rows(d); !reflect.DeepEqual(got, want) || len(d.Instances) != 3 || d.Outcome() != report.Complete {
			t.Errorf("%d sources: %q, %+v", len(sources), got, d.Instances)
		}
	}
}

// Which cannot be read makes the report incomplete, and is named.
func TestSiblingsThatCannotBeRead(t *testing.T) {
	other := serve(t, &process{plan: "p", instance: "z", started: late})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String()
	_ = l.Close()
	for entry, want := range map[string]string{
		named(closed, "w", 2):      "connection refused: nothing listens there",
		named(other, "w", 2):       "another process answers there",
		named("unix:/x/y", "w", 2): "cannot be reached that way: name its address",
	} {
		holder := &process{plan: "p", instance: "h", started: early, items: []string{item("x", 1, "traffic", 1)}, siblings: of(entry)}
		h := serve(t, holder)
		d := makeReport(t, request(t, h))
		if d.Outcome() != report.Partial || len(d.Instances) != 2 || *d.Instances[1].Error != "process 2 beside "+h+": "+want {
			t.Errorf("%s: outcome %d, %v", entry, d.Outcome(), *d.Instances[1].Error)
		}
	}
	// One that has ended meanwhile is not missing.
	asked := 0
	holder := &process{plan: "p", instance: "h", started: early, items: []string{item("x", 1, "traffic", 1)}}
	holder.siblings = func() string {
		if asked++; asked > 1 {
			return "[]"
		}
		return "[" + named(closed, "w", 2) + "]"
	}
	if d := makeReport(t, request(t, serve(t, holder))); d.Outcome() != report.Complete || len(d.Instances) != 1 {
		t.Errorf("outcome %d, %+v", d.Outcome(), d.Instances)
	}
}

// A source cannot have other hosts asked, nor given the token.
func TestSiblingsAreOnTheSameHost(t *testing.T) {
	asked := false
	elsewhere := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = true }))
	address := strings.Replace(elsewhere, "127.0.0.1", "127.0.0.2", 1)
	l, err := net.Listen("tcp", strings.TrimPrefix(address, "http://"))
	if err != nil {
		t.Skip("127.0.0.2 is no address of this machine")
	}
	trap := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another host was asked") })}
	go func() { _ = trap.Serve(l) }()
	defer trap.Close()
	holder := &process{plan: "p", instance: "h", started: early, items: []string{item("x", 1, "traffic", 1)}, siblings: of(named(address, "w", 2))}
	if d := makeReport(t, request(t, serve(t, holder))); d.Outcome() != report.Partial || !asked {
		t.Errorf("outcome %d, asked %t", d.Outcome(), asked)
	}
}
