package metrics

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// family is a metric with its series, as an exposition has them.
type family struct {
	name, kind, help, unit string
	// labels are those of all series; le and quantile of histograms and summaries are
	// apart.
	labels  map[string]bool
	bounds  map[string]bool // le of a histogram, quantile of a summary
	series  map[string]int  // series without le and quantile -> how many samples
	samples int
	line    int
	total   bool // samples end in _total, as those of counters of OpenMetrics
}

// exposition is what a process shows, and what is wrong with it.
type exposition struct {
	families map[string]*family
	order    []string
	problems []string
	samples  map[string]int // series -> line
}

// parse reads the text format of Prometheus and OpenMetrics. Lines that make no sense are
// problems; the others count.
func parse(text []byte) *exposition {
	e := &exposition{families: map[string]*family{}, samples: map[string]int{}}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "" || line == "# EOF":
		case strings.HasPrefix(line, "#"):
			e.comment(line, n)
		default:
			if err := e.sample(line, n); err != nil {
				e.problems = append(e.problems, fmt.Sprintf("line %d: %s", n, err))
			}
		}
	}
	e.finish()
	return e
}

func (e *exposition) family(name string, line int) *family {
	f := e.families[name]
	if f == nil {
		f = &family{name: name, labels: map[string]bool{}, bounds: map[string]bool{}, series: map[string]int{}, line: line}
		e.families[name] = f
		e.order = append(e.order, name)
	}
	return f
}

// comment takes # TYPE, # HELP and # UNIT.
func (e *exposition) comment(line string, n int) {
	fields := strings.SplitN(line, " ", 4)
	if len(fields) < 3 || fields[0] != "#" {
		return
	}
	rest := ""
	if len(fields) == 4 {
		rest = fields[3]
	}
	switch fields[1] {
	case "TYPE":
		f := e.family(fields[2], n)
		if f.kind != "" {
			e.problems = append(e.problems, fmt.Sprintf("line %d: a second TYPE of %s", n, f.name))
		}
		if f.samples > 0 {
			e.problems = append(e.problems, fmt.Sprintf("line %d: the TYPE of %s stands after its samples", n, f.name))
		}
		f.kind = strings.TrimSpace(rest)
	case "HELP":
		e.family(fields[2], n).help = rest
	case "UNIT":
		e.family(fields[2], n).unit = strings.TrimSpace(rest)
	}
}

// suffixes are those of samples whose family has another name.
var suffixes = []string{"_bucket", "_count", "_sum", "_total", "_created", "_info", "_gcount", "_gsum"}

// familyOf finds the family of a sample.
func (e *exposition) familyOf(name string, line int) *family {
	if f := e.families[name]; f != nil {
		return f
	}
	for _, suffix := range suffixes {
		base, is := strings.CutSuffix(name, suffix)
		if f := e.families[base]; is && f != nil && takes(f.kind, suffix) {
			return f
		}
	}
	return e.family(name, line)
}

// takes tells whether samples of a type carry a suffix.
func takes(kind, suffix string) bool {
	switch suffix {
	case "_bucket", "_gcount", "_gsum":
		return kind == "histogram" || kind == "gaugehistogram"
	case "_count", "_sum":
		return kind == "histogram" || kind == "summary"
	case "_created":
		return kind == "histogram" || kind == "summary" || kind == "counter"
	case "_total":
		return kind == "counter"
	}
	return kind == "info"
}

// sample takes NAME{labels} VALUE [TIME].
func (e *exposition) sample(line string, n int) error {
	name, labels, rest, err := split(line)
	if err != nil {
		return err
	}
	fields := strings.Fields(strings.SplitN(rest, " # ", 2)[0])
	if len(fields) == 0 || len(fields) > 2 {
		return fmt.Errorf("%s has no value", name)
	}
	if _, err := strconv.ParseFloat(fields[0], 64); err != nil {
		return fmt.Errorf("%q is not a value", fields[0])
	}
	f := e.familyOf(name, n)
	f.samples++
	f.total = f.total || f.kind == "counter" && name == f.name+"_total"
	key := name + keyOf(labels, "")
	if first := e.samples[key]; first > 0 {
		e.problems = append(e.problems, fmt.Sprintf("line %d: %s stands twice, first on line %d", n, key, first))
	}
	e.samples[key] = n
	bound := ""
	switch f.kind {
	case "histogram", "gaugehistogram":
		bound = "le"
	case "summary":
		bound = "quantile"
	}
	for _, l := range labels {
		if l.name == bound {
			f.bounds[normal(l.value)] = true
			continue
		}
		f.labels[l.name] = true
	}
	f.series[keyOf(labels, bound)]++
	return nil
}

