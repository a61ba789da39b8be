package watch

import (
	"bufio"
	"bytes"
	"os"
	"time"

	"golang.org/x/term"
)

// key is a rune, or one of the keys below that send none.
type key rune

const (
	keyInterrupt key = 0x03
	keyEnter     key = '\r'
	keyEscape    key = 0x1b
	keyBackspace key = 0x7f
	keyUp        key = -1 - iota
	keyDown
	keyPageUp
	keyPageDown
	keyHome
)

// Screen is the terminal while it shows the table: the alternate screen, so that the
// scrollback stays as it was, and keys without Enter.
type Screen struct {
	in, out *os.File
	colour  bool
	before  *term.State
	keys    chan key
	broken  error
}

// NewScreen takes the terminal over, if both files are one; nil otherwise.
func NewScreen(in, out *os.File, colour bool) *Screen {
	if in == nil || out == nil || !term.IsTerminal(int(in.Fd())) || !term.IsTerminal(int(out.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return &Screen{in: in, out: out, colour: colour}
}

// Sequences of the terminal. A synchronized update is shown as a whole: nothing flickers;
// terminals that do not know it ignore it.
const (
	enter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
	leave = "\x1b[?7h\x1b[?25h\x1b[?1049l"
	begin = "\x1b[?2026h\x1b[H"
	end   = "\x1b[J\x1b[?2026l"
	clear = "\x1b[K"
)

func (s *Screen) open() error {
	before, err := term.MakeRaw(int(s.in.Fd()))
	if err != nil {
		return err
	}
	s.before = before
	s.keys = make(chan key, 16)
	go s.read()
	_, err = s.out.WriteString(enter)
	return err
}

// close gives the terminal back and leaves the last table in the normal screen.
func (s *Screen) close(table func(size) []string) {
	var b bytes.Buffer
	b.WriteString(leave)
	for _, line := range table(s.size()) {
		b.WriteString(line + "\r\n")
	}
	_, _ = s.out.Write(b.Bytes())
	_ = term.Restore(int(s.in.Fd()), s.before)
}

// size is asked at each drawing, so that no signal is needed.
func (s *Screen) size() size {
	width, height, err := term.GetSize(int(s.out.Fd()))
	if err != nil || width <= 0 || height <= 0 {
		width, height = 80, 24
	}
	return size{width, height, s.colour}
}

// draw redraws in place; nothing is cleared that is not drawn over.
func (w *watcher) draw() {
	s := w.Screen.size()
	s.width-- // clearing the rest of a full line would take its last letter
	var b bytes.Buffer
	b.WriteString(begin)
	for i, line := range w.frame(s, time.Now()) {
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(line + clear)
	}
	b.WriteString(end)
	_, w.Screen.broken = w.Screen.out.Write(b.Bytes())
}

// read turns bytes into keys. It ends with the terminal, and the closed channel ends the watch.
func (s *Screen) read() {
	defer close(s.keys)
	in := bufio.NewReader(s.in)
	for {
		r, _, err := in.ReadRune()
		if err != nil {
			return
		}
		k := key(r)
		switch {
		case r == '\x1b' && in.Buffered() > 0:
			k = sequence(in)
		case r == '\n':
			k = keyEnter
		case r == '\b':
			k = keyBackspace
		case r == '\x04': // Ctrl-D
			k = 'q'
		}
		if k != 0 {
			s.keys <- k
		}
	}
}

// sequence reads what an arrow key or one of its kind sends; 0 for others.
func sequence(in *bufio.Reader) key {
	b, err := in.ReadByte()
	if err != nil || b != '[' && b != 'O' {
		return 0
	}
	number := 0
	for in.Buffered() > 0 {
		if b, err = in.ReadByte(); err != nil {
			return 0
		}
		if b >= '0' && b <= '9' {
			number = 10*number + int(b-'0')
			continue
		}
		if b >= '@' && b <= '~' {
			break
		}
	}
	switch b {
	case 'A':
		return keyUp
	case 'B':
		return keyDown
	case 'H':
		return keyHome
	case '~':
		return map[int]key{1: keyHome, 5: keyPageUp, 6: keyPageDown}[number]
	}
	return 0
}
