package spool

import (
	"encoding/binary"
	"slices"
	"time"
)

// Format 2: docs/spool-format.md.
const (
	sealedAt  = 128
	resetAt   = 144
	startupAt = 160
	trafficAt = 176
	addressAt = 192
	address   = 256 // size of the address with its checksum
)

var format2 = dialect{
	header: 512, slot: 16, perPoint: uint64(len(phases)+1) * 16,
	fixed: func(header []byte) [][]byte { return [][]byte{header[8:100], header[104:128]} },
	read:  readFormat2,
}

// content returns the bytes of a slot, which ends in its checksum. A slot of zeros says
// nothing; good is false for one that is not believed or not there.
func (b *body) content(at, size uint64) (content []byte, good bool) {
	if at+size > uint64(len(b.data)) {
		return nil, false
	}
	slot := b.data[at : at+size]
	if !slices.ContainsFunc(slot, func(c byte) bool { return c != 0 }) {
		return nil, true
	}
	content = slot[:size-4]
	if slotSum(b.sum, at, content) != binary.LittleEndian.Uint32(slot[size-4:]) {
		return nil, false
	}
	return content, true
}

// slotSum goes on from the header's checksum, over the slot's place and its content.
func slotSum(sum uint32, at uint64, content []byte) uint32 {
	var place [8]byte
	binary.LittleEndian.PutUint64(place[:], at)
	for _, part := range [][]byte{place[:], content} {
		for _, c := range part {
			sum = (sum ^ uint32(c)) * 16777619
		}
	}
	return sum
}

func readFormat2(f *File, b *body) (damaged int) {
	f.Phase = phases[0]
	for _, m := range []struct {
		at   uint64
		time *time.Time
	}{{sealedAt, &f.Sealed}, {resetAt, &f.Reset}, {startupAt, nil}, {trafficAt, nil}} {
		content, good := b.content(m.at, b.slot)
		switch {
		case !good:
			damaged++
		case content == nil:
		case m.time != nil:
			*m.time = moment(content)
		case content[8] == 2 || content[8] == 3:
			f.Phase = later(f.Phase, phases[content[8]-1])
		}
	}
	if content, good := b.content(addressAt, address); !good {
		damaged++
	} else if content != nil {
		n := min(int(binary.LittleEndian.Uint16(content)), len(content)-2)
		f.Address = string(content[2 : 2+n])
	}
	for i := range f.Points {
		bad, cut := b.readPoint(&f.Points[i], uint64(i))
		if bad > 0 {
			f.Missing++
		}
		if !cut {
			damaged += bad
		}
		f.Phase = later(f.Phase, f.Points[i].Phase)
	}
	f.settleLast()
	return damaged + b.moving
}

// readPoint reads what the slots of one point say. cut says that some are not there.
func (b *body) readPoint(p *Point, i uint64) (bad int, cut bool) {
	records := uint64(len(phases)) * b.slot
	for k := range phases {
		at := b.recordsAt + i*records + uint64(k)*b.slot
		content, good := b.content(at, b.slot)
		switch {
		case !good:
			bad++
			cut = cut || at+b.slot > uint64(len(b.data))
		case content != nil:
			p.Hit, p.Phase, p.Firsts[k] = true, phases[k], moment(content)
			if first := p.Firsts[k]; p.First.IsZero() || first.Before(p.First) {
				p.First = first
			}
		}
	}
	at := binary.LittleEndian.Uint64(b.data[104:]) + i*b.slot
	content, good := b.content(at, b.slot)
	if !good {
		b.moving++
		return bad, cut
	}
	if content != nil {
		p.Count = uint48(content[6:])
		if last := uint48(content); last != 0 {
			p.Last = time.UnixMilli(int64(last)).UTC()
		}
	}
	return bad, cut
}

func uint48(data []byte) uint64 {
	return uint64(binary.LittleEndian.Uint32(data)) | uint64(binary.LittleEndian.Uint16(data[4:]))<<32
}

// later is the phase that comes later.
func later(a, b string) string {
	if slices.Index(phases[:], b) > slices.Index(phases[:], a) {
		return b
	}
	return a
}

// settleLast gives hit points a last hit where windows are on: what has been hit for
// the first time since the last window was written has been hit then.
func (f *File) settleLast() {
	for i := range f.Points {
		p := &f.Points[i]
		if f.Window == 0 {
			p.Last = time.Time{}
			continue
		}
		for _, first := range p.Firsts {
			if first.After(p.Last) {
				p.Last = first
			}
		}
	}
}
