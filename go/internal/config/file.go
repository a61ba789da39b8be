package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/store"
)

// FileName is the name of the configuration file.
const FileName = "goat.yaml"

// largest is more than a goat.yaml holds.
const largest = 16 << 20

// File is goat.yaml. Every key of GOAT 1.0 is accepted; Threads, Race and the
// PrinterConfig keys have become needless: goat uses all processors, is always
// race-free and never reformats.
type File struct {
	AppName             string
	AppVersion          string
	OldBranch           *string
	NewBranch           string
	Ignores             []string
	GoatPackageName     string
	GoatPackageAlias    string
	GoatPackagePath     string
	Granularity         string
	DiffPrecision       int
	Threads             int
	Race                bool
	MainEntries         []string
	PrinterConfigMode   []string
	PrinterConfigTab    int
	PrinterConfigIndent int
	DataType            string
	Verbose             bool
	SkipNestedModules   *bool
	// Check holds the settings of `goat check`, which reads them itself: what is wrong in
	// them stops no build. nil where there are none.
	Check *yaml.Node
}

// base is oldBranch as a base: an empty one means HEAD, as it did in GOAT 1.0; an
// absent one leaves the choice to goat.
func (f *File) base() string {
	switch {
	case f.OldBranch == nil:
		return ""
	case *f.OldBranch == "":
		return "HEAD"
	}
	return *f.OldBranch
}

// Find returns the goat.yaml nearest to dir, upwards to the module's root, or "".
func Find(dir string) string {
	root := ModuleRoot(dir)
	for {
		path := filepath.Join(dir, FileName)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
		parent := filepath.Dir(dir)
		if root == "" || dir == root || parent == dir {
			return ""
		}
		dir = parent
	}
}

// Load reads and checks one goat.yaml.
func Load(path string) (*File, error) {
	source, err := store.ReadNamed(path, largest)
	if err != nil {
		e := &goat.Error{Code: goat.CodeBadConfig, Message: "the configuration file cannot be read", Path: path}
		e.Hint = "`goat init` writes one"
		if !errors.Is(err, fs.ErrNotExist) {
			e.Hint = "make it readable, or name another with --config or GOAT_CONFIG"
		}
		return nil, e.Wrap(err)
	}
	return Parse(path, source)
}

// Parse checks the text of a goat.yaml; path is for messages.
func Parse(path string, source []byte) (*File, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(source, &document); err != nil {
		e := &goat.Error{Code: goat.CodeBadConfig, Path: path}
		e.Message = filepath.Base(path) + " is not YAML"
		e.Causes = []string{strings.TrimPrefix(err.Error(), "yaml: ")}
		e.Hint = "correct that line, or write a new file with `goat init --force`"
		return nil, e
	}
	file := &File{}
	if len(document.Content) == 0 {
		return file, nil
	}
	return file, file.decode(&decoder{path}, document.Content[0])
}

func (f *File) decode(d *decoder, root *yaml.Node) error {
	if isNull(root) {
		return nil
	}
	if root.Kind != yaml.MappingNode {
		return d.fail(root, "the file must hold keys with values, not %s", kindOf(root))
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if line, twice := seen[key.Value]; twice {
			return d.fail(key, "key %q stands twice, first on line %d", key.Value, line)
		}
		seen[key.Value] = key.Line
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		if err := f.set(d, key, value); err != nil {
			return err
		}
	}
	return nil
}

// Keys are the keys of goat.yaml, in the order in which `goat init` writes them.
var Keys = []string{
	"appName", "appVersion", "oldBranch", "newBranch", "ignores", "granularity",
	"diffPrecision", "mainEntries", "dataType", "skipNestedModules", "goatPackageName",
	"goatPackageAlias", "goatPackagePath", "verbose", "threads", "race",
	"printerConfigMode", "printerConfigTabwidth", "printerConfigIndent",
}

// CheckKey is the key of the settings of `goat check`; `goat init` writes none.
const CheckKey = "check"

func (f *File) set(d *decoder, key, value *yaml.Node) (err error) {
	switch key.Value {
	case "appName":
		f.AppName, err = d.text(key, value)
	case "appVersion":
		f.AppVersion, err = d.text(key, value)
	case "oldBranch":
		var ref string
		ref, err = d.text(key, value)
		f.OldBranch = &ref
	case "newBranch":
		f.NewBranch, err = d.text(key, value)
	case "ignores":
		f.Ignores, err = d.texts(key, value)
	case "goatPackageName":
		f.GoatPackageName, err = d.text(key, value)
	case "goatPackageAlias":
		f.GoatPackageAlias, err = d.text(key, value)
	case "goatPackagePath":
		if f.GoatPackagePath, err = d.text(key, value); err == nil && !InModule(f.GoatPackagePath) {
			err = d.fail(value, "goatPackagePath: %q does not stay in the module's visible directories", f.GoatPackagePath)
		}
	case "mainEntries":
		f.MainEntries, err = d.texts(key, value)
	case CheckKey:
		f.Check = value
	default:
		return f.setLimited(d, key, value)
	}
	return err
}

// setLimited sets the keys that take one of a few values, and those that have
// become needless.
func (f *File) setLimited(d *decoder, key, value *yaml.Node) (err error) {
	switch key.Value {
	case "granularity":
		f.Granularity, err = d.word(key, value, Granularities)
	case "dataType":
		f.DataType, err = d.word(key, value, DataTypes)
	case "diffPrecision":
		f.DiffPrecision, err = d.precision(key, value)
	case "verbose":
		f.Verbose, err = d.boolean(key, value)
	case "skipNestedModules":
		var skip bool
		skip, err = d.boolean(key, value)
		f.SkipNestedModules = &skip
	case "race":
		f.Race, err = d.boolean(key, value)
	case "threads":
		f.Threads, err = d.number(key, value)
	case "printerConfigMode":
		f.PrinterConfigMode, err = d.texts(key, value)
	case "printerConfigTabwidth":
		f.PrinterConfigTab, err = d.number(key, value)
	case "printerConfigIndent":
		f.PrinterConfigIndent, err = d.number(key, value)
	default:
		return d.unknown(key)
	}
	return err
}
