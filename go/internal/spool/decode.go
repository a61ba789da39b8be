package spool

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"strings"
	"time"
)

const magic = "\x89GOATSP\n"

// phases are those of a process, in the order of their numbers, which begin at 1.
var phases = [...]string{"init", "startup", "traffic"}

// dialect is what the formats differ in.
type dialect struct {
	header, slot uint64
	perPoint     uint64 // bytes of records per point
	// fixed are the parts of the header that the checksum covers.
	fixed func(header []byte) [][]byte
	// read takes in what may change while the process lives; it returns how many
	// things it could not believe.
	read func(f *File, b *body) (damaged int)
}

var dialects = map[uint32]dialect{1: format1, 2: format2}

// layout is the fixed part of a header.
type layout struct {
	points            uint32
	infoAt, infoLen   uint64
	tableAt, tableLen uint64
	recordsAt, size   uint64
}

// body is a file's bytes with its layout. The end may be missing.
type body struct {
	layout
	dialect
	data   []byte
	format uint32
	sum    uint32
	moving int // last hits and counts that are not believed
}

// Decode reads the bytes of a spool file. See Read for the errors.
func Decode(data []byte) (*File, error) {
	b, err := open(data)
	if err != nil {
		return nil, err
	}
	if b.tableAt+b.tableLen > uint64(len(data)) {
		return nil, ErrTruncated
	}
	info, table := data[b.infoAt:b.infoAt+b.infoLen], data[b.tableAt:b.tableAt+b.tableLen]
	if b.sum != checksum(append(b.fixed(data), info, table)...) {
		return nil, fmt.Errorf("%w: wrong checksum", ErrDamaged)
	}
	f := &File{
		format: b.format,
		Plan:   strings.TrimRight(string(data[16:32]), "\x00"), Identity: readIdentity(string(info)),
		PID: int(binary.LittleEndian.Uint32(data[96:])), Started: moment(data[88:]),
	}
	f.Window, _ = time.ParseDuration(f.Identity.window)
	if err := f.readTable(string(table)); err != nil {
		return nil, err
	}
	if uint64(len(f.Points)) != uint64(b.points) {
		return nil, fmt.Errorf("%w: %d points in the table, %d in the header", ErrDamaged, len(f.Points), b.points)
	}
	damaged := b.read(f, b)
	switch {
	case b.size > uint64(len(data)):
		return f, ErrTruncated
	case damaged > 0:
		return f, fmt.Errorf("%w: %d of its entries are not believed", ErrDamaged, damaged)
	}
	return f, nil
}

// open checks the start of a file and reads where its parts are.
func open(data []byte) (*body, error) {
	if err := checkStart(data); err != nil {
		return nil, err
	}
	b := &body{data: data, format: binary.LittleEndian.Uint32(data[8:])}
	var known bool
	if b.dialect, known = dialects[b.format]; !known {
		return nil, &FormatError{b.format}
	}
	if uint64(len(data)) < b.header {
		return nil, ErrTruncated
	}
	b.sum = binary.LittleEndian.Uint32(data[100:])
	return b, b.readLayout()
}

// checkStart tells a spool from other files, and from one in the making.
func checkStart(data []byte) error {
	if len(data) == 0 {
		return ErrUnfinished
	}
	start := string(data[:min(len(data), len(magic))])
	switch {
	case strings.Trim(start, "\x00") == "":
		return ErrUnfinished
	case !strings.HasPrefix(magic, start):
		return ErrNotSpool
	case len(data) < 16:
		return ErrTruncated
	}
	return nil
}

// readLayout reads the offsets and checks that they lie one behind the other.
func (b *body) readLayout() error {
	u64 := func(at int) uint64 { return binary.LittleEndian.Uint64(b.data[at:]) }
	b.layout = layout{
		points: binary.LittleEndian.Uint32(b.data[32:]), infoAt: u64(40), infoLen: u64(48),
		tableAt: u64(56), tableLen: u64(64), recordsAt: u64(72), size: u64(80),
	}
	if uint64(binary.LittleEndian.Uint32(b.data[12:])) != b.header || uint64(binary.LittleEndian.Uint32(b.data[36:])) != b.slot {
		return fmt.Errorf("%w: unknown sizes in the header", ErrDamaged)
	}
	for _, n := range []uint64{b.infoAt, b.infoLen, b.tableAt, b.tableLen, b.recordsAt, b.size} {
		if n > MaxSize {
			return fmt.Errorf("%w: impossible sizes in the header", ErrDamaged)
		}
	}
	if b.infoAt < b.header || b.infoAt+b.infoLen > b.tableAt || b.tableAt+b.tableLen > b.recordsAt ||
		b.recordsAt+uint64(b.points)*b.perPoint > b.size {
		return fmt.Errorf("%w: the parts overlap", ErrDamaged)
	}
	return nil
}

func checksum(parts ...[]byte) uint32 {
	sum := fnv.New32a()
	for _, part := range parts {
		_, _ = sum.Write(part)
	}
	return sum.Sum32()
}

// moment reads a time; 0 and what no clock shows is none.
func moment(data []byte) time.Time {
	n := int64(binary.LittleEndian.Uint64(data))
	if n <= 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
