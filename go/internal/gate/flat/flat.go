// Package flat reads configuration files as what they set: one value a key, whatever the
// order, the indentation and the comments.
package flat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/joho/godotenv"
	"github.com/magiconair/properties"
	"go.yaml.in/yaml/v3"
)

// Keys are the values by their keys: server.ports[0].
type Keys map[string]string

// Formats are the endings that are known, for messages.
const Formats = ".yaml, .yml, .json, .toml, .properties, .env"

// Read reads a file by the ending of its name.
func Read(name, text string) (Keys, error) {
	switch base := path.Base(name); {
	case has(base, ".yaml", ".yml"):
		return documents(yaml.NewDecoder(strings.NewReader(text)))
	case has(base, ".json"):
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		keys, err := documents(decoder)
		return keys, inLine(err, text)
	case has(base, ".toml"):
		var document map[string]any
		if _, err := toml.Decode(text, &document); err != nil {
			return nil, err
		}
		return flatten(document), nil
	case has(base, ".properties"):
		loader := properties.Loader{Encoding: properties.UTF8, DisableExpansion: true}
		document, err := loader.LoadBytes([]byte(text))
		if err != nil {
			return nil, err
		}
		return document.Map(), nil
	case base == ".env" || has(base, ".env") || strings.HasPrefix(base, ".env."):
		document, err := godotenv.UnmarshalBytes([]byte(text))
		return document, err
	}
	return nil, fmt.Errorf("%s is none of %s", name, Formats)
}

// Known tells whether the format of a file is known.
func Known(name string) bool {
	base := path.Base(name)
	return has(base, ".yaml", ".yml", ".json", ".toml", ".properties", ".env") || strings.HasPrefix(base, ".env.")
}

func has(name string, endings ...string) bool {
	return slices.ContainsFunc(endings, func(ending string) bool { return strings.HasSuffix(strings.ToLower(name), ending) })
}

// documents reads all documents of a file; from the second on, their keys begin with their
// number.
func documents(decoder interface{ Decode(any) error }) (Keys, error) {
	keys := Keys{}
	for n := 0; ; n++ {
		var document any
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return keys, nil
		}
		if err != nil {
			return nil, err
		}
		prefix := ""
		if n > 0 {
			prefix = "document " + strconv.Itoa(n+1) + ": "
		}
		for key, value := range flatten(document) {
			keys[prefix+key] = value
		}
	}
}

// inLine names the line of a mistake in JSON.
func inLine(err error, text string) error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) || syntax.Offset > int64(len(text)) {
		return err
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count([]byte(text[:syntax.Offset]), []byte("\n")), err)
}

func flatten(document any) Keys {
	keys := Keys{}
	keys.add("", document)
	return keys
}

func (k Keys) add(at string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			k.add(join(at, key), inner)
		}
		k.empty(at, len(v), "{}")
	case map[any]any:
		for key, inner := range v {
			k.add(join(at, fmt.Sprint(key)), inner)
		}
		k.empty(at, len(v), "{}")
	case []any:
		for i, inner := range v {
			k.add(at+"["+strconv.Itoa(i)+"]", inner)
		}
		k.empty(at, len(v), "[]")
	case []map[string]any:
		for i, inner := range v {
			k.add(at+"["+strconv.Itoa(i)+"]", inner)
		}
	case nil:
		if at != "" {
			k[at] = "null"
		}
	default:
		k[at] = fmt.Sprint(v)
	}
}

// empty keeps that there is something without content.
func (k Keys) empty(at string, n int, what string) {
	if n == 0 && at != "" {
		k[at] = what
	}
}

// join names a key within another; one with a dot of its own is quoted.
func join(at, key string) string {
	if strings.ContainsAny(key, ".[]") {
		key = strconv.Quote(key)
	}
	if at == "" {
		return key
	}
	return at + "." + key
}

// Change is one key that differs.
type Change struct {
	Key string
	// Kind is added, removed or changed.
	Kind string
}

// Diff are the keys that differ, sorted. Their values are not in it: they may be secrets.
func Diff(before, after Keys) []Change {
	var changes []Change
	for key, value := range before {
		if now, there := after[key]; !there {
			changes = append(changes, Change{key, "removed"})
		} else if now != value {
			changes = append(changes, Change{key, "changed"})
		}
	}
	for _, key := range slices.Collect(maps.Keys(after)) {
		if _, there := before[key]; !there {
			changes = append(changes, Change{key, "added"})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return strings.Compare(a.Key, b.Key) })
	return changes
}
