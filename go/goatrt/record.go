//go:build go1.21

package goatrt

import "unsafe"

// Phases of a process. A point belongs to the phase of its first hit.
const (
	phaseNone uint64 = iota
	phaseInit
	phaseStartup
	phaseTraffic
)

// A record is one word, so that one compare-and-swap decides which hit was the
// first: microseconds of the wall clock, whether it is in the spool file, phase.
const (
	phaseMask   = 3
	spooledFlag = 4
	timeShift   = 3
)

// hit is what an instrumented package calls at an exact point while its counter
// is zero, and at every hit of a counting one. When it returns the record is in
// the file. It allocates nothing and takes no lock.
func hit(counter *uint32) {
	defer survive()
	address := uintptr(unsafe.Pointer(counter))
	spans := current().find(address)
	for k := range spans {
		s := &spans[k]
		s.component.hit(s.first + int((address-s.low)/4))
	}
}

// hit counts and records one hit of point i.
func (c *Component) hit(i int) {
	if c.counts != nil {
		c.counts.add(i)
	}
	if c.settled(i) {
		return
	}
	now := wallMicros()
	endStartupIfDue(now)
	if c.note(i, now, phaseNow()) {
		for _, other := range current().components {
			other.scanSilent(phaseNow(), now)
		}
	}
}

// settled reports whether nothing is left to do about point i.
func (c *Component) settled(i int) bool {
	record := c.records[i].Load()
	if s := c.spool.Load(); s == nil || s.lost.Load() {
		return record != 0
	}
	return record&spooledFlag != 0
}

// note records the first hit of point i and reports whether this was it. The
// caller that comes second also waits until the record is in the file.
func (c *Component) note(i int, now int64, phase uint64) bool {
	first := c.records[i].CompareAndSwap(0, uint64(now)<<timeShift|phase)
	c.persist(i)
	return first
}

// persist brings record i into the spool file unless it is there. Several
// goroutines may do so at once: they write the same bytes.
func (c *Component) persist(i int) {
	s := c.spool.Load()
	if s == nil {
		return
	}
	record := c.records[i].Load()
	if record == 0 || record&spooledFlag != 0 {
		return
	}
	if s.writeRecord(i, record, c.count(i)) {
		c.records[i].CompareAndSwap(record, record|spooledFlag)
	}
}

// count is the number of hits of a counting point, else 0.
func (c *Component) count(i int) uint64 {
	if c.counts == nil {
		return 0
	}
	return c.counts.sum(i)
}

// scan finds the points whose counter is set and whose record is not: store
// points, and exact ones that were on their way while Start ran. The counters
// are plain words of the program; a plain read of an aligned word is enough.
//
//go:norace
func (c *Component) scan(phase uint64, now int64) {
	for k := range c.packages {
		p := &c.packages[k]
		for i, value := range p.counters {
			if value != 0 && c.records[p.first+i].Load()&^spooledFlag == 0 {
				c.note(p.first+i, now, phase)
			}
		}
	}
}

// scanSilent is the scan at an exact hit: only of the points that need it.
//
//go:norace
func (c *Component) scanSilent(phase uint64, now int64) {
	for k := range c.packages {
		p := &c.packages[k]
		for _, i := range p.silent {
			if p.counters[i] != 0 && c.records[p.first+int(i)].Load()&^spooledFlag == 0 {
				c.note(p.first+int(i), now, phase)
			}
		}
	}
}

// scanAll scans every component.
func scanAll(phase uint64, now int64) {
	for _, c := range current().components {
		c.scan(phase, now)
	}
}

// reset forgets every hit. A hit that is in flight is found by the next scan,
// because its counter is set after this.
//
//go:norace
func (c *Component) reset() {
	for k := range c.packages {
		p := &c.packages[k]
		for i := range p.counters {
			p.counters[i] = 0
			c.records[p.first+i].Store(0)
		}
	}
	if c.counts != nil {
		c.counts.clear()
	}
	if s := c.spool.Load(); s != nil {
		c.respool(s)
	}
}

// respool writes all records as they are now; a hit that comes between the
// read and the write of one is noticed and written again.
func (c *Component) respool(s *spool) {
	s.markReset(wallMicros())
	for i := range c.records {
		for tries := 0; tries < 8; tries++ {
			record := c.records[i].Load()
			s.writeRecord(i, record, c.count(i))
			if c.records[i].Load()&^spooledFlag == record&^spooledFlag {
				break
			}
		}
	}
}

// finish runs when the program ends: the last scan, what could not be written
// before, and the seal.
func (c *Component) finish() {
	defer survive()
	c.flush()
	if s := c.spool.Load(); s != nil {
		s.seal(wallMicros())
	}
	if c.trouble != "" {
		// A program may end before its background has come to say so.
		say(c.report(false, c.trouble))
	}
	runClosers()
}

// flush brings everything that is known into the file.
func (c *Component) flush() {
	c.scan(phaseNow(), wallMicros())
	for i := range c.records {
		c.persist(i)
	}
	c.spoolCounts()
}
