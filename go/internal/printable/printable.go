// Package printable makes text from elsewhere safe to show. File names, refs, the
// answers of programs and what go says may hold escapes that repaint a terminal, line
// ends that forge a line, and characters that turn the direction of writing.
package printable

import (
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Text returns s with everything that is no visible character in Go's notation: \n,
// \x1b, \u202e. Most texts come back as they are.
func Text(s string) string {
	if plain(s) {
		return s
	}
	clean := true
	for _, r := range s {
		clean = clean && r != utf8.RuneError && Visible(r)
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteString(`\x` + hex(uint64(s[i]), 2))
		case Visible(r):
			b.WriteString(s[i : i+size])
		default:
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
		i += size
	}
	return b.String()
}

// plain is what nearly every text of a plan is, of which there are hundreds of thousands.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// Visible accepts what has a form of its own, and the two that join letters of some
// scripts.
func Visible(r rune) bool { return strconv.IsPrint(r) || r == '\u200c' || r == '\u200d' }

func hex(n uint64, digits int) string {
	text := strconv.FormatUint(n, 16)
	return strings.Repeat("0", max(0, digits-len(text))) + text
}

// Copy returns the document with every text in it as Text has it, at any depth.
func Copy[T any](document *T) *T { return Map(document, Text) }

// Map returns the document with every text in it changed by a function, at any depth.
func Map[T any](document *T, change func(string) string) *T {
	into := new(T)
	copier(change).value(reflect.ValueOf(into).Elem(), reflect.ValueOf(document).Elem())
	return into
}

// copier copies values, and changes the texts in them.
type copier func(string) string

// value copies from into to. What it cannot set (fields that are not exported) and
// what holds no text it shares with the original.
func (c copier) value(to, from reflect.Value) {
	to.Set(from)
	switch from.Kind() {
	case reflect.String:
		to.SetString(c(from.String()))
	case reflect.Interface:
		if text, is := from.Interface().(string); is && from.NumMethod() == 0 {
			to.Set(reflect.ValueOf(c(text)))
		}
	case reflect.Pointer:
		if !from.IsNil() {
			to.Set(reflect.New(from.Type().Elem()))
			c.value(to.Elem(), from.Elem())
		}
	case reflect.Struct:
		for i := range from.NumField() {
			if to.Field(i).CanSet() {
				c.value(to.Field(i), from.Field(i))
			}
		}
	case reflect.Slice:
		if from.IsNil() || from.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))
		for i := range from.Len() {
			c.value(to.Index(i), from.Index(i))
		}
	case reflect.Map:
		c.entries(to, from)
	}
}

func (c copier) entries(to, from reflect.Value) {
	if from.IsNil() {
		return
	}
	to.Set(reflect.MakeMapWithSize(from.Type(), from.Len()))
	for entries := from.MapRange(); entries.Next(); {
		key := reflect.New(from.Type().Key()).Elem()
		value := reflect.New(from.Type().Elem()).Elem()
		c.value(key, entries.Key())
		c.value(value, entries.Value())
		to.SetMapIndex(key, value)
	}
}

// JSON is a writer of JSON to which each Write gives whole characters, as an encoder's
// does: what is invisible in it becomes \u…, so that it may be shown, too.
func JSON(w io.Writer) io.Writer { return jsonWriter{w} }

type jsonWriter struct{ w io.Writer }

func (j jsonWriter) Write(data []byte) (int, error) {
	if _, err := j.w.Write(escape(data)); err != nil {
		return 0, err
	}
	return len(data), nil
}

// escape changes only what can stand nowhere but in a JSON string.
func escape(data []byte) []byte {
	kept, done := data[:0:0], 0
	for i := 0; i < len(data); {
		if data[i] < 0x7f {
			i++
			continue
		}
		r, size := utf8.DecodeRune(data[i:])
		if r >= 0x7f && r != utf8.RuneError && !Visible(r) {
			kept = append(append(kept, data[done:i]...), codeUnits(r)...)
			done = i + size
		}
		i += size
	}
	if done == 0 {
		return data
	}
	return append(kept, data[done:]...)
}

// codeUnits is a character in JSON's notation, a pair where it needs two.
func codeUnits(r rune) string {
	if r < 0x10000 {
		return `\u` + hex(uint64(r), 4)
	}
	r -= 0x10000
	return `\u` + hex(uint64(0xd800+r>>10), 4) + `\u` + hex(uint64(0xdc00+r&0x3ff), 4)
}
