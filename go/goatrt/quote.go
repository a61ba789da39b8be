//go:build go1.21

package goatrt

import "strconv"

// Quote appends s as a JSON string, what is invisible in it escaped: people read it, too.
// Bytes that are not UTF-8 become U+FFFD.
func Quote(buf []byte, s string) []byte {
	const hex = "0123456789abcdef"
	buf = append(buf, '"')
	for i := 0; i < len(s); {
		r, size := firstRune(s[i:])
		switch {
		case r == '"' || r == '\\':
			buf = append(buf, '\\', byte(r))
		case r < 0x20 || r == 0x7f || r == '<' || r == '>' || r == '&':
			buf = append(buf, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		case r == 0x2028 || r == 0x2029 || r >= 0x80 && !strconv.IsPrint(r) && r < 0x10000:
			buf = append(buf, '\\', 'u', hex[r>>12], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		case r == '\ufffd' && size == 1:
			buf = append(buf, "\ufffd"...)
		default:
			buf = append(buf, s[i:i+size]...)
		}
		i += size
	}
	return append(buf, '"')
}

// firstRune is the first character of a text that is not empty, and its size.
func firstRune(s string) (first rune, size int) {
	for at, r := range s {
		if at > 0 {
			return first, at
		}
		first = r
	}
	return first, len(s)
}
