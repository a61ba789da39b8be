//go:build go1.21

package pprof

import "strings"

// profile is what of a profile may leave the process, as far as it is known by name: what
// is not read here is not written either. Texts are read, and written anew.
type profile struct {
	types       [][2]string // name and unit
	samples     []sample
	mappings    []mapping
	locations   []location
	functions   []function
	time        uint64
	duration    uint64
	periodType  [2]string
	period      uint64
	defaultType string
}

type sample struct {
	locations, values []uint64
	labels            []label
}

type label struct {
	key, text, unit string
	number          uint64
}

type mapping struct {
	// numbers are id, start, limit and offset.
	numbers [4]uint64
	file    string
	build   string
	// has are the fields 7 to 10: what is known of its locations.
	has [4]uint64
}

type location struct {
	id, mapping, address uint64
	lines                [][3]uint64 // function, line, column
	folded               uint64
}

type function struct {
	id, start    uint64
	name, system string
	file         string
}

// decode reads a profile.
func decode(raw []byte) (*profile, error) {
	texts, err := textsOf(raw)
	if err != nil {
		return nil, err
	}
	p := &profile{}
	m := message{rest: raw}
	for m.next() {
		in := reader{message: message{rest: m.bytes}, texts: texts}
		switch m.field {
		case 1:
			p.types = append(p.types, in.pair())
		case 2:
			p.samples = append(p.samples, in.sample())
		case 3:
			p.mappings = append(p.mappings, in.mapping())
		case 4:
			p.locations = append(p.locations, in.location())
		case 5:
			p.functions = append(p.functions, in.function())
		case 9:
			p.time = m.number
		case 10:
			p.duration = m.number
		case 11:
			p.periodType = in.pair()
		case 12:
			p.period = m.number
		case 14:
			p.defaultType = in.text(m.number)
		}
		m.bad = m.bad || in.bad
	}
	if m.bad || len(p.types) == 0 {
		return nil, errProfile
	}
	return p, nil
}

// textsOf is the table of texts, which the runtime writes last.
func textsOf(raw []byte) ([]string, error) {
	var texts []string
	m := message{rest: raw}
	for m.next() {
		if m.field == 6 {
			texts = append(texts, string(m.bytes))
		}
	}
	if m.bad || len(texts) == 0 || texts[0] != "" {
		return nil, errProfile
	}
	return texts, nil
}

// reader reads one message of a profile.
type reader struct {
	message
	texts []string
}

func (r *reader) text(n uint64) string {
	if n < uint64(len(r.texts)) {
		return r.texts[n]
	}
	r.bad = true
	return ""
}

func (r *reader) pair() (p [2]string) {
	for r.next() {
		if r.field == 1 || r.field == 2 {
			p[r.field-1] = r.text(r.number)
		}
	}
	return p
}

func (r *reader) sample() (s sample) {
	for r.next() {
		switch r.field {
		case 1:
			s.locations = r.numbers(s.locations)
		case 2:
			s.values = r.numbers(s.values)
		case 3:
			in := reader{message: message{rest: r.bytes}, texts: r.texts}
			s.labels = append(s.labels, in.label())
			r.bad = r.bad || in.bad
		}
	}
	return s
}

func (r *reader) label() (l label) {
	for r.next() {
		switch r.field {
		case 1:
			l.key = r.text(r.number)
		case 2:
			l.text = r.text(r.number)
		case 3:
			l.number = r.number
		case 4:
			l.unit = r.text(r.number)
		}
	}
	return l
}

func (r *reader) mapping() (m mapping) {
	for r.next() {
		switch {
		case r.field >= 1 && r.field <= 4:
			m.numbers[r.field-1] = r.number
		case r.field == 5:
			m.file = r.text(r.number)
		case r.field == 6:
			m.build = r.text(r.number)
		case r.field >= 7 && r.field <= 10:
			m.has[r.field-7] = r.number
		}
	}
	return m
}

func (r *reader) location() (l location) {
	for r.next() {
		switch r.field {
		case 1:
			l.id = r.number
		case 2:
			l.mapping = r.number
		case 3:
			l.address = r.number
		case 4:
			var line [3]uint64
			in := message{rest: r.bytes}
			for in.next() {
				if in.field >= 1 && in.field <= 3 {
					line[in.field-1] = in.number
				}
			}
			r.bad = r.bad || in.bad
			l.lines = append(l.lines, line)
		case 5:
			l.folded = r.number
		}
	}
	return l
}

func (r *reader) function() (f function) {
	for r.next() {
		switch r.field {
		case 1:
			f.id = r.number
		case 2:
			f.name = r.text(r.number)
		case 3:
			f.system = r.text(r.number)
		case 4:
			f.file = r.text(r.number)
		case 5:
			f.start = r.number
		}
	}
	return f
}

// table gives texts their numbers.
type table struct {
	numbers map[string]uint64
	list    []string
}

