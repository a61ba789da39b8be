package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goat-trace/goat/go"
)

// Legal values, in the order in which messages list them.
var (
	Granularities = []string{"line", "patch", "scope", "func"}
	Precisions    = []string{"1", "2", "3"}
	Ranges        = []string{"merge-base", "direct"}
	Servers       = []string{"auto", "on", "off"}
	DataTypes     = []string{"bool", "count"}
)

// OneOf returns an error unless value is one of the legal ones. what names the flag,
// variable or key, with its place.
func OneOf(code goat.Code, what, value string, legal []string) error {
	for _, l := range legal {
		if value == l {
			return nil
		}
	}
	e := &goat.Error{Code: code, Message: fmt.Sprintf("%s: %q is not one of %s", what, value, list(legal))}
	if near := Nearest(value, legal); near != "" {
		e.Hint = fmt.Sprintf("did you mean %q?", near)
	} else {
		e.Hint = "use one of " + list(legal)
	}
	return e
}

func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// InModule reports whether a path, taken from a module's root, stays among the
// directories that a module shows: none above it, none that begins with a dot.
func InModule(path string) bool {
	elements := strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' })
	return !slices.ContainsFunc(elements, func(element string) bool {
		return element != "." && strings.HasPrefix(element, ".")
	})
}

// ParseBool reads a switch as people spell them; what names the flag or variable.
func ParseBool(what, value string) (bool, error) {
	switch strings.ToLower(value) {
	case "1", "t", "true", "yes", "y", "on":
		return true, nil
	case "0", "f", "false", "no", "n", "off":
		return false, nil
	}
	return false, &goat.Error{
		Code: goat.CodeUsage, Message: fmt.Sprintf("%s: %q is neither true nor false", what, value),
		Hint: "use 1 or 0",
	}
}

func parsePrecision(what, value string) (int, error) {
	if err := OneOf(goat.CodeUsage, what, value, Precisions); err != nil {
		return 0, err
	}
	return strconv.Atoi(value)
}

// Nearest returns the word that is spelled most like given, or "" if none is close.
func Nearest(given string, words []string) string {
	if len(given) < 2 {
		return ""
	}
	best, limit := "", 1+max(1, len(given)/3)
	for _, word := range words {
		if d := distance(strings.ToLower(given), strings.ToLower(word)); d < limit {
			best, limit = word, d
		}
	}
	return best
}

// distance counts the insertions, deletions, substitutions and swaps of neighbours
// between two words.
func distance(a, b string) int {
	older, old := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range old {
		old[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := old[j]
			if a[i] != b[j] {
				cost++
			}
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				cost = min(cost, older[j-1]+1)
			}
			row[j+1] = min(cost, row[j]+1, old[j+1]+1)
		}
		older, old = old, row
	}
	return old[len(b)]
}
