package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/goat-trace/goat/go/internal/report"
)

// What a source can make us hold is bounded: by the bytes of its answer, and by the
// number of things in it, because {}, is 3 bytes on the wire and 300 in memory.
const (
	maxVersion = 4 << 20
	maxTrack   = 256 << 20
	maxPoints  = 1 << 19
	maxListed  = 1024
)

var errTooLarge = errors.New("the answer is too large")

// capped reads so many bytes and keeps the error with which its source ended.
type capped struct {
	from io.Reader
	left int64
	err  error
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTooLarge
	}
	n, err := c.from.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// list is an array in a document of which no more than a few are believed.
type list[T any] []T

// UnmarshalJSON reads one element after the other.
func (l *list[T]) UnmarshalJSON(data []byte) error {
	*l = nil
	if string(data) == "null" {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	return eachElement(decoder, func() error {
		if len(*l) == maxListed {
			return errTooLarge
		}
		var element T
		err := decoder.Decode(&element)
		*l = append(*l, element)
		return err
	})
}

func (v *version) decode(r io.Reader) error {
	*v = version{}
	return json.NewDecoder(r).Decode(v)
}

// decode reads the document as it comes in, so that no part of it is held twice.
func (t *track) decode(r io.Reader) error {
	t.results, t.points = nil, 0
	decoder := json.NewDecoder(r)
	return eachField(decoder, func(name string) error {
		if name != "results" {
			return skip(decoder)
		}
		return eachElement(decoder, func() error {
			if len(t.results) == maxListed {
				return errTooLarge
			}
			result, err := t.decodeResult(decoder)
			t.results = append(t.results, result)
			return err
		})
	})
}

func (t *track) decodeResult(decoder *json.Decoder) (result trackResult, err error) {
	err = eachField(decoder, func(name string) error {
		switch name {
		case "id":
			return decoder.Decode(&result.id)
		case "name":
			return decoder.Decode(&result.name)
		case "metrics":
			return eachField(decoder, func(name string) error {
				if name != "items" {
					return skip(decoder)
				}
				return t.decodeItems(decoder, &result.points)
			})
		}
		return skip(decoder)
	})
	return result, err
}

func (t *track) decodeItems(decoder *json.Decoder, into *[]report.Seen) error {
	var item trackItem
	return eachElement(decoder, func() error {
		item = trackItem{}
		if err := decoder.Decode(&item); err != nil {
			return err
		}
		if item.Point == "" {
			return errNotGoat
		}
		if t.points++; t.points > maxPoints {
			return errTooLarge
		}
		*into = append(*into, trackPoint(&item, t.pool))
		return nil
	})
}

// eachField calls do before the value of each field of an object; do reads the value.
func eachField(decoder *json.Decoder, do func(name string) error) error {
	return each(decoder, '{', func() error {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		text, _ := name.(string)
		return do(text)
	})
}

// eachElement calls do before each element of an array; do reads it.
func eachElement(decoder *json.Decoder, do func() error) error { return each(decoder, '[', do) }

func each(decoder *json.Decoder, open json.Delim, do func() error) error {
	token, err := decoder.Token()
	if err != nil {
		return err
	}
	if token == nil {
		return nil // null
	}
	if token != open {
		return errNotGoat
	}
	for decoder.More() {
		if err := do(); err != nil {
			return err
		}
	}
	_, err = decoder.Token()
	return err
}

// skip passes over a value without holding it.
func skip(decoder *json.Decoder) error {
	for depth := 0; ; {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}
