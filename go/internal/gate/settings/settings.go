// Package settings fills the settings of checks from goat.yaml, flags and the
// environment. What a check takes stands once, in the tags of its struct: the keys, what
// they mean and what is possible; the decoder, the flags and the help are made of them.
//
//	key:"points"   the key; a struct without one is no setting
//	help:"..."     what it means
//	min:"0" max:"1"  the range of a number
//	above:"0"        what a number or a time must be more than
//	oneof:"a,b"    the legal words
//	several:""     a list that may be written as one mapping
//	words:""       a list that may be written as a command line, not with commas
package settings

import (
	"cmp"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
)

// Root is the key under which the settings stand in goat.yaml.
const Root = "check"

// Share is a part of a whole: 0.8 or 80%.
type Share float64

// Date is a day, or a moment; a day ends with its last second in UTC.
type Date struct{ End time.Time }

// Defaulter is a struct that has other defaults than zero.
type Defaulter interface{ SetDefaults() }

// Validator is a struct whose settings depend on each other. The error is one sentence
// without a place.
type Validator interface{ Validate() error }

// hint is where the keys are explained.
const hint = "`goat help check` lists the keys and their values"

// decoder fills structs from nodes.
type decoder struct {
	path   string // of the file, for messages
	values *Values
}

// Values replaces ${NAME} by variables of the environment, and remembers what it put in,
// so that it is never shown.
type Values struct {
	Getenv func(string) string
	// Named are values by names of goat's own, which are no secrets.
	Named map[string]string
	known map[string]string // value -> ${NAME}
}

// Decode fills target, a pointer to a struct, from the settings below a key. Whatever is
// wrong is named with its place.
func Decode(file string, root *yaml.Node, target any, values *Values) error {
	d := &decoder{file, values}
	return d.value(Root, root, reflect.ValueOf(target).Elem(), "")
}

// place names a setting: where in the file it stands, or which flag or variable gave it.
func (d *decoder) place(node *yaml.Node, path string) string {
	if node != nil && node.HeadComment != "" && node.Line == 0 {
		return node.HeadComment
	}
	if node == nil || node.Line == 0 {
		return path
	}
	return fmt.Sprintf("%s:%d: %s", filepath.Base(d.path), node.Line, path)
}

func (d *decoder) fail(node *yaml.Node, path, format string, args ...any) *goat.Error {
	return &goat.Error{Code: goat.CodeBadConfig, Message: d.place(node, path) + ": " + fmt.Sprintf(format, args...), Hint: hint}
}

func isNull(node *yaml.Node) bool {
	return node == nil || node.Kind == 0 || node.Kind == yaml.ScalarNode && node.Tag == "!!null"
}

func kindOf(node *yaml.Node) string {
	switch {
	case isNull(node):
		return "nothing"
	case node.Kind == yaml.MappingNode:
		return "a mapping"
	case node.Kind == yaml.SequenceNode:
		return "a list"
	}
	return fmt.Sprintf("%q", node.Value)
}

// value decodes a node into a value of any type that settings have.
func (d *decoder) value(path string, node *yaml.Node, into reflect.Value, tag reflect.StructTag) error {
	if node != nil && node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	t := into.Type()
	switch {
	case isScalar(t):
		return d.scalar(path, node, into, tag)
	case t.Kind() == reflect.Pointer:
		if isNull(node) {
			return nil
		}
		into.Set(reflect.New(t.Elem()))
		return d.value(path, node, into.Elem(), tag)
	case t.Kind() == reflect.Struct:
		return d.structure(path, node, into)
	case t.Kind() == reflect.Map:
		return d.mapping(path, node, into)
	}
	return d.list(path, node, into, tag)
}

func (d *decoder) structure(path string, node *yaml.Node, into reflect.Value) error {
	if def, ok := into.Addr().Interface().(Defaulter); ok {
		def.SetDefaults()
	}
	if !isNull(node) && node.Kind != yaml.MappingNode {
		return d.fail(node, path, "must be keys with values, not %s", kindOf(node))
	}
	if err := d.fields(path, node, into); err != nil {
		return err
	}
	if v, ok := into.Addr().Interface().(Validator); ok {
		if err := v.Validate(); err != nil {
			return d.fail(node, path, "%s", err)
		}
	}
	return nil
}

func (d *decoder) fields(path string, node *yaml.Node, into reflect.Value) error {
	if isNull(node) {
		return nil
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if seen[key.Value] {
			return d.fail(key, path, "key %q stands twice", key.Value)
		}
		seen[key.Value] = true
		field, tag, known := fieldOf(into, key.Value)
		if !known {
			e := d.fail(key, path, "unknown key %q", key.Value)
			if near := config.Nearest(key.Value, keysOf(into.Type())); near != "" {
				e.Hint = fmt.Sprintf("did you mean %q?", near)
			}
			return e
		}
		if err := d.value(path+"."+key.Value, value, field, tag); err != nil {
			return err
		}
	}
	return nil
}

