package spool

import "encoding/binary"

// Format 1 knows one first hit per point, and has no checksums but the header's.
const addressEnd1 = 118 // longest address

var format1 = dialect{
	header: 256, slot: 32, perPoint: 32,
	fixed: func(header []byte) [][]byte { return [][]byte{header[8:100]} },
	read:  readFormat1,
}

func readFormat1(f *File, b *body) (damaged int) {
	if b.data[112] == 1 {
		f.Sealed = moment(b.data[120:])
	}
	f.Reset = moment(b.data[128:])
	if n := int(binary.LittleEndian.Uint16(b.data[136:])); n <= addressEnd1 {
		f.Address = string(b.data[138 : 138+n])
	}
	for i := range f.Points {
		start := b.recordsAt + uint64(i)*b.perPoint
		if start+b.perPoint > uint64(len(b.data)) {
			f.Missing = len(f.Points) - i + damaged
			return damaged
		}
		record := b.data[start : start+b.perPoint]
		switch hit, phase := record[0], record[1]; {
		case hit == 0:
		case hit != 1 || phase == 0 || int(phase) > len(phases):
			damaged++
		default:
			p := &f.Points[i]
			p.Hit, p.Phase, p.First = true, phases[phase-1], moment(record[8:])
			p.Firsts[phase-1] = p.First
			p.Count = binary.LittleEndian.Uint64(record[16:])
		}
	}
	f.Missing = damaged
	return damaged
}
