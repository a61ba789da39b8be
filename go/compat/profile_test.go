package compat

import (
	"os"

	"github.com/rogpeppe/go-internal/testscript"
)

// pgo FILE CALLER CALLEE: a CPU profile in which one function calls another and that
// is all there is. It is the same every time, so that what is compiled with it is
// found in the cache.
func cmdPGO(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: pgo file caller callee")
	}
	caller, callee := args[1], args[2]
	var p proto
	for _, text := range []string{"", "samples", "count", "cpu", "nanoseconds", caller, callee, "x.go"} {
		p.text(6, text)
	}
	for _, pair := range [][2]uint64{{1, 2}, {3, 4}} {
		p.message(1, func(m *proto) { m.number(1, pair[0]); m.number(2, pair[1]) })
	}
	p.message(2, func(m *proto) {
		m.number(1, 2)
		m.number(1, 1)
		m.number(2, 1000)
		m.number(2, 1e10)
	})
	for id := uint64(1); id <= 2; id++ {
		p.message(4, func(m *proto) {
			m.number(1, id)
			m.message(4, func(line *proto) { line.number(1, id); line.number(2, 5) })
		})
		p.message(5, func(m *proto) { m.number(1, id); m.number(2, 4+id); m.number(3, 4+id); m.number(4, 7); m.number(5, 4) })
	}
	p.message(11, func(m *proto) { m.number(1, 3); m.number(2, 4) })
	p.number(12, 1e7)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), p, 0o666))
}

// proto writes protocol buffers, as profiles are.
type proto []byte

func (p *proto) varint(n uint64) {
	for ; n >= 0x80; n >>= 7 {
		*p = append(*p, byte(n)|0x80)
	}
	*p = append(*p, byte(n))
}

func (p *proto) number(field, n uint64) {
	p.varint(field << 3)
	p.varint(n)
}

func (p *proto) text(field uint64, text string) {
	p.varint(field<<3 | 2)
	p.varint(uint64(len(text)))
	*p = append(*p, text...)
}

func (p *proto) message(field uint64, fill func(*proto)) {
	var inner proto
	fill(&inner)
	p.text(field, string(inner))
}
