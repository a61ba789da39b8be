package watch

import (
	"strings"

	"github.com/goat-trace/goat/go/internal/render"
)

// cut shortens a text to the width, with a sign that it is cut.
func cut(text string, width int) string {
	if render.Columns(text) <= width {
		return text
	}
	var b strings.Builder
	left := width - 1
	for _, r := range text {
		if left -= render.RuneColumns(r); left < 0 {
			break
		}
		b.WriteRune(r)
	}
	if width > 0 {
		b.WriteString("…")
	}
	return b.String()
}

func pad(text string, width int) string {
	text = cut(text, width)
	return text + strings.Repeat(" ", max(width-render.Columns(text), 0))
}

// spread puts two texts at the ends of a line; the right one gives way.
func spread(left, right string, width int) string {
	gap := width - render.Columns(left) - render.Columns(right)
	if gap < 2 {
		if left == "" {
			return cut(right, width)
		}
		return cut(left, width)
	}
	return left + strings.Repeat(" ", gap) + right
}
