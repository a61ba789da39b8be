//go:build go1.21

// Package panics records every panic of a program, recovered or not. It is linked only
// into programs that are built with --panics: their runtime calls Hook at the beginning of
// each panic.
//
// Hook and Seen run wherever a panic does: before any package is initialised, on a
// goroutine whose stack is nearly full, a million times a second. They take no lock, wait
// for nobody, call nothing of the program's, and allocate only when they meet a panic for
// the first time.
package panics

import (
	"runtime"
	"sync/atomic"
	"unsafe"

	goatrt "github.com/goat-trace/goat/go/goatrt"
)

const (
	// most is how many different panics are kept: type and stack differ.
	most = 4096
	// probes is how many places a panic may have in the table.
	probes = 16
	// depth is how many frames are kept, the innermost.
	depth = 28
	// longest is how much of a message is kept.
	longest = 200
)

// slot is one panic with all of its repetitions. It is published by ready; what stands
// below it does not change then, what stands above it is counted. No table of this package
// but said has a pointer: the collector would look through it at each of its cycles.
type slot struct {
	hash   atomic.Uint64 // 0: free
	counts [3]atomic.Uint64
	last   atomic.Int64
	// way is the first of the ways by which it is known: its place and one more, 0: none.
	way   atomic.Uint32
	ready atomic.Uint32
	// ended says that one of them ended the process.
	ended atomic.Bool
	// signal says that the processor raised it.
	signal bool

	frames    uint32
	first     int64
	goroutine uint64
	parent    uint64
	creator   uintptr
	// offsets are the program counters, from Hook: four bytes each.
	offsets [depth]int32
}

// way is how Seen knows a panic without looking at its stack: by its path, which is another
// one on each of a few processors, so that they count without waiting for each other. It is
// published by path; once there it stays.
type way struct {
	path   atomic.Uintptr // 0: free
	counts [3]atomic.Uint64
	last   atomic.Int64
	// turn is that of its processor in which the time was read for last.
	turn  atomic.Uint32
	taken atomic.Uint32
	// next is the slot's next one, as slot.way.
	next uint32
}

// words are what a panic says.
type words struct{ typ, message string }

var (
	slots [most]slot
	// said are the words of slots, there before these are ready.
	said [most]atomic.Pointer[words]
	// lost counts panics for which there was no place.
	lost atomic.Uint64
	off  atomic.Bool
	ways [4 * most]way
	// inside are the goroutines that are in Hook: a panic of its own must not come back.
	inside [128]atomic.Uint64
)

// Seen counts a panic whose path is known and returns true; where it returns false Hook
// wants to be called. While a processor is in the same turn, which lasts 10 ms at most,
// the time is not read again: that costs more than all the rest.
func Seen(path uintptr, turn uint32) bool {
	for i := uintptr(0); i < probes; i++ {
		w := &ways[(path>>12+i)%uintptr(len(ways))]
		switch w.path.Load() {
		case 0:
			return false
		case path:
			w.counts[goatrt.PhaseNumber()].Add(1)
			if w.turn.Load() != turn {
				w.turn.Store(turn)
				w.last.Store(goatrt.Now())
			}
			return true
		}
	}
	return false
}

// learn has Seen know a path. Of two at once one may take a place for nothing.
func learn(path uintptr, turn uint32, s *slot) {
	for i := uintptr(0); i < probes; i++ {
		at := (path>>12 + i) % uintptr(len(ways))
		w := &ways[at]
		if w.path.Load() == path {
			return
		}
		if w.taken.CompareAndSwap(0, 1) {
			w.turn.Store(turn)
			w.last.Store(s.last.Load())
			for {
				w.next = s.way.Load()
				if s.way.CompareAndSwap(w.next, uint32(at)+1) {
					break
				}
			}
			w.path.Store(path)
			return
		}
	}
}

// counted is how often a panic was met in each phase, and when it last was.
func (s *slot) counted() (counts [3]uint64, last int64) {
	last = s.last.Load()
	for i := range counts {
		counts[i] = s.counts[i].Load()
	}
	for at := s.way.Load(); at != 0; at = ways[at-1].next {
		w := &ways[at-1]
		for i := range counts {
			counts[i] += w.counts[i].Load()
		}
		last = max(last, w.last.Load())
	}
	return counts, last
}

// Hook records a panic: its value and type, and of its goroutine the number, who started
// it, and where. The innermost frames are the runtime's, without those that it tells by.
// path and turn are what Seen is asked with, path 0 where that was not possible. Hook is
// called again with ends when nobody has recovered it.
func Hook(v any, typ string, goid, parent uint64, gopc, path uintptr, turn uint32, own int, ends bool) {
	if off.Load() {
		return
	}
	at := enter(goid)
	if at < 0 {
		lost.Add(1)
		return
	}
	defer leave(at)
	var pcs [depth]uintptr
	n := runtime.Callers(2+own, pcs[:]) // without Callers, Hook
	if ends {
		end(typ, pcs[:n])
		return
	}
	// A path is worth a place when it comes again. What the processor raises may come
	// from a function without a frame, whose caller is then on no path.
	if s, again := record(v, typ, goid, parent, gopc, pcs[:n]); again && path != 0 && s.ready.Load() != 0 && !s.signal {
		learn(path, turn, s)
	}
}

