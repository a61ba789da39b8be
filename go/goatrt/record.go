//go:build go1.21

package goatrt

import "unsafe"

// A record is one word, so that one compare-and-swap decides which hit of a point
// was the first in a phase: microseconds of the wall clock, and whether it is in the
// spool file. The records of a point stand side by side, one per phase.
const (
	spooledFlag = 1
	timeShift   = 1
)

// hit is what an instrumented package calls at an exact point while its counter
// is zero, and at every hit of a counting one. When it returns the record is in
// the file and the counter is set. It allocates nothing and takes no lock that is
// held for longer than a few instructions.
func hit(counter *uint32) {
	defer survive()
	address := uintptr(unsafe.Pointer(counter))
	spans := current().find(address)
	for k := range spans {
		if s := &spans[k]; s.component.counts != nil {
			s.component.counted(s.first + int((address-s.low)/4))
		}
	}
	for {
		p := phaseNow()
		for k := range spans {
			s := &spans[k]
			s.component.hit(s.first+int((address-s.low)/4), p)
		}
		if mark(counter, p) {
			break
		}
	}
	wake()
}

// mark sets a counter, so that the next hit costs one load, unless the phase in which
// the hit was recorded has ended meanwhile: then the counter may have been cleared for
// the next phase already, whose first hit must not be hidden.
//
//go:norace
func mark(counter *uint32, p uint64) bool {
	if *counter != 0 {
		return true
	}
	turning.Lock()
	same := phaseNow() == p
	if same {
		*counter = 1
	}
	turning.Unlock()
	return same
}

// hit records a hit of point i in a phase.
func (c *Component) hit(i int, p uint64) {
	if c.settled(i, p) {
		return
	}
	now := wallMicros()
	if c.note(i, now, p) && scanning.TryLock() {
		// Another scan finds the store points as well, and the end of a phase must not
		// be taken for the beginning of the next.
		defer scanning.Unlock()
		for _, other := range current().components {
			other.scanSilent(phaseNow(), now)
		}
	}
}

// record is where the first hit of point i in a phase is kept.
func record(i int, p uint64) int { return i*phases + int(p) - 1 }

// settled reports whether nothing is left to do about point i in a phase.
func (c *Component) settled(i int, p uint64) bool {
	word := c.records[record(i, p)].Load()
	if s := c.spool.Load(); s == nil || s.lost.Load() {
		return word != 0
	}
	return word&spooledFlag != 0
}

// note records a hit of point i in a phase and reports whether it was the first. The
// caller that comes second also waits until the record is in the file.
func (c *Component) note(i int, now int64, p uint64) bool {
	k := record(i, p)
	first := c.records[k].CompareAndSwap(0, uint64(now)<<timeShift)
	c.persist(k)
	return first
}

// persist brings record k into the spool file unless it is there. Several
// goroutines may do so at once: they write the same bytes.
func (c *Component) persist(k int) {
	s := c.spool.Load()
	if s == nil {
		return
	}
	word := c.records[k].Load()
	if word == 0 || word&spooledFlag != 0 {
		return
	}
	if s.writeRecord(k, word) {
		c.records[k].CompareAndSwap(word, word|spooledFlag)
	} else {
		c.tryAgain(s)
	}
}

// counted notes one more hit of a counting point.
func (c *Component) counted(i int) {
	if n := c.counts.add(i); c.prompt && due(n) {
		c.spoolCount(i)
	}
}

// count is the number of hits of a counting point, else 0.
func (c *Component) count(i int) uint64 {
	if c.counts == nil {
		return 0
	}
	return c.counts.sum(i)
}

// scan finds the points whose counter is set and whose record of this phase is not:
// store points, and exact ones that were on their way while Start ran. The counters
// are plain words of the program; a plain read of an aligned word is enough.
//
//go:norace
func (c *Component) scan(p uint64, now int64) {
	for k := range c.packages {
		t := &c.packages[k]
		for i, value := range t.counters {
			if value != 0 && c.records[record(t.first+i, p)].Load() == 0 {
				c.note(t.first+i, now, p)
			}
		}
	}
}

