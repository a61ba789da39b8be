package ask

import (
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// Path leads to values in a JSON document: names joined by dots, [0] for an item, [*] for
// all items or members, ["a.b"] for a name with dots. A leading $ may stand.
type Path []step

type step struct {
	name  string
	index int
	all   bool
	item  bool
}

// ParsePath reads a path.
func ParsePath(text string) (Path, error) {
	wrong := func(why string) (Path, error) { return nil, fmt.Errorf("%q is not a path of JSON: %s", text, why) }
	rest := strings.TrimPrefix(strings.TrimSpace(text), "$")
	var path Path
	for rest != "" {
		switch {
		case rest[0] == '[':
			inside, behind, closed := cutBracket(rest[1:])
			if !closed {
				return wrong("[ without ]")
			}
			s, err := bracket(inside)
			if err != nil {
				return wrong(err.Error())
			}
			path, rest = append(path, s), behind
		default:
			rest = strings.TrimPrefix(rest, ".")
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			if end == 0 {
				return wrong("a name is missing")
			}
			path = append(path, step{name: rest[:end], all: rest[:end] == "*"})
			rest = rest[end:]
		}
	}
	return path, nil
}

func cutBracket(text string) (inside, behind string, closed bool) {
	if text != "" && (text[0] == '"' || text[0] == '\'') {
		end := strings.IndexByte(text[1:], text[0])
		if end < 0 || !strings.HasPrefix(text[end+2:], "]") {
			return "", "", false
		}
		return text[:end+2], text[end+3:], true
	}
	return strings.Cut(text, "]")
}

func bracket(inside string) (step, error) {
	if inside == "*" {
		return step{all: true}, nil
	}
	if len(inside) > 1 && (inside[0] == '"' || inside[0] == '\'') {
		return step{name: inside[1 : len(inside)-1]}, nil
	}
	index, err := strconv.Atoi(inside)
	if err != nil {
		return step{}, fmt.Errorf("[%s] is neither a number, nor *, nor a quoted name", inside)
	}
	return step{index: index, item: true}, nil
}

// Find gives the values at the path; none where it leads nowhere.
func (p Path) Find(document any) []any {
	found := []any{document}
	for _, s := range p {
		var next []any
		for _, value := range found {
			next = append(next, s.of(value)...)
		}
		found = next
	}
	return found
}

func (s *step) of(value any) []any {
	switch v := value.(type) {
	case map[string]any:
		if s.all {
			return members(v)
		}
		if inner, there := v[s.name]; there && !s.item {
			return []any{inner}
		}
	case []any:
		if s.all {
			return v
		}
		index := s.index
		if !s.item {
			number, err := strconv.Atoi(s.name)
			if err != nil {
				return nil
			}
			index = number
		}
		if index < 0 {
			index += len(v)
		}
		if index >= 0 && index < len(v) {
			return []any{v[index]}
		}
	}
	return nil
}

func members(m map[string]any) []any {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	values := make([]any, len(names))
	for i, name := range names {
		values[i] = m[name]
	}
	return values
}

// Word is a value as a text.
func Word(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case nil:
		return "null"
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}