// normal is a bound as Prometheus 3 writes it: 1 and 1.0 are the same.
func normal(bound string) string {
	value, err := strconv.ParseFloat(bound, 64)
	if err != nil {
		return bound
	}
	return strconv.FormatFloat(value, 'g', -1, 64)
}

type label struct{ name, value string }

func keyOf(labels []label, without string) string {
	var parts []string
	for _, l := range labels {
		if l.name != without {
			parts = append(parts, l.name+"="+strconv.Quote(l.value))
		}
	}
	slices.Sort(parts)
	return "{" + strings.Join(parts, ",") + "}"
}

// split takes a sample's line apart. The name may stand quoted among the labels, as UTF-8
// names do.
func split(line string) (name string, labels []label, rest string, err error) {
	end := strings.IndexAny(line, "{ \t")
	if end < 0 {
		return "", nil, "", fmt.Errorf("%q is no sample", line)
	}
	name, rest = line[:end], strings.TrimSpace(line[end:])
	if !strings.HasPrefix(rest, "{") {
		return name, nil, rest, nil
	}
	rest = rest[1:]
	for {
		rest = strings.TrimLeft(rest, " ,")
		if behind, closed := strings.CutPrefix(rest, "}"); closed {
			return name, labels, behind, nil
		}
		var l label
		if l.name, rest, err = word(rest); err != nil {
			return "", nil, "", err
		}
		rest = strings.TrimLeft(rest, " ")
		after, assigned := strings.CutPrefix(rest, "=")
		if !assigned {
			if name != "" {
				return "", nil, "", fmt.Errorf("label %s has no value", l.name)
			}
			name = l.name
			continue
		}
		if l.value, rest, err = quoted(strings.TrimLeft(after, " ")); err != nil {
			return "", nil, "", err
		}
		labels = append(labels, l)
	}
}

func word(text string) (name, rest string, err error) {
	if strings.HasPrefix(text, `"`) {
		return quoted(text)
	}
	end := strings.IndexAny(text, "=, }")
	if end <= 0 {
		return "", "", fmt.Errorf("a label is missing before %q", text)
	}
	return text[:end], text[end:], nil
}

// quoted reads a text in quotes with the escapes \\, \" and \n.
func quoted(text string) (value, rest string, err error) {
	if !strings.HasPrefix(text, `"`) {
		return "", "", fmt.Errorf("a quote is missing before %q", text)
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '"':
			return b.String(), text[i+1:], nil
		case text[i] == '\\' && i+1 < len(text):
			i++
			if text[i] == 'n' {
				b.WriteByte('\n')
				continue
			}
			b.WriteByte(text[i])
		default:
			b.WriteByte(text[i])
		}
	}
	return "", "", fmt.Errorf("a quote is not closed: %q", text)
}

// finish leaves out families of which there is only a comment and no series, as scrapes
// do, and gives the counters of OpenMetrics the name that their samples have.
func (e *exposition) finish() {
	for i, name := range e.order {
		if f := e.families[name]; f.total {
			delete(e.families, name)
			f.name = name + "_total"
			e.order[i], e.families[f.name] = f.name, f
		}
	}
	e.order = slices.DeleteFunc(e.order, func(name string) bool {
		if e.families[name].samples > 0 {
			return false
		}
		delete(e.families, name)
		return true
	})
	slices.SortStableFunc(e.order, func(a, b string) int { return cmp.Compare(a, b) })
}
