package spool

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"
)

const (
	magic      = "\x89GOATSP\n"
	headerSize = 256
	recordSize = 32
	fixedEnd   = 104 // the checksum stands before this
	addressEnd = 118 // longest address
)

// layout is the fixed part of a header.
type layout struct {
	points            uint32
	infoAt, infoLen   uint64
	tableAt, tableLen uint64
	recordsAt, size   uint64
}

// Decode reads the bytes of a spool file. See Read for the errors.
func Decode(data []byte) (*File, error) {
	if err := checkStart(data); err != nil {
		return nil, err
	}
	at, err := readLayout(data)
	if err != nil {
		return nil, err
	}
	info, table := data[at.infoAt:at.infoAt+at.infoLen], data[at.tableAt:at.tableAt+at.tableLen]
	if sum := checksum(data[8:100], info, table); sum != binary.LittleEndian.Uint32(data[100:]) {
		return nil, fmt.Errorf("%w: wrong checksum", ErrDamaged)
	}
	f := &File{Plan: strings.TrimRight(string(data[16:32]), "\x00"), Identity: readIdentity(string(info))}
	readMoments(f, data)
	if err := f.readTable(string(table)); err != nil {
		return nil, err
	}
	if uint64(len(f.Points)) != uint64(at.points) {
		return nil, fmt.Errorf("%w: %d points in the table, %d in the header", ErrDamaged, len(f.Points), at.points)
	}
	return f, f.readRecords(data, at)
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
	if format := binary.LittleEndian.Uint32(data[8:]); format != Format {
		return &FormatError{format}
	}
	if len(data) < headerSize {
		return ErrTruncated
	}
	return nil
}

// readLayout reads the offsets and checks that they lie one behind the other.
func readLayout(data []byte) (layout, error) {
	u64 := func(at int) uint64 { return binary.LittleEndian.Uint64(data[at:]) }
	at := layout{
		points: binary.LittleEndian.Uint32(data[32:]), infoAt: u64(40), infoLen: u64(48),
		tableAt: u64(56), tableLen: u64(64), recordsAt: u64(72), size: u64(80),
	}
	if binary.LittleEndian.Uint32(data[12:]) != headerSize || binary.LittleEndian.Uint32(data[36:]) != recordSize {
		return at, fmt.Errorf("%w: unknown sizes in the header", ErrDamaged)
	}
	for _, n := range []uint64{at.infoAt, at.infoLen, at.tableAt, at.tableLen, at.recordsAt, at.size} {
		if n > MaxSize {
			return at, fmt.Errorf("%w: impossible sizes in the header", ErrDamaged)
		}
	}
	if at.infoAt < headerSize || at.infoAt+at.infoLen > at.tableAt || at.tableAt+at.tableLen > at.recordsAt ||
		at.recordsAt+uint64(at.points)*recordSize > at.size {
		return at, fmt.Errorf("%w: the parts overlap", ErrDamaged)
	}
	if at.tableAt+at.tableLen > uint64(len(data)) {
		return at, ErrTruncated
	}
	return at, nil
}

func checksum(parts ...[]byte) uint32 {
	sum := fnv.New32a()
	for _, part := range parts {
		_, _ = sum.Write(part)
	}
	return sum.Sum32()
}

// readMoments reads what may change while the process lives.
func readMoments(f *File, data []byte) {
	f.PID = int(binary.LittleEndian.Uint32(data[96:]))
	f.Started = moment(data[88:])
	if data[112] == 1 {
		f.Sealed = moment(data[120:])
	}
	f.Reset = moment(data[128:])
	if n := int(binary.LittleEndian.Uint16(data[136:])); n <= addressEnd {
		f.Address = string(data[138 : 138+n])
	}
}

// moment reads a time; 0 and what no clock shows is none.
func moment(data []byte) time.Time {
	n := int64(binary.LittleEndian.Uint64(data))
	if n <= 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

func readIdentity(text string) Identity {
	values := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		if key, quoted, ok := strings.Cut(line, "="); ok {
			values[key] = unquote(quoted)
		}
	}
	precision, _ := strconv.Atoi(values["precision"])
	return Identity{
		Goat: values["goat"], App: values["app"], Version: values["version"], Component: values["component"],
		Base: values["base"], BaseCommit: values["baseCommit"],
		Release: values["release"], ReleaseCommit: values["releaseCommit"], ContentHash: values["contentHash"],
		Dirty: values["dirty"] == "true", Plan: values["plan"], Granularity: values["granularity"],
		Mode: values["mode"], Module: values["module"], Precision: precision,
		Instance: values["instance"], Host: values["host"],
	}
}

func unquote(text string) string {
	if value, err := strconv.Unquote(text); err == nil {
		return value
	}
	return text
}

// readTable reads the point table.
func (f *File) readTable(text string) error {
	path, open := "", false
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		switch {
		case line == "":
		case strings.HasPrefix(line, "+ "):
			path, open = unquote(line[2:]), true
		case strings.HasPrefix(line, "- "):
			f.Degraded = append(f.Degraded, unquote(line[2:]))
			open = false
		case !open:
			return fmt.Errorf("%w: a point without a package", ErrDamaged)
		default:
			point, err := readPoint(path, line)
			if err != nil {
				return err
			}
			f.Points = append(f.Points, point)
		}
	}
	return nil
}

func readPoint(path, line string) (Point, error) {
	fields := strings.Split(line, "\t")
	if len(fields) < 10 {
		return Point{}, fmt.Errorf("%w: a point with %d fields", ErrDamaged, len(fields))
	}
	var numbers [4]int
	for i := range numbers {
		n, err := strconv.Atoi(fields[4+i])
		if err != nil {
			return Point{}, fmt.Errorf("%w: %q is not a position", ErrDamaged, fields[4+i])
		}
		numbers[i] = n
	}
	return Point{
		Package: path, ID: fields[0], Name: fields[1], Kind: fields[2], Form: fields[3],
		Line: numbers[0], Column: numbers[1], EndLine: numbers[2], EndColumn: numbers[3],
		File: unquote(fields[8]), Func: unquote(fields[9]),
	}, nil
}

// readRecords fills in the hits; a record that is not there, or cannot be, is missing.
func (f *File) readRecords(data []byte, at layout) error {
	phases := [...]string{"", "init", "startup", "traffic"}
	damaged := 0
	for i := range f.Points {
		start := at.recordsAt + uint64(i)*recordSize
		if start+recordSize > uint64(len(data)) {
			f.Missing = len(f.Points) - i + damaged
			return ErrTruncated
		}
		record := data[start : start+recordSize]
		switch hit, phase := record[0], record[1]; {
		case hit == 0:
		case hit != 1 || phase == 0 || int(phase) >= len(phases):
			damaged++
		default:
			p := &f.Points[i]
			p.Hit, p.Phase, p.First = true, phases[phase], moment(record[8:])
			p.Firsts[phase-1] = p.First
			p.Count = binary.LittleEndian.Uint64(record[16:])
		}
	}
	if f.Missing = damaged; damaged > 0 {
		return fmt.Errorf("%w: %d impossible records", ErrDamaged, damaged)
	}
	return nil
}