// scanSilent is the scan at an exact hit: only of the points that need it.
//
//go:norace
func (c *Component) scanSilent(p uint64, now int64) {
	for k := range c.packages {
		t := &c.packages[k]
		for _, i := range t.silent {
			if t.counters[i] != 0 && c.records[record(t.first+int(i), p)].Load() == 0 {
				c.note(t.first+int(i), now, p)
			}
		}
	}
}

// sweep is a scan that clears what it finds, so that a later hit shows again. A
// counter is cleared before its hit is noted: whoever finds it set until then is
// noted with it, and whoever comes later sets it anew.
//
//go:norace
func (c *Component) sweep(p uint64, now int64) {
	for k := range c.packages {
		t := &c.packages[k]
		silent := 0
		for i := range t.counters {
			for silent < len(t.silent) && int(t.silent[silent]) < i {
				silent++
			}
			if t.counters[i] == 0 {
				continue
			}
			t.counters[i] = 0
			c.touch(t.first+i, now)
			if c.records[record(t.first+i, p)].Load() != 0 {
				continue
			}
			found := silent < len(t.silent) && int(t.silent[silent]) == i
			if found || !c.hitAfter(t.first+i, p) {
				c.note(t.first+i, now, p)
			}
		}
	}
}

// hitAfter reports whether the hook has seen point i in a later phase: then it was
// that hit which set the counter.
func (c *Component) hitAfter(i int, p uint64) bool {
	for p++; p <= phaseTraffic; p++ {
		if c.records[record(i, p)].Load() != 0 {
			return true
		}
	}
	return false
}

// reset forgets every hit. A hit that is in flight sets its counter after this and is
// found by the next scan, or has its record written again.
//
//go:norace
func (c *Component) reset() {
	for k := range c.packages {
		for i := range c.packages[k].counters {
			c.packages[k].counters[i] = 0
		}
	}
	var written []int
	for k := range c.records {
		if c.records[k].Swap(0) != 0 {
			written = append(written, k)
		}
	}
	for i := range c.last {
		c.last[i].Store(0)
	}
	if c.counts != nil {
		c.counts.clear()
	}
	for i := range c.moved {
		c.moved[i].Store(true)
	}
	if s := c.spool.Load(); s != nil {
		s.markReset(wallMicros())
		c.respool(s, written)
		c.spoolMoving()
	}
}

// respool writes records as they are now; a hit that comes between the read and the
// write of one is noticed and written again.
func (c *Component) respool(s *spool, written []int) {
	for _, k := range written {
		for tries := 0; tries < 8; tries++ {
			word := c.records[k].Load()
			s.writeRecord(k, word)
			if c.records[k].Load()&^spooledFlag == word&^spooledFlag {
				break
			}
		}
	}
}

// finish runs when the program ends: the last scan, what could not be written
// before, and the seal.
func (c *Component) finish() {
	defer survive()
	// They may look at what is locked below.
	flushExtensions()
	if lockWithin(&scanning, patience) {
		defer scanning.Unlock()
	}
	now := wallMicros()
	c.look(now, true)
	for k := range c.records {
		c.persist(k)
	}
	c.spoolMoving()
	if s := c.spool.Load(); s != nil {
		s.seal(now, phaseNow())
		c.prune(s, pruneAtExit)
	}
	if c.trouble != "" {
		// A program may end before its background has come to say so.
		say(c.report(false, c.trouble))
	}
	waitSaid()
	runClosers()
}

// look brings what is known about the points up to date; with clear it also lets
// windows begin anew where there are any.
func (c *Component) look(now int64, clear bool) {
	if clear && c.last != nil {
		c.sweep(phaseNow(), now)
		return
	}
	c.scan(phaseNow(), now)
}
