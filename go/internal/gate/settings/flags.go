package settings

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/config"
)

// Key is one setting, for flags and for help.
type Key struct {
	// Path is check.coverage.points; lists have [] in it, maps <NAME>.
	Path string
	// Kind is duration, share, date, number, int, bool or text; "" for what holds others.
	Kind string
	// Many says that it is a list.
	Many bool
	Help string
	// Words are the legal ones; nil for any.
	Words []string
}

// Fixed tells whether the path is a flag as it stands, without the name of an item.
func (k *Key) Fixed() bool { return k.Kind != "" && !strings.ContainsAny(k.Path, "[<") }

// Keys are all settings of a struct, in the order in which it has them.
func Keys(target any) []Key { return keys(Root, reflect.TypeOf(target).Elem()) }

func keys(path string, t reflect.Type) []Key {
	var all []Key
	for _, f := range fieldsOf(t) {
		inner := f.Type
		k := Key{Path: path + "." + f.Tag.Get("key"), Kind: kindName(inner), Help: f.Tag.Get("help"), Words: words(f.Tag)}
		k.Many = inner.Kind() == reflect.Slice
		all = append(all, k)
		for inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		_, several := f.Tag.Lookup("several")
		switch {
		case k.Kind != "":
		case inner.Kind() == reflect.Map:
			all[len(all)-1].Path += ".<NAME>"
			all[len(all)-1].Kind = "text"
		case inner.Kind() == reflect.Slice && several:
			all = append(all, keys(k.Path, inner.Elem())...)
		case inner.Kind() == reflect.Slice:
			all = append(all, keys(k.Path+"[]", inner.Elem())...)
		case inner.Kind() == reflect.Struct:
			all = append(all, keys(k.Path, inner)...)
		}
	}
	return all
}

// Given is a setting from a flag or a variable.
type Given struct {
	// Path is check.coverage.points; items of a list stand by their name or number.
	Path string
	Text string
	// From names the flag or the variable, for messages.
	From string
}

// IsThreshold tells whether a path leads to a number, a share or a time.
func IsThreshold(target any, path string) bool {
	root, names, _ := strings.Cut(path, ".")
	t := typeAt(reflect.TypeOf(target).Elem(), strings.Split(names, "."))
	if root != Root || t == nil {
		return false
	}
	switch kindName(t) {
	case "duration", "share", "number", "int":
		return t.Kind() != reflect.Slice
	}
	return false
}

// typeAt is the type at a path; nil where it leads nowhere.
func typeAt(t reflect.Type, names []string) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case len(names) == 0:
		return t
	case t.Kind() == reflect.Struct && t != dateType:
		for _, f := range fieldsOf(t) {
			if f.Tag.Get("key") == names[0] {
				return typeAt(f.Type, names[1:])
			}
		}
	case t.Kind() == reflect.Slice && !isScalar(t.Elem()):
		if inner := typeAt(t.Elem(), names); inner != nil {
			return inner // one of several without its name
		}
		return typeAt(t.Elem(), names[1:])
	}
	return nil
}

// Override puts what was given over what stands in the file; root may be nil. target is a
// pointer to the struct that the settings are for. The result is a tree of its own.
func Override(root *yaml.Node, target any, given []Given) (*yaml.Node, error) {
	root = clone(root)
	if isNull(root) {
		root = &yaml.Node{Kind: yaml.MappingNode}
	}
	t := reflect.TypeOf(target).Elem()
	for _, g := range given {
		if root.Kind != yaml.MappingNode {
			break // the decoder complains
		}
		names := strings.Split(g.Path, ".")[1:]
		if err := put(root, t, names, &g, ""); err != nil {
			return nil, err
		}
	}
	return root, nil
}

func clone(node *yaml.Node) *yaml.Node {
	if node == nil {
		return nil
	}
	if node.Kind == yaml.AliasNode {
		return clone(node.Alias)
	}
	copied := *node
	copied.HeadComment = "" // comments are no business of settings; from here on it is the origin
	copied.Content = make([]*yaml.Node, len(node.Content))
	for i, c := range node.Content {
		copied.Content[i] = clone(c)
	}
	return &copied
}

func (g *Given) wrong(format string, args ...any) *goat.Error {
	return &goat.Error{Code: goat.CodeUsage, Message: g.From + ": " + fmt.Sprintf(format, args...), Hint: hint}
}

// put sets the setting of a path in a node that holds values of type t.
func put(node *yaml.Node, t reflect.Type, names []string, g *Given, tag reflect.StructTag) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case len(names) == 0:
		return set(node, t, g)
	case t.Kind() == reflect.Struct && t != dateType:
		field, known := reflect.StructField{}, false
		for _, f := range fieldsOf(t) {
			if f.Tag.Get("key") == names[0] {
				field, known = f, true
			}
		}
		if !known {
			e := g.wrong("unknown key %q", names[0])
			if near := config.Nearest(names[0], keysOf(t)); near != "" {
				e.Hint = fmt.Sprintf("did you mean %q?", near)
			}
			return e
		}
		return put(child(node, names[0]), field.Type, names[1:], g, field.Tag)
	case t.Kind() == reflect.Map:
		return put(child(node, strings.Join(names, ".")), t.Elem(), nil, g, "")
	case t.Kind() == reflect.Slice && !isScalar(t.Elem()):
		return putItem(node, t.Elem(), names, g, tag)
	}
	return g.wrong("%s holds no keys", strings.TrimSuffix(g.Path, "."+strings.Join(names, ".")))
}

