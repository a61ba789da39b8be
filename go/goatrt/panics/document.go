//go:build go1.21

package panics

import (
	"strconv"

	goatrt "github.com/goat-trace/goat/go/goatrt"
)

// document is what GET /panics answers, and what lies beside the spool.
func document() []byte {
	now := goatrt.Now()
	b := []byte(`{"format":1`)
	for _, c := range goatrt.Tracked() {
		id := c.Identity()
		b = text(b, `,"app":`, id.App)
		b = text(b, `,"module":`, id.Module)
		b = text(b, `,"planHash":`, id.Plan)
		b = text(b, `,"instance":`, id.Instance)
		b = text(b, `,"lane":`, id.Lane)
		break
	}
	b = append(b, `,"lost":`...)
	b = strconv.AppendUint(b, lost.Load(), 10)
	b = append(b, `,"panics":[`...)
	for i, p := range snapshot() {
		if i > 0 {
			b = append(b, ',')
		}
		b = p.appendTo(b, now)
	}
	return append(b, "]}\n"...)
}

func (p *panicked) appendTo(b []byte, now int64) []byte {
	b = text(b, `{"key":`, p.key)
	b = append(b, `,"kind":"panic"`...)
	b = text(b, `,"type":`, p.typ)
	b = text(b, `,"message":`, p.message)
	b = text(b, `,"class":`, p.class)
	b = text(b, `,"recovered":`, p.recovered(now))
	b = append(b, `,"count":`...)
	b = strconv.AppendUint(b, p.count(), 10)
	b = append(b, `,"phases":{`...)
	comma := ""
	for i, name := range [...]string{"init", "startup", "traffic"} {
		if p.counts[i] > 0 {
			b = text(b, comma, name)
			b = append(b, ':')
			b = strconv.AppendUint(b, p.counts[i], 10)
			comma = ","
		}
	}
	b = text(b, `},"first":`, goatrt.RFC3339(p.first))
	b = text(b, `,"last":`, goatrt.RFC3339(p.last))
	b = append(b, `,"goroutine":`...)
	b = strconv.AppendUint(b, p.goroutine, 10)
	b = append(b, `,"parent":`...)
	if p.parent == 0 {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendUint(b, p.parent, 10)
	}
	b = append(b, `,"creator":`...)
	if p.creator.function == "" {
		b = append(b, "null"...)
	} else {
		b = p.creator.appendTo(b)
	}
	b = append(b, `,"changed":`...)
	b = strconv.AppendBool(b, p.changed)
	b = append(b, `,"place":`...)
	b = p.place.appendTo(b)
	b = append(b, `,"chain":[`...)
	for i, step := range p.chain {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(text(b, `{"message":`, step), '}')
	}
	b = append(b, `],"frames":[`...)
	for i, f := range p.frames {
		if i > 0 {
			b = append(b, ',')
		}
		b = f.appendTo(b)
	}
	return append(b, "]}"...)
}

func (f frame) appendTo(b []byte) []byte {
	b = text(b, `{"func":`, f.function)
	b = text(b, `,"file":`, f.file)
	b = append(b, `,"line":`...)
	return append(strconv.AppendInt(b, int64(f.line), 10), '}')
}

func text(b []byte, key, value string) []byte {
	return goatrt.Quote(append(b, key...), value)
}

// mostMetrics bounds the series of one process; the rest is counted under key "other".
const mostMetrics = 200

// metrics is what GET /metrics has more of.
func metrics(b []byte) []byte {
	b = append(b, "# HELP goat_panics_total Panics of the process, recovered or not, by root cause.\n# TYPE goat_panics_total counter\n"...)
	var other [2]uint64
	for i, p := range snapshot() {
		changed := 0
		if p.changed {
			changed = 1
		}
		if i >= mostMetrics {
			other[changed] += p.count()
			continue
		}
		b = series(b, p, p.count())
	}
	for i, n := range other {
		if n > 0 {
			b = series(b, &panicked{key: "other", class: "defect", changed: i == 1}, n)
		}
	}
	b = append(b, "# HELP goat_panics_lost_total Panics for which there was no room on record.\n# TYPE goat_panics_lost_total counter\ngoat_panics_lost_total "...)
	return append(strconv.AppendUint(b, lost.Load(), 10), '\n')
}

// series is one root cause. What it says beside the key follows from the key, so that it
// makes no more series; who has nothing but metrics learns from it where the panic was.
func series(b []byte, p *panicked, n uint64) []byte {
	b = label(append(b, "goat_panics_total{"...), "key", p.key)
	b = append(b, `,changed="`...)
	b = strconv.AppendBool(b, p.changed)
	b = label(append(b, `",`...), "class", p.class)
	b = label(append(b, ','), "type", p.typ)
	b = label(append(b, ','), "func", p.place.function)
	b = label(append(b, ','), "file", p.file)
	b = append(b, `,line="`...)
	b = strconv.AppendInt(b, int64(p.place.line), 10)
	b = append(b, `"} `...)
	return append(strconv.AppendUint(b, n, 10), '\n')
}

// label writes a label as the text format has it.
func label(b []byte, name, value string) []byte {
	b = append(append(b, name...), `="`...)
	for i := 0; i < len(value); i++ {
		switch c := value[i]; c {
		case '\\', '"':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
