package config

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/goat-trace/goat/go"
)

// decoder reads typed values out of YAML nodes; its errors name file and line.
type decoder struct{ path string }

func (d *decoder) place(node *yaml.Node) string {
	return fmt.Sprintf("%s:%d", filepath.Base(d.path), node.Line)
}

func (d *decoder) fail(node *yaml.Node, format string, args ...any) *goat.Error {
	return &goat.Error{
		Code: goat.CodeBadConfig, Path: d.path,
		Message: d.place(node) + ": " + fmt.Sprintf(format, args...),
		Hint:    "`goat help config` lists the keys and their values",
	}
}

func (d *decoder) unknown(key *yaml.Node) error {
	e := d.fail(key, "unknown key %q", key.Value)
	if near := Nearest(key.Value, append([]string{CheckKey}, Keys...)); near != "" {
		e.Hint = fmt.Sprintf("did you mean %q?", near)
	}
	return e
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.Tag == "!!null"
}

// kindOf says what a node is, for "must be X, not Y".
func kindOf(node *yaml.Node) string {
	switch {
	case node.Kind == yaml.MappingNode:
		return "a mapping"
	case node.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(node):
		return "nothing"
	}
	return strconv.Quote(node.Value)
}

// text takes any scalar as it is spelled, so that `appVersion: 1.10` stays 1.10.
func (d *decoder) text(key, value *yaml.Node) (string, error) {
	if value.Kind != yaml.ScalarNode {
		return "", d.fail(value, "%s must be a text, not %s", key.Value, kindOf(value))
	}
	if isNull(value) {
		return "", nil
	}
	return value.Value, nil
}

// texts takes a list, or one text with commas in it.
func (d *decoder) texts(key, value *yaml.Node) ([]string, error) {
	if value.Kind == yaml.ScalarNode {
		text, err := d.text(key, value)
		return SplitList(text), err
	}
	if value.Kind != yaml.SequenceNode {
		return nil, d.fail(value, "%s must be a list of texts, not %s", key.Value, kindOf(value))
	}
	var texts []string
	for _, item := range value.Content {
		if item.Kind != yaml.ScalarNode || isNull(item) {
			return nil, d.fail(item, "%s must be a list of texts, not of %s", key.Value, kindOf(item))
		}
		texts = append(texts, item.Value)
	}
	return texts, nil
}

// SplitList splits a list as flags take it: commas between, blanks around ignored.
func SplitList(text string) []string {
	var items []string
	for _, item := range strings.Split(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

func (d *decoder) word(key, value *yaml.Node, legal []string) (string, error) {
	word, err := d.text(key, value)
	if err != nil || word == "" {
		return "", err
	}
	err = OneOf(goat.CodeBadConfig, d.place(value)+": "+key.Value, word, legal)
	if e, ok := err.(*goat.Error); ok {
		e.Path = d.path
	}
	return word, err
}

func (d *decoder) precision(key, value *yaml.Node) (int, error) {
	word, err := d.word(key, value, Precisions)
	if err != nil || word == "" {
		return 0, err
	}
	return strconv.Atoi(word)
}

func (d *decoder) number(key, value *yaml.Node) (int, error) {
	if isNull(value) {
		return 0, nil
	}
	number, err := strconv.Atoi(value.Value)
	if value.Kind != yaml.ScalarNode || err != nil {
		return 0, d.fail(value, "%s must be a whole number, not %s", key.Value, kindOf(value))
	}
	return number, nil
}

func (d *decoder) boolean(key, value *yaml.Node) (bool, error) {
	if value.Kind == yaml.ScalarNode {
		switch strings.ToLower(value.Value) {
		case "true", "yes", "on":
			return true, nil
		case "false", "no", "off", "", "null", "~":
			return false, nil
		}
	}
	return false, d.fail(value, "%s must be true or false, not %s", key.Value, kindOf(value))
}
