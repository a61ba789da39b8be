//go:build go1.21

package server

import (
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"
)

// document writes JSON piece by piece, so that an answer of any size needs only
// one buffer. encoding/json would be most of what this package adds to a program.
type document struct {
	w     http.ResponseWriter
	buf   []byte
	comma bool
}

// chunk is the size at which the buffer goes out.
const chunk = 16 << 10

// begin starts a JSON answer.
func begin(w http.ResponseWriter, status int) *document {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	return &document{w: w, buf: make([]byte, 0, chunk+1024)}
}

// value puts the comma that a value may need and takes what follows.
func (d *document) value() {
	if d.comma {
		d.buf = append(d.buf, ',')
	}
	d.comma = true
	if len(d.buf) > chunk {
		_, _ = d.w.Write(d.buf)
		d.buf = d.buf[:0]
	}
}

// open starts an object or an array.
func (d *document) open(bracket byte) *document {
	d.value()
	d.buf = append(d.buf, bracket)
	d.comma = false
	return d
}

// close ends it.
func (d *document) close(bracket byte) *document {
	d.buf = append(d.buf, bracket)
	d.comma = true
	return d
}

// key names the next value.
func (d *document) key(name string) *document {
	d.value()
	d.buf = append(quote(d.buf, name), ':')
	d.comma = false
	return d
}

func (d *document) str(s string) *document {
	d.value()
	d.buf = quote(d.buf, s)
	return d
}

// strOrNull writes null for the empty string.
func (d *document) strOrNull(s string) *document {
	if s == "" {
		return d.raw("null")
	}
	return d.str(s)
}

func (d *document) number(n int64) *document {
	d.value()
	d.buf = strconv.AppendInt(d.buf, n, 10)
	return d
}

func (d *document) float(f float64) *document { return d.raw(strconv.FormatFloat(f, 'g', -1, 64)) }

func (d *document) boolean(b bool) *document { return d.raw(strconv.FormatBool(b)) }

func (d *document) raw(text string) *document {
	d.value()
	d.buf = append(d.buf, text...)
	return d
}

// moment writes microseconds as RFC 3339, null for 0.
func (d *document) moment(micros int64) *document {
	if micros == 0 {
		return d.raw("null")
	}
	return d.str(rfc3339(micros))
}

// strs writes an array of strings.
func (d *document) strs(list []string) *document {
	d.open('[')
	for _, s := range list {
		d.str(s)
	}
	return d.close(']')
}

// flush ends the answer.
func (d *document) flush() {
	d.buf = append(d.buf, '\n')
	_, _ = d.w.Write(d.buf)
}

func rfc3339(micros int64) string {
	return time.UnixMicro(micros).UTC().Format(time.RFC3339Nano)
}

// quote appends s as a JSON string, what is invisible in it escaped: people read it, too.
// Bytes that are not UTF-8 become U+FFFD.
func quote(buf []byte, s string) []byte {
	const hex = "0123456789abcdef"
	buf = append(buf, '"')
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '"' || r == '\\':
			buf = append(buf, '\\', byte(r))
		case r < 0x20 || r == 0x7f || r == '<' || r == '>' || r == '&':
			buf = append(buf, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		case r == 0x2028 || r == 0x2029 || r >= 0x80 && !strconv.IsPrint(r) && r < 0x10000:
			buf = append(buf, '\\', 'u', hex[r>>12], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		case r == utf8.RuneError && size == 1:
			buf = append(buf, "\ufffd"...)
		default:
			buf = append(buf, s[i:i+size]...)
		}
		i += size
	}
	return append(buf, '"')
}
