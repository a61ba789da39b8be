package page

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goat-trace/goat/go/internal/printable"
)

// visible shows, instead of obeying, what is not UTF-8, control characters except tab and
// line feed, and what cannot be seen and may change how its neighbours are read ("Trojan
// source"). A sign of its own stands for each, so that a file keeps its shape. The script
// does the same to names.
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
		case r == '\t', r == '\n', printable.Visible(r), unicode.Is(unicode.Zs, r):
			b.WriteRune(r)
		case r < 0x20:
			b.WriteRune(0x2400 + r)
		case r == 0x7f:
			b.WriteRune(0x2421)
		default:
			fmt.Fprintf(&b, "‹U+%04X›", r)
		}
	}
	return b.String()
}
