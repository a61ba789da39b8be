//go:build go1.21

package server

import (
	"net/http"
	"sort"
	"strconv"
	"strings"

	goatrt "github.com/goat-trace/goat/go/goatrt"
)

// query is what /track was asked for.
type query struct {
	components []*goatrt.Component
	order      int
	hit        string // "", "true" or "false"
	legacy     bool
}

// item is one point and what is known about it.
type item struct {
	id    int
	point *goatrt.Point
	hit   goatrt.Hit
}

// track answers which points ran.
func (h *handler) track(w http.ResponseWriter, r *http.Request) {
	q, ok := parseQuery(w, r)
	if !ok {
		return
	}
	states := statesOf(q.components)
	tag := etag(states, r.URL.RawQuery)
	w.Header().Set("ETag", tag)
	if matches(r.Header.Values("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	j := begin(w, http.StatusOK)
	j.open('{')
	name, version := appOf(q.components)
	j.key("name").str(name).key("version").str(version)
	if len(q.components) > 0 {
		c := q.components[0]
		j.key("lane").str(c.Identity().Lane).key("window").str(c.Window().String())
	}
	j.key("results").open('[')
	for i := range states {
		writeComponent(j, &states[i], q)
	}
	j.close(']').close('}').flush()
}

// FNV-1a, 64 bits. Package hash/fnv is not in every program with net/http.
const (
	fnvBasis = 14695981039346656037
	fnvPrime = 1099511628211
)

// etag names an answer: the processes, what is known of their points, and the question.
func etag(states []state, question string) string {
	sum := uint64(fnvBasis)
	add := func(text string) {
		for i := 0; i < len(text); i++ {
			sum = (sum ^ uint64(text[i])) * fnvPrime
		}
	}
	add(question)
	for i := range states {
		add("\x00" + states[i].component.Identity().Instance + states[i].name)
	}
	return `"` + strconv.FormatUint(sum, 16) + `"`
}

// matches reads If-None-Match: a list of tags, weak ones included, or a star.
func matches(headers []string, tag string) bool {
	for _, header := range headers {
		for _, one := range strings.Split(header, ",") {
			if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == tag {
				return true
			}
		}
	}
	return false
}

// parseQuery refuses what it does not understand, before anything is written.
func parseQuery(w http.ResponseWriter, r *http.Request) (q query, ok bool) {
	values := r.URL.Query()
	q = query{components: goatrt.Components(), hit: values.Get("hit"), legacy: isOn(values.Get("legacy"))}
	if wanted := values.Get("component"); wanted != "" {
		chosen, unknown := selection(q.components, wanted)
		if unknown != "" || len(chosen) == 0 {
			Fail(w, http.StatusBadRequest, "unknown_component", "no component "+strconv.Quote(unknown),
				"components: "+strings.Join(names(q.components), ", "))
			return q, false
		}
		q.components = chosen
	}
	if order := values.Get("order"); order != "" {
		n, err := strconv.Atoi(order)
		if err != nil || n < 0 || n > 3 {
			Fail(w, http.StatusBadRequest, "bad_order", "order "+strconv.Quote(order),
				"0 count ascending, 1 count descending, 2 id ascending, 3 id descending")
			return q, false
		}
		q.order = n
	}
	if q.hit != "" && q.hit != "true" && q.hit != "false" {
		Fail(w, http.StatusBadRequest, "bad_hit", "hit "+strconv.Quote(q.hit), "true or false")
		return q, false
	}
	return q, true
}

func writeComponent(j *document, s *state, q query) {
	c, items, covered := s.component, s.items, s.hit
	j.open('{').key("id").number(int64(c.ID())).key("name").str(c.Identity().Component)
	j.key("degraded").strs(c.Degraded())
	j.key("metrics").open('{').key("version").str(s.name)
	j.key("total").number(int64(len(items))).key("covered").number(int64(covered)).key("coveredRate")
	switch {
	case q.legacy:
		j.number(percent(covered, len(items)))
	case len(items) == 0:
		j.raw("null")
	default:
		j.float(float64(covered) / float64(len(items)))
	}
	j.key("items").open('[')
	sortItems(items, q.order)
	for i := range items {
		if q.hit == "" || (q.hit == "true") == (items[i].hit.Count > 0) {
			writeItem(j, &items[i])
		}
	}
	j.close(']').close('}').close('}')
}

func writeItem(j *document, it *item) {
	p := it.point
	j.open('{').key("id").number(int64(it.id)).key("name").str(p.Name).key("count").number(int64(it.hit.Count))
	j.key("point").str(p.ID).key("package").str(p.Package).key("file").str(p.File)
	j.key("line").number(int64(p.Line)).key("endLine").number(int64(p.EndLine)).key("func").str(p.Func)
	j.key("kind").str(p.Kind).key("form").str(p.Form)
	j.key("firstHit").moment(it.hit.First).key("phase").strOrNull(it.hit.Phase)
	j.key("firstTraffic").moment(it.hit.Traffic).key("lastHit").moment(it.hit.Last).key("phases")
	if it.hit.First == 0 {
		j.raw("null")
	} else {
		j.open('{').key("init").moment(it.hit.Init).key("startup").moment(it.hit.Startup).key("traffic").moment(it.hit.Traffic).close('}')
	}
	j.close('}')
}

// itemsOf takes one picture of a component, with a name for its state: two
// answers with the same name say the same.
func itemsOf(c *goatrt.Component) (items []item, covered int, state string) {
	points := c.Points()
	items = make([]item, len(points))
	sum := uint64(fnvBasis)
	for i := range points {
		hit := c.Hit(i)
		if form := points[i].Form; form != "count" && hit.Count > 1 {
			hit.Count = 1
		}
		if hit.Count > 0 {
			covered++
		}
		items[i] = item{displayID(points[i].Name, i), &points[i], hit}
		for _, part := range [...]uint64{hit.Count, uint64(hit.Init), uint64(hit.Startup), uint64(hit.Traffic), uint64(hit.Last)} {
			sum = (sum ^ part) * fnvPrime
		}
	}
	return items, covered, strconv.FormatUint(sum, 16)
}

// displayID is the n of TRACK_ID_n.
func displayID(name string, i int) int {
	if n, err := strconv.Atoi(strings.TrimPrefix(name, "TRACK_ID_")); err == nil {
		return n
	}
	return i + 1
}

// sortItems orders as upstream numbers the orders; ids decide between equal counts.
func sortItems(items []item, order int) {
	sort.Stable(byOrder{items, order})
}

// byOrder sorts without reflection, which sort.Slice would link in.
type byOrder struct {
	items []item
	order int
}

func (b byOrder) Len() int      { return len(b.items) }
func (b byOrder) Swap(i, j int) { b.items[i], b.items[j] = b.items[j], b.items[i] }

func (b byOrder) Less(i, j int) bool {
	x, y := &b.items[i], &b.items[j]
	switch {
	case b.order == 0 && x.hit.Count != y.hit.Count:
		return x.hit.Count < y.hit.Count
	case b.order == 1 && x.hit.Count != y.hit.Count:
		return x.hit.Count > y.hit.Count
	case b.order == 3:
		return x.id > y.id
	}
	return x.id < y.id
}

func percent(part, whole int) int64 {
	if whole == 0 {
		return 0
	}
	return int64(part) * 100 / int64(whole)
}

// named finds a component by number or name.
func named(all []*goatrt.Component, name string) *goatrt.Component {
	for _, c := range all {
		if name == c.Identity().Component || name == strconv.Itoa(c.ID()) {
			return c
		}
	}
	return nil
}

func names(all []*goatrt.Component) []string {
	var list []string
	for _, c := range all {
		list = append(list, c.Identity().Component)
	}
	return list
}

func appOf(all []*goatrt.Component) (name, version string) {
	if len(all) == 0 {
		return "", ""
	}
	id := all[0].Identity()
	return id.App, id.Version
}
