//go:build go1.21

package pprof

import "errors"

// message reads the fields of a protocol buffer one by one. What is cut short or of a wire
// type that profiles do not have ends it with bad.
type message struct {
	rest   []byte
	field  uint64
	number uint64 // of a varint
	bytes  []byte // of a text, a message or packed numbers; nil for a varint
	bad    bool
}

// next moves to the next field.
func (m *message) next() bool {
	if len(m.rest) == 0 || m.bad {
		return false
	}
	tag := m.varint()
	m.field, m.number, m.bytes = tag>>3, 0, nil
	switch tag & 7 {
	case 0:
		m.number = m.varint()
	case 2:
		n := m.varint()
		if n > uint64(len(m.rest)) {
			m.bad = true
			return false
		}
		m.bytes, m.rest = m.rest[:n:n], m.rest[n:]
	default:
		m.bad = true
	}
	return !m.bad
}

func (m *message) varint() (n uint64) {
	for i, b := range m.rest {
		if i == 10 {
			break
		}
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			m.rest = m.rest[i+1:]
			return n
		}
	}
	m.bad, m.rest = true, nil
	return 0
}

// numbers appends what a repeated number holds, packed or not.
func (m *message) numbers(list []uint64) []uint64 {
	if m.bytes == nil {
		return append(list, m.number)
	}
	inner := message{rest: m.bytes}
	for len(inner.rest) > 0 && !inner.bad {
		list = append(list, inner.varint())
	}
	m.bad = m.bad || inner.bad
	return list
}

// buffer writes a protocol buffer.
type buffer []byte

func (b *buffer) varint(n uint64) {
	for ; n >= 0x80; n >>= 7 {
		*b = append(*b, byte(n)|0x80)
	}
	*b = append(*b, byte(n))
}

// number writes a field that is not zero.
func (b *buffer) number(field, n uint64) {
	if n != 0 {
		b.varint(field << 3)
		b.varint(n)
	}
}

func (b *buffer) text(field uint64, text string) {
	b.varint(field<<3 | 2)
	b.varint(uint64(len(text)))
	*b = append(*b, text...)
}

func (b *buffer) message(field uint64, inner buffer) {
	b.varint(field<<3 | 2)
	b.varint(uint64(len(inner)))
	*b = append(*b, inner...)
}

func (b *buffer) packed(field uint64, list []uint64) {
	var inner buffer
	for _, n := range list {
		inner.varint(n)
	}
	b.message(field, inner)
}

// errProfile is for bytes that are no profile.
var errProfile = errors.New("the profile that the runtime made cannot be read")