func fieldOf(v reflect.Value, key string) (reflect.Value, reflect.StructTag, bool) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			if inner, tag, known := fieldOf(v.Field(i), key); known {
				return inner, tag, true
			}
		}
		if f.Tag.Get("key") == key && key != "" {
			return v.Field(i), f.Tag, true
		}
	}
	return reflect.Value{}, "", false
}

func keysOf(t reflect.Type) []string {
	var keys []string
	for _, f := range fieldsOf(t) {
		keys = append(keys, f.Tag.Get("key"))
	}
	return keys
}

// fieldsOf are the settings of a struct, those of embedded ones among them.
func fieldsOf(t reflect.Type) []reflect.StructField {
	var fields []reflect.StructField
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case f.Anonymous:
			fields = append(fields, fieldsOf(f.Type)...)
		case f.Tag.Get("key") != "":
			fields = append(fields, f)
		}
	}
	return fields
}

func (d *decoder) mapping(path string, node *yaml.Node, into reflect.Value) error {
	if isNull(node) {
		return nil
	}
	if node.Kind != yaml.MappingNode {
		return d.fail(node, path, "must be names with values, not %s", kindOf(node))
	}
	into.Set(reflect.MakeMap(into.Type()))
	for i := 0; i+1 < len(node.Content); i += 2 {
		value := reflect.New(into.Type().Elem()).Elem()
		if err := d.value(path+"."+node.Content[i].Value, node.Content[i+1], value, ""); err != nil {
			return err
		}
		into.SetMapIndex(reflect.ValueOf(node.Content[i].Value), value)
	}
	return nil
}

func (d *decoder) list(path string, node *yaml.Node, into reflect.Value, tag reflect.StructTag) error {
	if isNull(node) {
		return nil
	}
	items := node.Content
	_, several := tag.Lookup("several")
	switch {
	case node.Kind == yaml.SequenceNode:
	case node.Kind == yaml.MappingNode && several:
		items = []*yaml.Node{node}
	case node.Kind == yaml.ScalarNode && isScalar(into.Type().Elem()):
		items = nil
		split := config.SplitList
		if _, words := tag.Lookup("words"); words {
			split = splitWords
		}
		for _, item := range split(node.Value) {
			items = append(items, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: item, Line: node.Line, HeadComment: node.HeadComment})
		}
	default:
		return d.fail(node, path, "must be a list, not %s", kindOf(node))
	}
	list := reflect.MakeSlice(into.Type(), len(items), len(items))
	for i, item := range items {
		name := path
		if node.Kind == yaml.SequenceNode {
			name = fmt.Sprintf("%s[%d]", path, i)
		}
		if err := d.value(name, item, list.Index(i), ""); err != nil {
			return err
		}
	}
	into.Set(list)
	return nil
}

// shortest is the length from which on a value is hidden: a shorter one is no secret, and
// would be hidden in half of all words.
const shortest = 4

// get is a variable's value. It counts as a secret from then on.
func (v *Values) get(name string) (string, bool) {
	if value, own := v.Named[name]; own {
		return value, value != ""
	}
	value := v.Getenv(name)
	if len(value) < shortest {
		return value, value != ""
	}
	if v.known == nil {
		v.known = map[string]string{}
	}
	v.known[value] = "${" + name + "}"
	return value, true
}

// Hide puts the names of variables where their values stand in a text.
func (v *Values) Hide(text string) string {
	for value, name := range v.known {
		text = strings.ReplaceAll(text, value, name)
	}
	return text
}

// Secrets tells whether there is anything to hide.
func (v *Values) Secrets() bool { return len(v.known) > 0 }

// expand replaces ${NAME}; whatever is not the name of a variable (as $1 and ${1} of
// queries) stays.
func (d *decoder) expand(node *yaml.Node, path, text string) (string, error) {
	var b strings.Builder
	for rest := text; ; {
		before, after, found := strings.Cut(rest, "${")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, behind, closed := strings.Cut(after, "}")
		if !closed || !isVariable(name) {
			b.WriteString("${")
			rest = after
			continue
		}
		value, set := d.values.get(name)
		if !set {
			return "", d.unset(node, path, name)
		}
		b.WriteString(value)
		rest = behind
	}
}

func (d *decoder) unset(node *yaml.Node, path, name string) error {
	if _, own := d.values.Named[name]; own {
		flag := map[string]string{"grayTag": "gray-tag"}[name]
		e := d.fail(node, path, "${%s} stands there, and --%s is not given", name, cmp.Or(flag, name))
		e.Hint = fmt.Sprintf("give --%s VALUE", cmp.Or(flag, name))
		return e
	}
	e := d.fail(node, path, "the environment variable %s is not set", name)
	e.Hint = fmt.Sprintf("export %s=VALUE before goat check; ${NAME} in goat.yaml stands for a variable", name)
	return e
}

func isVariable(name string) bool {
	for i, r := range name {
		letter := r == '_' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// Reached tells whether a check is configured: its key has a value.
func Reached(root *yaml.Node, check string) bool {
	if isNull(root) || root.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == check {
			return true
		}
	}
	return false
}

func orWord(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// number is a number as messages have it.
func number(f float64) string { return cmp.Or(strings.TrimSuffix(fmt.Sprintf("%g", f), ".0"), "0") }