func (t *table) of(text string) uint64 {
	n, known := t.numbers[text]
	if !known {
		n = uint64(len(t.list))
		t.numbers[text] = n
		t.list = append(t.list, text)
	}
	return n
}

func (t *table) pair(p [2]string) (b buffer) {
	b.number(1, t.of(p[0]))
	b.number(2, t.of(p[1]))
	return b
}

// encode writes the profile.
func (p *profile) encode() []byte {
	t := &table{numbers: map[string]uint64{}}
	t.of("")
	var b buffer
	for _, pair := range p.types {
		b.message(1, t.pair(pair))
	}
	for i := range p.samples {
		b.message(2, p.samples[i].encode(t))
	}
	for i := range p.mappings {
		b.message(3, p.mappings[i].encode(t))
	}
	for i := range p.locations {
		b.message(4, p.locations[i].encode())
	}
	for i := range p.functions {
		b.message(5, p.functions[i].encode(t))
	}
	b.number(9, p.time)
	b.number(10, p.duration)
	if p.periodType != [2]string{} {
		b.message(11, t.pair(p.periodType))
	}
	b.number(12, p.period)
	b.number(14, t.of(p.defaultType))
	for _, text := range t.list {
		b.text(6, text)
	}
	return b
}

func (s *sample) encode(t *table) (b buffer) {
	b.packed(1, s.locations)
	b.packed(2, s.values)
	for _, l := range s.labels {
		var in buffer
		in.number(1, t.of(l.key))
		in.number(2, t.of(l.text))
		in.number(3, l.number)
		in.number(4, t.of(l.unit))
		b.message(3, in)
	}
	return b
}

func (m *mapping) encode(t *table) (b buffer) {
	for i, n := range m.numbers {
		b.number(uint64(i+1), n)
	}
	b.number(5, t.of(m.file))
	b.number(6, t.of(m.build))
	for i, n := range m.has {
		b.number(uint64(i+7), n)
	}
	return b
}

func (l *location) encode() (b buffer) {
	b.number(1, l.id)
	b.number(2, l.mapping)
	b.number(3, l.address)
	for _, line := range l.lines {
		var in buffer
		for i, n := range line {
			in.number(uint64(i+1), n)
		}
		b.message(4, in)
	}
	b.number(5, l.folded)
	return b
}

func (f *function) encode(t *table) (b buffer) {
	b.number(1, f.id)
	b.number(2, t.of(f.name))
	b.number(3, t.of(f.system))
	b.number(4, t.of(f.file))
	b.number(5, f.start)
	return b
}

// less takes from p what an older profile of the same process holds. Stacks are the same
// where their addresses are.
func (p *profile) less(old *profile) {
	before := map[string][]uint64{}
	addresses := old.addresses()
	for i := range old.samples {
		s := &old.samples[i]
		key := s.key(addresses)
		before[key] = add(before[key], s.values, 1)
	}
	addresses = p.addresses()
	kept := p.samples[:0]
	for _, s := range p.samples {
		key := s.key(addresses)
		if was, known := before[key]; known {
			s.values = add(s.values, was, ^uint64(0))
			delete(before, key)
		}
		for _, v := range s.values {
			if v != 0 {
				kept = append(kept, s)
				break
			}
		}
	}
	p.samples = kept
	p.duration = p.time - old.time
}

// drop leaves out the stacks that pass through functions whose names begin so.
func (p *profile) drop(prefix string) {
	functions, through := map[uint64]bool{}, map[uint64]bool{}
	for i := range p.functions {
		functions[p.functions[i].id] = strings.HasPrefix(p.functions[i].name, prefix)
	}
	for i := range p.locations {
		l := &p.locations[i]
		for _, line := range l.lines {
			through[l.id] = through[l.id] || functions[line[0]]
		}
	}
	kept := p.samples[:0]
next:
	for _, s := range p.samples {
		for _, id := range s.locations {
			if through[id] {
				continue next
			}
		}
		kept = append(kept, s)
	}
	p.samples = kept
}

func (p *profile) addresses() map[uint64]uint64 {
	addresses := make(map[uint64]uint64, len(p.locations))
	for i := range p.locations {
		addresses[p.locations[i].id] = p.locations[i].address
	}
	return addresses
}

// key tells stacks apart within a process.
func (s *sample) key(addresses map[uint64]uint64) string {
	var b buffer
	for _, id := range s.locations {
		b.varint(addresses[id])
	}
	for _, l := range s.labels {
		b.text(1, l.key)
		b.text(2, l.text)
		b.number(3, l.number)
	}
	return string(b)
}

// add adds values, times a factor; the numbers are signed, and wrap as they should.
func add(values, more []uint64, factor uint64) []uint64 {
	sum := append([]uint64{}, values...)
	for i, v := range more {
		if i < len(sum) {
			sum[i] += v * factor
		} else {
			sum = append(sum, v*factor)
		}
	}
	return sum
}