// putItem sets a setting in an item of a list: the one of that number or name. A list
// that may be one mapping needs neither.
func putItem(node *yaml.Node, t reflect.Type, names []string, g *Given, tag reflect.StructTag) error {
	_, several := tag.Lookup("several")
	if several && slices.Contains(keysOf(t), names[0]) {
		if isNull(node) {
			*node = yaml.Node{Kind: yaml.MappingNode, HeadComment: g.From}
		}
		items := node.Content
		if node.Kind == yaml.MappingNode {
			items = []*yaml.Node{node}
		}
		if len(items) != 1 {
			return g.wrong("there are %d of them: name one, as in %s", len(items), strings.TrimSuffix(g.Path, strings.Join(names, "."))+"NAME."+strings.Join(names, "."))
		}
		return put(items[0], t, names, g, "")
	}
	if isNull(node) {
		*node = yaml.Node{Kind: yaml.SequenceNode, HeadComment: g.From}
	}
	if several && node.Kind == yaml.MappingNode {
		*node = yaml.Node{Kind: yaml.SequenceNode, Line: node.Line, Content: []*yaml.Node{clone(node)}}
	}
	if node.Kind != yaml.SequenceNode {
		return nil // the decoder complains
	}
	for i, item := range node.Content {
		if item.Kind == yaml.MappingNode && (strconv.Itoa(i) == names[0] || nameOf(item) == names[0]) {
			return put(item, t, names[1:], g, "")
		}
	}
	if !slices.Contains(keysOf(t), "name") {
		return g.wrong("there is no item %q", names[0])
	}
	item := &yaml.Node{Kind: yaml.MappingNode, HeadComment: g.From}
	*child(item, "name") = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: names[0], HeadComment: g.From}
	node.Content = append(node.Content, item)
	return put(item, t, names[1:], g, "")
}

func nameOf(item *yaml.Node) string {
	for i := 0; i+1 < len(item.Content); i += 2 {
		if item.Content[i].Value == "name" {
			return item.Content[i+1].Value
		}
	}
	return ""
}

// child is the value of a key, made where there is none.
func child(node *yaml.Node, key string) *yaml.Node {
	if isNull(node) {
		*node = yaml.Node{Kind: yaml.MappingNode, HeadComment: node.HeadComment}
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	value := &yaml.Node{}
	node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, value)
	return value
}

// set gives a node the value that was given: a word as it is, what holds others as YAML.
func set(node *yaml.Node, t reflect.Type, g *Given) error {
	if isScalar(t) || t.Kind() == reflect.Slice && isScalar(t.Elem()) {
		*node = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: g.Text, HeadComment: g.From}
		return nil
	}
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(g.Text), &document); err != nil {
		return g.wrong("%q is not YAML: %s", g.Text, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	*node = yaml.Node{}
	if len(document.Content) > 0 {
		*node = *mark(document.Content[0], g.From)
	}
	return nil
}

// mark says of all nodes where they come from.
func mark(node *yaml.Node, from string) *yaml.Node {
	node.Line, node.HeadComment = 0, from
	for _, c := range node.Content {
		mark(c, from)
	}
	return node
}

// Variable is the environment variable of a setting: GOAT_CHECK_COVERAGE_POINTS.
func Variable(path string) string {
	return config.EnvName(strings.ReplaceAll(path, ".", "_"))
}

// Ensure gives each of the keys a value, so that a check without settings has its defaults.
func Ensure(root *yaml.Node, keys []string) {
	if root.Kind != yaml.MappingNode {
		return // the decoder complains
	}
	for _, key := range keys {
		if node := child(root, key); isNull(node) {
			*node = yaml.Node{Kind: yaml.MappingNode, Line: node.Line}
		}
	}
}

// Keep leaves out of the settings the keys that stand in all and not in kept: what a check
// that does not run lacks (a secret, an address) is no mistake.
func Keep(root *yaml.Node, all, kept []string) {
	if root.Kind != yaml.MappingNode {
		return
	}
	var content []*yaml.Node
	for i := 0; i+1 < len(root.Content); i += 2 {
		if key := root.Content[i].Value; !slices.Contains(all, key) || slices.Contains(kept, key) {
			content = append(content, root.Content[i], root.Content[i+1])
		}
	}
	root.Content = content
}

// Default gives a key of a check a value where it has none, in each of several. A path of
// keys is followed as far as they are there.
func Default(root *yaml.Node, check, path, value, from string) {
	if !Reached(root, check) {
		return
	}
	node := child(root, check)
	items := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode {
		items = node.Content
	}
	keys := strings.Split(path, ".")
	for _, item := range items {
		for _, key := range keys[:len(keys)-1] {
			if !Reached(item, key) {
				item = &yaml.Node{}
				break
			}
			if item = child(item, key); isNull(item) {
				*item = yaml.Node{Kind: yaml.MappingNode, Line: item.Line}
			}
		}
		if item.Kind != yaml.MappingNode {
			continue // not there, or the decoder complains
		}
		if inner := child(item, keys[len(keys)-1]); isNull(inner) {
			*inner = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value, HeadComment: from}
		}
	}
}
