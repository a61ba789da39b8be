package gocmd

import (
	"fmt"
	"strings"
)

// Split splits a list of words as the go command does in GOFLAGS, -gcflags and
// -toolexec: blanks separate, a word may stand in single or double quotes, and
// there are no escapes.
func Split(text string) ([]string, error) {
	var words []string
	for {
		text = strings.TrimLeft(text, " \t\r\n")
		if text == "" {
			return words, nil
		}
		if quote := text[0]; quote == '"' || quote == '\'' {
			end := strings.IndexByte(text[1:], quote)
			if end < 0 {
				return nil, fmt.Errorf("unterminated %c string", quote)
			}
			words = append(words, text[1:1+end])
			text = text[end+2:]
			continue
		}
		end := strings.IndexAny(text, " \t\r\n")
		if end < 0 {
			end = len(text)
		}
		words = append(words, text[:end])
		text = text[end:]
	}
}

// Join is the inverse of Split. It fails for a word that holds both kinds of
// quotes besides a blank: the go command has no way to write it.
func Join(words []string) (string, error) {
	var b strings.Builder
	for i, word := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		quoted, err := quote(word)
		if err != nil {
			return "", err
		}
		b.WriteString(quoted)
	}
	return b.String(), nil
}

func quote(word string) (string, error) {
	single, double := strings.Contains(word, "'"), strings.Contains(word, `"`)
	switch {
	case word != "" && !single && !double && !strings.ContainsAny(word, " \t\r\n"):
		return word, nil
	case !single:
		return "'" + word + "'", nil
	case !double:
		return `"` + word + `"`, nil
	}
	return "", fmt.Errorf("%q holds blanks and both kinds of quotes, which the go command cannot take", word)
}
