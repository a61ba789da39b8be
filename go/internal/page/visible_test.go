package page

import "testing"

func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"plain\ttext\n":         "plain\ttext\n",
		"\x1b[31mred\x00":       "␛[31mred␀",
		"a\u202eb\u2066\u200bc": "a‹U+202E›b‹U+2066›‹U+200B›c",
		"\xff价\u0085\x7f":       "\uFFFD价‹U+0085›␡",
		"\U000e0041\ufeff":      "‹U+E0041›‹U+FEFF›",
		"a\u3000\u00a0\u200db":  "a\u3000\u00a0\u200db",
		"<b>\"'&":               "<b>\"'&",
	} {
		if got := visible(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
