//go:build go1.21

package goatrt

import (
	"sync/atomic"
	"unsafe"
)

// stripeCount spreads a counter that many goroutines hit over several cache lines.
const stripeCount = 16

// stripes are saturating hit counters: one row per stripe, padded so that two
// rows share no cache line.
type stripes struct {
	rows    [stripeCount][]atomic.Uint32
	spooled []uint64 // what the file says; only spoolMoving uses it
}

func newStripes(points int) *stripes {
	s := &stripes{spooled: make([]uint64, points)}
	padded := (points + 31) &^ 15
	for i := range s.rows {
		s.rows[i] = make([]atomic.Uint32, padded)
	}
	return s
}

// add counts one hit and gives the stripe's count. Goroutines are told apart by where
// their stacks are.
func (s *stripes) add(i int) uint32 {
	var here byte
	address := uint64(uintptr(unsafe.Pointer(&here))) >> 11
	cell := &s.rows[address*0x9e3779b97f4a7c15>>60][i]
	for {
		value := cell.Load()
		if value == ^uint32(0) {
			return value
		}
		if cell.CompareAndSwap(value, value+1) {
			return value + 1
		}
	}
}

// due tells whether a stripe's count is one to write at once where nothing of ours runs
// when the program ends: each of the first 64, then each that is
// at most a 32nd more.
func due(count uint32) bool {
	step := uint64(1)
	for uint64(count) > step<<6 {
		step <<= 1
	}
	return uint64(count)&(step-1) == 0
}

func (s *stripes) sum(i int) uint64 {
	var total uint64
	for k := range s.rows {
		total += uint64(s.rows[k][i].Load())
	}
	return total
}

func (s *stripes) clear() {
	for k := range s.rows {
		for i := range s.rows[k] {
			s.rows[k][i].Store(0)
		}
	}
}
