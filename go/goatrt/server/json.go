//go:build go1.21

package server

import (
	"net/http"
	"strconv"
	"time"

	goatrt "github.com/goat-trace/goat/go/goatrt"
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
	d.buf = append(goatrt.Quote(d.buf, name), ':')
	d.comma = false
	return d
}

func (d *document) str(s string) *document {
	d.value()
	d.buf = goatrt.Quote(d.buf, s)
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
