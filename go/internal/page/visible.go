package page

import (
	"strings"
	"unicode/utf8"
)

// visible shows, instead of obeying, what is not UTF-8, control characters except tab and
// line feed, and the marks that turn the direction of writing ("Trojan source"). A sign of
// its own stands for each, so that a file keeps its shape.
func visible(text string) string {
	plain := true
	for i := 0; i < len(text) && plain; i++ {
		plain = text[i] >= 0x20 && text[i] < 0x7f || text[i] == '\t' || text[i] == '\n'
	}
	if plain {
		return text
	}
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(text, string(utf8.RuneError)) {
		switch {
		case r == '\t' || r == '\n':
			b.WriteRune(r)
		case r < 0x20:
			b.WriteRune(0x2400 + r)
		case r == 0x7f:
			b.WriteRune(0x2421)
		case r >= 0x80 && r < 0xa0, hides(r):
			b.WriteString(escaped(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// hides reports whether a character cannot be seen and changes how its neighbours are read.
func hides(r rune) bool {
	switch {
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r >= 0x200b && r <= 0x200f:
		return true
	}
	return r == 0x061c || r == 0x2028 || r == 0x2029 || r == 0xfeff
}

func escaped(r rune) string {
	const digits = "0123456789ABCDEF"
	return "‹U+" + string([]byte{digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15]}) + "›"
}
