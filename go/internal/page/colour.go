package page

import (
	"go/scanner"
	"go/token"
	"strings"
)

// Marks stand in a text before a run of one colour and, as markEnd, behind it. They are
// control characters, which [visible] lets into no text, so that nothing can forge one.
// The script turns them into elements (code.js: colours).
const (
	markKeyword = '\x01'
	markString  = '\x02'
	markNumber  = '\x03'
	markComment = '\x04'
	markCall    = '\x05'
	markKnown   = '\x06'
	markEnd     = '\x0e'
)

// predeclared are the names that every Go program knows.
var predeclared = words("any bool byte comparable complex64 complex128 error float32 float64 int int8 int16 int32 " +
	"int64 rune string uint uint8 uint16 uint32 uint64 uintptr true false iota nil append cap clear close complex " +
	"copy delete imag len make max min new panic print println real recover")

func words(text string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(text) {
		set[word] = true
	}
	return set
}

// piece is a coloured run of bytes.
type piece struct {
	from, to int
	mark     byte
}

// colour gives the lines of a Go file with marks. go/scanner knows Go exactly, and goes
// on after what is not Go.
func colour(text []byte) []string {
	lines := splitLines(text)
	pieces := scan(text)
	at, next := 0, 0
	for i, line := range lines {
		lines[i], next = colourLine(line, at, pieces, next)
		at += len(line) + 1
		// The carriage return that splitLines took off counts as well.
		if at-1 < len(text) && text[at-1] == '\r' {
			at++
		}
	}
	return lines
}

// colourLine marks one line that starts at an offset; a piece may go over several.
func colourLine(line string, at int, pieces []piece, next int) (string, int) {
	var b strings.Builder
	end, done := at+len(line), at
	for ; next < len(pieces) && pieces[next].from < end; next++ {
		p := pieces[next]
		from, to := max(p.from, at), min(p.to, end)
		if to > from {
			b.WriteString(visible(line[done-at : from-at]))
			b.WriteByte(p.mark)
			b.WriteString(visible(line[from-at : to-at]))
			b.WriteByte(markEnd)
			done = to
		}
		if p.to > end {
			break
		}
	}
	b.WriteString(visible(line[done-at:]))
	return b.String(), next
}

// scan finds the coloured pieces, in order.
func scan(text []byte) []piece {
	set := token.NewFileSet()
	file := set.AddFile("", set.Base(), len(text))
	var s scanner.Scanner
	s.Init(file, text, func(token.Position, string) {}, scanner.ScanComments)
	var pieces []piece
	name := -1
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return pieces
		}
		from := file.Offset(pos)
		if tok == token.LPAREN && name >= 0 {
			pieces[name].mark = markCall
		}
		if name >= 0 && pieces[name].mark == 0 {
			pieces = pieces[:name]
		}
		name = -1
		mark := markOf(tok, lit)
		if tok == token.IDENT && mark == 0 {
			name = len(pieces)
		}
		if mark == 0 && name < 0 {
			continue
		}
		to := from + len(lit)
		if tok == token.COMMENT || tok == token.STRING {
			to = endOf(text, from, lit) // the scanner drops carriage returns
		}
		pieces = append(pieces, piece{from, min(to, len(text)), mark})
	}
}

func markOf(tok token.Token, lit string) byte {
	switch {
	case tok.IsKeyword():
		return markKeyword
	case tok == token.STRING || tok == token.CHAR:
		return markString
	case tok == token.INT || tok == token.FLOAT || tok == token.IMAG:
		return markNumber
	case tok == token.COMMENT:
		return markComment
	case tok == token.IDENT && predeclared[lit]:
		return markKnown
	}
	return 0
}

// endOf is the end of a literal in the text, which may hold carriage returns more.
func endOf(text []byte, from int, lit string) int {
	at := from
	for i := 0; i < len(lit) && at < len(text); at++ {
		if text[at] == lit[i] {
			i++
		} else if text[at] != '\r' {
			break
		}
	}
	return at
}
