package linked

import (
	"bytes"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// nameTable finds the names of all functions, those included that are left only inlined
// in others: the runtime needs them for stack traces, so that no strip removes them.
// They are a part of the pclntab.
func nameTable(file io.ReaderAt) ([]byte, error) {
	sections, order, err := sectionsOf(file)
	if err != nil {
		return nil, err
	}
	for _, s := range sections {
		data, err := s.data()
		if err != nil {
			return nil, err
		}
		if names := search(data, order); names != nil {
			return names, nil
		}
	}
	return nil, ErrNoTable
}

// section is a part of a binary in which the table may be.
type section struct {
	name string
	data func() ([]byte, error)
}

// sectionsOf lists the sections with content, the likely ones first.
func sectionsOf(file io.ReaderAt) ([]section, binary.ByteOrder, error) {
	var likely, other []section
	add := func(name string, data func() ([]byte, error)) {
		s := section{name, data}
		if strings.Contains(name, "gopclntab") {
			likely = append(likely, s)
		} else if !strings.Contains(name, "debug") && !strings.Contains(name, "text") {
			other = append(other, s)
		}
	}
	magic := make([]byte, 4)
	if _, err := file.ReadAt(magic, 0); err != nil {
		return nil, nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte(elf.ELFMAG)):
		f, err := elf.NewFile(file)
		if err != nil {
			return nil, nil, err
		}
		for _, s := range f.Sections {
			if s.Type == elf.SHT_PROGBITS {
				add(s.Name, s.Data)
			}
		}
		return append(likely, other...), f.ByteOrder, nil
	case bytes.HasPrefix(magic, []byte("MZ")):
		f, err := pe.NewFile(file)
		if err != nil {
			return nil, nil, err
		}
		for _, s := range f.Sections {
			add(s.Name, s.Data)
		}
		return append(likely, other...), binary.LittleEndian, nil
	default:
		f, err := macho.NewFile(file)
		if err != nil {
			return nil, nil, fmt.Errorf("neither ELF, Mach-O nor PE: %w", err)
		}
		for _, s := range f.Sections {
			add(s.Name, s.Data)
		}
		return append(likely, other...), f.ByteOrder, nil
	}
}

// Magic numbers of the table: since Go 1.18, since Go 1.20.
var magics = []uint32{0xfffffff0, 0xfffffff1}

// search looks for the table in a section. Its header is: magic, two zero bytes, the
// size of the smallest instruction, that of a pointer; then, each a pointer wide, the
// numbers of functions and files, the text's address, and the offsets of the names, the
// compilation units, the files, …
func search(data []byte, order binary.ByteOrder) []byte {
	for _, number := range magics {
		magic := make([]byte, 6)
		order.PutUint32(magic, number)
		for from := 0; ; {
			at := bytes.Index(data[from:], magic)
			if at < 0 {
				break
			}
			from += at
			if names := namesAt(data[from:], order); names != nil {
				return names
			}
			from++
		}
	}
	return nil
}

// namesAt is the part of a table that holds the names; nil where it is no table.
func namesAt(table []byte, order binary.ByteOrder) []byte {
	if len(table) < 8 {
		return nil
	}
	quantum, width := table[6], int(table[7])
	if quantum != 1 && quantum != 2 && quantum != 4 || width != 4 && width != 8 || len(table) < 8+5*width {
		return nil
	}
	field := func(n int) uint64 {
		if width == 4 {
			return uint64(order.Uint32(table[8+4*n:]))
		}
		return order.Uint64(table[8+8*n:])
	}
	functions, from, to := field(0), field(3), field(4)
	if functions == 0 || from < uint64(8+5*width) || from >= to || to > uint64(len(table)) {
		return nil
	}
	return table[from:to]
}
