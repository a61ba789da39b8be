package config

import (
	"bytes"
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// comments explain the keys, in goat.yaml and in `goat help config`.
var comments = map[string]string{
	"appName":               "Name of the application in reports and metrics.",
	"appVersion":            "Version of the application in reports and metrics.",
	"oldBranch":             "Base: what to compare with. A branch, tag or commit; HEAD; INIT: no base, everything is new.",
	"newBranch":             "Release: what runs. A branch, tag or commit; HEAD means the working tree.",
	"ignores":               "Files and directories to leave out, in gitignore syntax, relative to the module.",
	"granularity":           "line, patch, scope or func: how many points a change gets (goat help granularity).",
	"diffPrecision":         "1 blame, 2 diff with renames, 3 diff without renames (goat help precision).",
	"mainEntries":           "Directories of the main packages that goat track gives the runtime; * means all.",
	"dataType":              "bool records the first hit of a point, count counts every hit (slower).",
	"skipNestedModules":     "Leave modules below this one out.",
	"goatPackageName":       "Name of the generated runtime package (goat track, goat generate).",
	"goatPackageAlias":      "Name under which the sources import it.",
	"goatPackagePath":       "Where it stands in the module.",
	"verbose":               "Say more.",
	"threads":               "Needless, accepted for GOAT 1.0: goat uses all processors.",
	"race":                  "Needless, accepted for GOAT 1.0: points are always race-free.",
	"printerConfigMode":     "Needless, accepted for GOAT 1.0: goat never reformats.",
	"printerConfigTabwidth": "Needless, as printerConfigMode.",
	"printerConfigIndent":   "Needless, as printerConfigMode.",
}

// Comment explains a key.
func Comment(key string) string { return comments[key] }

// Marshal is f as the text of a goat.yaml, every key with its comment.
func (f *File) Marshal() ([]byte, error) {
	root := &yaml.Node{Kind: yaml.MappingNode}
	root.HeadComment = "Configuration of goat. A flag or an environment variable beats a key (goat help environment)."
	for i, key := range Keys {
		value, err := f.node(key)
		if err != nil {
			return nil, err
		}
		name := &yaml.Node{Kind: yaml.ScalarNode, Value: key}
		name.HeadComment = comments[key]
		if i == 0 {
			// A blank line must part the file's comment from the first key's.
			name.HeadComment = root.HeadComment + "\n\n" + comments[key]
		}
		root.Content = append(root.Content, name, value)
	}
	root.HeadComment = ""
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(root); err != nil {
		return nil, fmt.Errorf("goat.yaml cannot be written: %w", err)
	}
	return out.Bytes(), encoder.Close()
}

// node is a key's value. Texts are quoted where YAML would take them for something
// else: a number-like version must come back as it was given.
func (f *File) node(key string) (*yaml.Node, error) {
	switch key {
	case "appName":
		return text(f.AppName), nil
	case "appVersion":
		return text(f.AppVersion), nil
	case "oldBranch":
		return text(f.base()), nil
	case "newBranch":
		return text(f.NewBranch), nil
	case "ignores":
		return texts(f.Ignores), nil
	case "granularity":
		return text(f.Granularity), nil
	case "diffPrecision":
		return plain(strconv.Itoa(f.DiffPrecision), "!!int"), nil
	case "mainEntries":
		return texts(f.MainEntries), nil
	case "dataType":
		return text(f.DataType), nil
	case "skipNestedModules":
		return boolean(f.SkipNestedModules == nil || *f.SkipNestedModules), nil
	case "goatPackageName":
		return text(f.GoatPackageName), nil
	case "goatPackageAlias":
		return text(f.GoatPackageAlias), nil
	case "goatPackagePath":
		return text(f.GoatPackagePath), nil
	}
	return f.needlessNode(key)
}

func (f *File) needlessNode(key string) (*yaml.Node, error) {
	switch key {
	case "verbose":
		return boolean(f.Verbose), nil
	case "threads":
		return plain(strconv.Itoa(f.Threads), "!!int"), nil
	case "race":
		return boolean(f.Race), nil
	case "printerConfigMode":
		return texts(f.PrinterConfigMode), nil
	case "printerConfigTabwidth":
		return plain(strconv.Itoa(f.PrinterConfigTab), "!!int"), nil
	case "printerConfigIndent":
		return plain(strconv.Itoa(f.PrinterConfigIndent), "!!int"), nil
	}
	return nil, fmt.Errorf("no such key: %s", key)
}

func plain(value, tag string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value}
}

func text(value string) *yaml.Node {
	node := &yaml.Node{}
	node.SetString(value)
	return node
}

func boolean(value bool) *yaml.Node { return plain(strconv.FormatBool(value), "!!bool") }

func texts(values []string) *yaml.Node {
	node := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	if len(values) == 0 {
		node.Style = yaml.FlowStyle
	}
	for _, value := range values {
		node.Content = append(node.Content, text(value))
	}
	return node
}