// enter notes that a goroutine is in Hook; -1 where it is already, or where too many are.
func enter(goid uint64) int {
	start := int(goid % uint64(len(inside)))
	for i := 0; i < probes; i++ {
		if inside[(start+i)%len(inside)].Load() == goid {
			return -1
		}
	}
	for i := 0; i < probes; i++ {
		at := (start + i) % len(inside)
		if inside[at].CompareAndSwap(0, goid) {
			return at
		}
	}
	return -1
}

func leave(at int) {
	_ = recover()
	inside[at].Store(0)
}

// record counts a panic and returns its slot, nil where there is no place, and whether it
// was there before.
func record(v any, typ string, goid, parent uint64, gopc uintptr, pcs []uintptr) (_ *slot, again bool) {
	now := goatrt.Now()
	phase := goatrt.PhaseNumber()
	hash := hashOf(typ, pcs)
	for i := uint64(0); i < probes; i++ {
		at := (hash + i) % most
		s := &slots[at]
		found := s.hash.Load()
		if found == 0 && s.hash.CompareAndSwap(0, hash) {
			s.counts[phase].Add(1)
			s.last.Store(now)
			fill(at, v, typ, goid, parent, gopc, pcs, now)
			return s, false
		}
		if found == hash || s.hash.Load() == hash {
			s.counts[phase].Add(1)
			s.last.Store(now)
			return s, true
		}
	}
	lost.Add(1)
	return nil, false
}

// end notes which panic ends the process, and keeps the record while there is time: what
// Go writes about it tells no more than its text, and before Go 1.23 it is in no file.
func end(typ string, pcs []uintptr) {
	hash := hashOf(typ, pcs)
	for i := uint64(0); i < probes; i++ {
		if s := &slots[(hash+i)%most]; s.hash.Load() == hash {
			s.ended.Store(true)
			break
		}
	}
	if k := kept.Load(); k != nil {
		k.finishWithin(patience)
	}
}

// fill keeps what the first of a kind says.
func fill(at uint64, v any, typ string, goid, parent uint64, gopc uintptr, pcs []uintptr, now int64) {
	s, what := &slots[at], &words{typ: typ}
	s.first, s.goroutine, s.parent, s.creator = now, goid, parent, gopc
	base := here()
	for i, pc := range pcs {
		s.offsets[i] = int32(int64(pc) - int64(base))
	}
	s.frames = uint32(len(pcs))
	s.signal = raised(s.pcs())
	defer func() {
		said[at].Store(what)
		s.ready.Store(1)
	}()
	what.message = messageOf(v, typ)
}

// raised tells whether the processor raised a panic: its stack goes through the runtime's
// answer to a signal, a few calls from the panic.
func raised(pcs []uintptr) bool {
	for _, f := range framesOf(pcs[:min(len(pcs), 6)]) {
		if f.function == "runtime.sigpanic" {
			return true
		}
	}
	return false
}

// here is where Hook begins; a program's code lies within two gigabytes of it.
func here() uintptr {
	f := Hook
	return **(**uintptr)(unsafe.Pointer(&f))
}

// pcs are the program counters of a slot.
func (s *slot) pcs() []uintptr {
	base := here()
	pcs := make([]uintptr, s.frames)
	for i := range pcs {
		pcs[i] = uintptr(int64(base) + int64(s.offsets[i]))
	}
	return pcs
}

func hashOf(typ string, pcs []uintptr) uint64 {
	hash := uint64(0xcbf29ce484222325)
	mix := func(v uint64) {
		hash = (hash ^ v) * 0x100000001b3
		hash ^= hash >> 29
	}
	mix(uint64(uintptr(unsafe.Pointer(unsafe.StringData(typ)))))
	for _, pc := range pcs {
		mix(uint64(pc))
	}
	if hash == 0 {
		hash = 1
	}
	return hash
}

// messageOf is a value as text, as far as that runs no code of the program's: an Error
// method may wait for what its goroutine holds.
func messageOf(v any, typ string) string {
	text := ""
	switch v := v.(type) {
	case nil:
		text = "nil"
	case string:
		text = v
	case runtime.Error:
		text = v.Error()
	case error:
		// The types of errors.New and fmt.Errorf, which say what they were given.
		if typ == "*errors.errorString" || typ == "*fmt.wrapError" || typ == "*fmt.wrapErrors" {
			text = v.Error()
		}
	case bool:
		text = boolText(v)
	case int:
		text = number(int64(v))
	case int64:
		text = number(v)
	case int32:
		text = number(int64(v))
	}
	if len(text) > longest {
		text = text[:longest]
	}
	// The value may be large, and part of it must not keep all of it.
	return string(append([]byte(nil), text...))
}
